//! Copy-on-write that is thrown away: overlays whose changes live in the jar's own memory. That memory is no part of the
//! finished root; it ends with the jar's last mount, whoever ends it.

use std::ffi::CStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use belljar_policy::Access;
use belljar_sys::Op;
use belljar_sys::child::Walk;
use rustix::fs::{Access as May, access};

use super::layout::{Bind, Item};
use super::{Builder, mounts};
use crate::error::StartError;
use crate::plan::Step;

/// Where the changes lie while the root is built.
const AT: &str = ".belljar-aside";
const AT_C: &CStr = c".belljar-aside";
/// The new root while it is built, as the kernel's mount options have to name it.
const ROOT: &str = "/proc";

/// An overlay whose changes are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overlay {
    /// The host's folder.
    pub(crate) from: PathBuf,
    /// Where the jar sees it.
    pub(crate) at: PathBuf,
    /// Where its changes lie, below the folder that holds all of them.
    pub(crate) upper: PathBuf,
}

/// Memory for the changes, before the first placement.
pub(super) fn begin<'a>(builder: &Builder<'a>, size: u64, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
    ops.push(Op::Dir { path: AT_C, mode: 0o700 });
    ops.push(mounts::tmpfs(builder, Walk::Plain(AT_C), size, "0700", mounts::MS_NOSUID | mounts::MS_NODEV)?);
    Ok(())
}

/// Every overlay, in the order of placement.
fn overlays(items: &[Item]) -> impl Iterator<Item = &Bind> {
    items.iter().filter_map(|item| match item {
        Item::Bind(bind) if bind.access == Access::Cow => Some(bind),
        _ => None,
    })
}

/// The host's folder read-only below, the jar's memory above.
pub(super) fn overlay<'a>(
    builder: &Builder<'a>,
    bind: &Bind,
    to: Walk<'a>,
    ops: &mut Vec<Op<'a>>,
) -> Result<(), StartError> {
    if !bind.dir {
        return Err(StartError::NotAFolder { path: bind.from.clone(), access: "cow" });
    }
    let number = overlays(&builder.layout.items).position(|other| other.at == bind.at).unwrap_or_default();
    let base = Path::new(AT).join(number.to_string());
    let folder = |name: &str| builder.storage.path(&base.join(name));
    let modes = [("", 0o700), ("lower", 0o700), (UPPER, mode(builder, &bind.from)?), ("work", 0o700)];
    for (name, mode) in modes {
        ops.push(Op::Dir { path: folder(name)?, mode });
    }
    let lower = Bind { access: Access::Read, ..bind.clone() };
    ops.push(mounts::bind_op(builder, &lower, Walk::Plain(folder("lower")?))?);
    let option = |name: &str, at: &str| format!("{name}={ROOT}/{}", base.join(at).to_string_lossy());
    let options = [option("lowerdir", "lower"), option("upperdir", UPPER), option("workdir", "work")];
    let data = format!("{},userxattr", options.join(","));
    ops.push(Op::Overlay { to, data: builder.storage.text("mount options", data.as_bytes())? });
    Ok(())
}

/// Where the changes of each overlay lie, below the folder that the supervisor gets.
pub(super) fn changes(items: &[Item]) -> Vec<Overlay> {
    let overlay = |(number, bind): (usize, &Bind)| Overlay {
        from: bind.from.clone(),
        at: bind.at.clone(),
        upper: Path::new(&number.to_string()).join(UPPER),
    };
    overlays(items).enumerate().map(overlay).collect()
}

/// Name of the folder with the changes of one overlay.
const UPPER: &str = "upper";

/// The merged folder shows the mode of the upper one, whose owner is the jar's user: it may there what a grant would let
/// it do in the host's folder.
fn mode(builder: &Builder<'_>, path: &Path) -> Result<u32, StartError> {
    let failed = |source| StartError::Path { path: path.to_path_buf(), origin: "cow".to_owned(), source };
    let mode = std::fs::metadata(path).map_err(failed)?.mode();
    let own = match rustix::process::geteuid().is_root() {
        // Its owner is nobody inside; without translation nobody is a stranger to it.
        true if builder.call.sent(path).next().is_some() => mode & 0o700,
        true => (mode & 0o007) << 6,
        false => callers_rights(path),
    };
    Ok(mode & 0o1077 | own)
}

fn callers_rights(path: &Path) -> u32 {
    let rights = [(May::READ_OK, 0o400), (May::WRITE_OK, 0o200), (May::EXEC_OK, 0o100)];
    rights.into_iter().filter(|(may, _)| access(path, *may).is_ok()).fold(0, |all, (_, bit)| all | bit)
}

/// After the last placement: the memory leaves the root, and the supervisor gets it where it wants to look.
pub(super) fn finish(builder: &Builder<'_>, ops: &mut Vec<Op<'_>>) {
    if !builder.plan.init.iter().any(|step| matches!(step, Step::Aside(_))) {
        return;
    }
    if builder.call.watches_aside {
        ops.push(Op::SendFolder(AT_C));
    }
    ops.push(Op::Detach(AT_C));
}
