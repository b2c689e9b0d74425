//! Landlock's rules for the finished layout, and what the self-probe tries.

use std::path::{Path, PathBuf};

use belljar_policy::Access;
use belljar_sys::abi::LandlockRuleset;
use belljar_sys::{Op, child::PathRights};

use super::Builder;
use super::layout::Item;
use crate::error::StartError;
use crate::plan::{Engine, FS_DIR_ONLY, FS_READ_DIR, LandlockPlan, Plan};

pub(super) fn build<'a>(builder: &Builder<'a>, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
    let Some(landlock) = &builder.plan.landlock else { return Ok(()) };
    let handled = LandlockRuleset { fs: landlock.fs, net: landlock.net, scoped: landlock.scoped };
    ops.push(Op::LandlockCreate(handled));
    for (path, allowed) in rules(builder, landlock) {
        let rights = PathRights { path: builder.storage.path(&path)?, allowed, optional: false };
        ops.push(Op::LandlockPath(rights));
    }
    ops.push(Op::LandlockRestrict);
    Ok(())
}

fn rules(builder: &Builder<'_>, landlock: &LandlockPlan) -> Vec<(PathBuf, u64)> {
    let mut rules = Vec::new();
    if builder.plan.engine == Engine::Namespaces {
        // Listing shows only what was placed.
        rules.push((PathBuf::from("/"), FS_READ_DIR & landlock.fs));
    } else {
        rules.extend(
            ["null", "zero", "full", "random", "urandom"]
                .map(|node| (Path::new("/dev").join(node), landlock.device_rights() & !FS_DIR_ONLY)),
        );
    }
    rules.extend(builder.layout.items.iter().filter_map(|item| rule(item, landlock)));
    if builder.policy.debug.value {
        rules.push((PathBuf::from("/proc"), landlock.rights(Access::Write)));
    }
    rules.retain(|(_, allowed)| *allowed != 0);
    rules
}

fn rule(item: &Item, landlock: &LandlockPlan) -> Option<(PathBuf, u64)> {
    match item {
        Item::Bind(bind) | Item::Root(bind) => {
            let kind = if bind.dir { !0 } else { !FS_DIR_ONLY };
            Some((bind.at.clone(), landlock.rights(bind.access) & kind))
        }
        Item::Tmpfs(at, _) => Some((at.clone(), landlock.rights(Access::Write))),
        Item::Proc(at) => Some((at.clone(), landlock.rights(Access::ReadNoexec))),
        Item::Dev { at, .. } => Some((at.clone(), landlock.device_rights() | landlock.rights(Access::Write))),
        _ => None,
    }
}

/// Host paths that are there on most systems, the most telling first.
const WELL_KNOWN: &[&str] = &["/root", "/home", "/var", "/srv", "/boot", "/sys", "/run", "/mnt", "/opt"];

/// A folder that the caller can open and the jar must not: the home folder first.
pub(super) fn ungranted(builder: &Builder<'_>) -> Option<PathBuf> {
    let home = builder.call.home.map(Path::to_path_buf);
    home.into_iter()
        .chain(WELL_KNOWN.iter().map(PathBuf::from))
        .find(|path| !touches(builder, path) && std::fs::File::open(path).is_ok())
}

/// Whether the jar has something at, above or below a path.
fn touches(builder: &Builder<'_>, path: &Path) -> bool {
    let near = |at: &Path| at.starts_with(path) || (path.starts_with(at) && at != Path::new("/"));
    let items = &builder.layout.items;
    items.iter().any(|item| near(item.at()) || matches!(item, Item::Root(_)))
}

/// Whether the filter refuses `io_uring_setup` of null pointers, as evaluated from the plan itself.
pub(super) fn forbids_io_uring(plan: &Plan) -> bool {
    plan.filter.refuses("io_uring_setup")
}
