//! A start without anything of a policy: the kernel's steps of a jar, each as small as it can be. The same namespaces, as many
//! mounts, the host's root detached, a Landlock domain of one rule, a filter of one instruction, the program, and the end of all of
//! it. Nothing is looked up, decided, translated, limited or tried.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use belljar_sys::abi::{LandlockRuleset, SockFilter, general as g};
use belljar_sys::child::{Mount, Op, PathRights, Walk};
use belljar_sys::owned;
use belljar_sys::spawn::Sequence;
use belljar_sys::wire::{Event, SIZE};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, socketpair};

use crate::floor;

/// Namespaces of the clone, and those that init makes beside the network.
const FIRST: u64 = 0x3002_0000;
const LATER: u32 = g::CLONE_NEWIPC | g::CLONE_NEWUTS | g::CLONE_NEWCGROUP;

const DEVICES: [(&CStr, &CStr); 6] = [
    (c"/dev/null", c"dev/null"),
    (c"/dev/zero", c"dev/zero"),
    (c"/dev/full", c"dev/full"),
    (c"/dev/random", c"dev/random"),
    (c"/dev/urandom", c"dev/urandom"),
    (c"/dev/tty", c"dev/tty"),
];
const FOLDERS: [&CStr; 7] = [c"dev", c"dev/pts", c"dev/shm", c"proc", c"tmp", c"usr", c"etc"];
const LINKS: [(&CStr, &CStr); 4] =
    [(c"usr/bin", c"bin"), (c"usr/sbin", c"sbin"), (c"usr/lib", c"lib"), (c"usr/lib64", c"lib64")];
/// Kind, place and options of fresh file systems.
const FRESH: [(&CStr, &CStr, &CStr); 4] = [
    (c"devpts", c"dev/pts", c"newinstance,ptmxmode=0666,mode=0620"),
    (c"tmpfs", c"dev/shm", c"mode=1777,size=64m"),
    (c"proc", c"proc", c""),
    (c"tmpfs", c"tmp", c"mode=1777,size=64m"),
];
/// `MOUNT_ATTR_RDONLY`, `NOSUID`, `NODEV`.
const SEALED: u64 = 0b111;
const READS: u64 = 0b111;
const WRITES: u64 = 0b110;

/// What is bound: a host path, the place below the new root, attributes.
struct Bound {
    from: CString,
    to: CString,
    /// Its folders, outermost first, and itself.
    folders: Vec<CString>,
    attrs: u64,
}

/// Starts the command and waits until nothing of it is left; the microseconds that took.
pub(crate) fn start(words: &[String]) -> Result<f64> {
    let began = Instant::now();
    let words = words.iter().map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>()?;
    let program = words.first().context("which command?")?;
    let candidates = [program.as_c_str()];
    let argv: Vec<*const u8> =
        words.iter().map(|word| word.as_ptr().cast()).chain([std::ptr::null()]).collect();
    let cwd = std::env::current_dir()?;
    let (folder, bounds) = (text(&cwd)?, bounds(&cwd)?);
    let [uid, gid] = maps();
    let ids = Op::IdMaps { uid: uid.as_bytes(), gid: gid.as_bytes() };
    let init = init(ids, &bounds);
    let exec = Op::Exec { candidates: &candidates, argv: &argv, envp: &[std::ptr::null()] };
    run(&init, &inside(&folder, exec))?;
    Ok(began.elapsed().as_secs_f64() * 1e6)
}

/// Own ids stay what they are.
fn maps() -> [String; 2] {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    [uid, gid].map(|id| format!("{id} {id} 1"))
}

fn text(path: &Path) -> Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// The system and the two folders that the other boxes of a comparison are given.
fn bounds(cwd: &Path) -> Result<Vec<Bound>> {
    let own = std::env::current_exe()?;
    let bin = own.parent().context("a program lies in a folder")?;
    [(Path::new("/usr"), READS), (Path::new("/etc"), READS), (bin, READS), (cwd, WRITES)]
        .into_iter()
        .map(|(path, attrs)| bound(path, attrs))
        .collect()
}

fn bound(path: &Path, attrs: u64) -> Result<Bound> {
    let below: PathBuf = path.strip_prefix("/")?.to_path_buf();
    let mut folders = below.ancestors().filter(|part| !part.as_os_str().is_empty()).collect::<Vec<_>>();
    folders.reverse();
    let folders = folders.into_iter().map(text).collect::<Result<_>>()?;
    Ok(Bound { from: text(path)?, to: text(&below)?, folders, attrs })
}

/// What init does, in the order of a jar's.
fn init<'a>(ids: Op<'a>, bounds: &'a [Bound]) -> Vec<Op<'a>> {
    let data = c"mode=0755,size=1m,nr_inodes=4k";
    let mut ops = vec![Op::BeginNetwork, Op::Unshare(LATER), ids, Op::MountPrivate];
    ops.push(Op::NewRoot { at: c"/proc", data });
    ops.extend(FOLDERS.map(|path| Op::Dir { path, mode: 0o755 }));
    ops.extend(DEVICES.map(|(from, to)| Op::BindNode { from, to }));
    let flags = g::MS_NOSUID | g::MS_NOEXEC;
    ops.extend(FRESH.map(|(kind, to, data)| Op::Mount { kind, to: Walk::Plain(to), flags, data }));
    ops.extend(LINKS.map(|(target, path)| Op::Symlink { target, path }));
    for Bound { from, to, folders, attrs } in bounds {
        ops.extend(folders.iter().map(|path| Op::Dir { path, mode: 0o755 }));
        ops.push(Op::Bind { from: Walk::Plain(from), to: Walk::Plain(to), attrs: *attrs, keep: None });
    }
    ops.extend([Op::PivotRoot, Op::SetAttr { path: c"/", attrs: SEALED }]);
    let fs = floor::guarded();
    ops.push(Op::LandlockCreate(LandlockRuleset { fs, net: 0, scoped: 0 }));
    let allowed = floor::OPENS;
    ops.push(Op::LandlockPath(PathRights { path: c"/", allowed, optional: false, mount: Mount::Unknown }));
    ops.extend([Op::JoinNetwork, Op::Loopback, Op::DropCapabilities, Op::NoNewPrivs]);
    ops
}

fn inside<'a>(folder: &'a CStr, exec: Op<'a>) -> [Op<'a>; 6] {
    const ALLOW: &[SockFilter] = &[floor::ALLOW];
    [Op::NewSession, Op::Chdir(folder), Op::LandlockRestrict, Op::CloseOnExec(3), Op::Seccomp(ALLOW), exec]
}

/// Until the process table has nothing of it.
fn run(init: &[Op<'_>], program: &[Op<'_>]) -> Result<()> {
    let (status, child_end) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let sequence = Sequence {
        init,
        program,
        namespaces: FIRST,
        own_pids: true,
        announce: false,
        errands: -1,
        close_after_start: true,
    };
    let child = owned::spawn(&sequence, &child_end).map_err(floor::kernel)?;
    drop(child_end);
    let mut bytes = [0_u8; SIZE];
    let (got, _) = recv(&status, &mut bytes, RecvFlags::empty())?;
    owned::reap(&child.pidfd).map_err(floor::kernel)?;
    match bytes.get(..got).and_then(Event::decode) {
        Some(Event::Ended(ended)) => ensure!(ended.status == 0, "it ended with {}", ended.status),
        Some(Event::Failed(failure)) => {
            bail!("step {} of {}: {:?}", failure.at, failure.phase, failure.errno)
        }
        other => bail!("{other:?}"),
    }
    Ok(())
}
