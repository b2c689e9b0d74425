//! What a caller has: its root, its descriptors, its folder of `/proc`. Nothing of it is taken for the jar's before it is known
//! to lie on a mount of the jar's own tree.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags, fstat, fstatfs, openat2, statx};
use rustix::io::Errno;

use super::caller::{AT_CWD, Numbers};
use super::task::{Stop, Task};

const PROC_MAGIC: i64 = 0x9FA0;
const PROC_ROOT: u64 = 1;
/// `STATX_MNT_ID`.
const MNT_ID: u32 = 0x1000;

/// Something that is open without any right (`O_PATH`).
#[derive(Debug)]
pub(super) struct Held {
    pub(super) fd: OwnedFd,
    /// Where the jar sees it; none = it has no path.
    pub(super) path: Option<PathBuf>,
    /// What kind of file it is, where that is known: what is open stays what it is.
    kind: Option<FileType>,
}

impl Held {
    pub(super) fn new(fd: OwnedFd, path: Option<PathBuf>) -> Self {
        Self { fd, path, kind: None }
    }

    pub(super) fn of_kind(fd: OwnedFd, path: PathBuf, kind: FileType) -> Self {
        Self { fd, path: Some(path), kind: Some(kind) }
    }

    /// What kind of file it is.
    pub(super) fn kind(&self) -> Result<FileType, Errno> {
        match self.kind {
            Some(kind) => Ok(kind),
            None => Ok(FileType::from_raw_mode(fstat(&self.fd)?.st_mode)),
        }
    }
}

/// The folder that a relative path starts at, or what an empty path means.
pub(super) fn start(task: &Task<'_>, at: i32) -> Result<Held, Stop> {
    let fd = task.caller().descriptor(at)?;
    own(task, fd)
}

/// What a descriptor of the caller refers to, for calls that only look at it: a path of another tree is no matter then.
pub(super) fn descriptor(task: &Task<'_>, at: i32) -> Result<Held, Stop> {
    let fd = task.caller().descriptor(at)?;
    match own(task, fd.try_clone()?) {
        Err(Stop::Fails(Errno::ACCESS)) => Ok(Held::new(fd, None)),
        done => done,
    }
}

/// What `self` and the links of a process in `/proc` say to the caller; none for every other symlink.
pub(super) fn process_link(task: &Task<'_>, held: &Held) -> Result<Option<PathBuf>, Stop> {
    let path = held.path.as_deref().filter(|_| is_proc(&held.fd));
    let Some((folder, name)) = path.and_then(|path| Some((path.parent()?, path.file_name()?))) else {
        return Ok(None);
    };
    let numbers = task.caller().numbers()?;
    match name.as_bytes() {
        b"self" => Ok(Some(numbers.own_group.to_string().into())),
        b"thread-self" => Ok(Some(format!("{}/task/{}", numbers.own_group, numbers.own_thread).into())),
        // Links of other processes need power over them, which the supervisor has and the caller may lack.
        _ => match folder.iter().find(|part| is_number(part)) {
            Some(process) if !numbers.are(process) => Err(Errno::ACCESS.into()),
            _ => Ok(None),
        },
    }
}

/// A folder of the caller itself in `/proc`, or its folder of descriptors.
fn is_own_folder(numbers: &Numbers, folder: &Path) -> bool {
    let process = if folder.ends_with("fd") { folder.parent() } else { Some(folder) };
    process.and_then(Path::file_name).is_some_and(|name| numbers.are(name))
}

pub(super) fn is_number(name: &OsStr) -> bool {
    name.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Something of the caller's own. What has a path must be what the jar has there: a path of another tree means something else.
pub(super) fn own(task: &Task<'_>, fd: OwnedFd) -> Result<Held, Stop> {
    let path = text_of(task, &fd)?;
    if !path.is_absolute() {
        return Ok(Held::new(fd, None));
    }
    if !in_jar(task, &fd, &path)? {
        return Err(Errno::ACCESS.into());
    }
    Ok(Held::new(fd, Some(path)))
}

/// The jar's root: opened once, since no jar can change it.
pub(super) fn root<'a>(task: &Task<'a>) -> Result<BorrowedFd<'a>, Stop> {
    let cell = &task.shared.root;
    if cell.get().is_none() {
        let fd = task.caller().root()?;
        task.still_waits()?;
        // Another thread may have been first: it found the same.
        drop(cell.set(fd));
    }
    cell.get().map(AsFd::as_fd).ok_or(Stop::Fails(Errno::ACCESS))
}

/// Where the kernel says that something is.
pub(super) fn text_of(task: &Task<'_>, fd: &OwnedFd) -> Result<PathBuf, Errno> {
    let (folder, name) = task.shared.own_entry(fd)?;
    let text = rustix::fs::readlinkat(folder, name, Vec::with_capacity(256))?;
    Ok(PathBuf::from(OsString::from_vec(text.into_bytes())))
}

/// Whether something lies on a mount of the jar's own tree. A mount that was found there once stays: no jar can mount.
fn in_jar(task: &Task<'_>, fd: &OwnedFd, path: &Path) -> Result<bool, Stop> {
    let here = identity(fd)?;
    let known = |mounts: &Vec<u64>| mounts.contains(&here.0);
    if known(&task.shared.mounts()) {
        return Ok(true);
    }
    let root = root(task)?;
    let there = |path: &Path| {
        let bounds = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat2(root, path, flags, Mode::empty(), bounds).and_then(|found| identity(&found))
    };
    let same = match there(path) {
        Ok(found) => found == here,
        // What has no name is where the folder is that it was made in.
        Err(_) => {
            fstat(fd)?.st_nlink == 0
                && path.parent().is_some_and(|folder| there(folder).is_ok_and(|found| found.0 == here.0))
        }
    };
    if same {
        task.shared.mounts().push(here.0);
    }
    Ok(same)
}

/// Kind of something, and whether it lies in a file system of processes. In a jar's own root mounts stay what they are, so
/// that each is asked once.
pub(super) fn kind_of(task: &Task<'_>, fd: &OwnedFd) -> Result<(FileType, bool), Errno> {
    let stat = statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::TYPE | StatxFlags::from_bits_retain(MNT_ID))?;
    let kind = FileType::from_raw_mode(u32::from(stat.stx_mode));
    if !task.shared.hops && stat.stx_mask & MNT_ID != 0 && task.shared.plain().contains(&stat.stx_mnt_id) {
        return Ok((kind, false));
    }
    let proc = is_proc(fd);
    if !proc && !task.shared.hops {
        task.shared.plain().push(stat.stx_mnt_id);
    }
    Ok((kind, proc))
}

/// The mount that something lies on.
pub(super) fn mount(fd: &OwnedFd) -> Result<u64, Errno> {
    identity(fd).map(|(mount, ..)| mount)
}

/// Mount, device and inode.
fn identity(fd: &OwnedFd) -> Result<(u64, u32, u32, u64), Errno> {
    let mask = StatxFlags::INO | StatxFlags::from_bits_retain(MNT_ID);
    let stat = statx(fd, c"", AtFlags::EMPTY_PATH, mask)?;
    Ok((stat.stx_mnt_id, stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
}

pub(super) fn is_proc(fd: &OwnedFd) -> bool {
    fstatfs(fd).is_ok_and(|stat| stat.f_type == PROC_MAGIC)
}

pub(super) fn is_proc_root(fd: &OwnedFd) -> bool {
    fstat(fd).is_ok_and(|stat| stat.st_ino == PROC_ROOT) && is_proc(fd)
}

/// What a link of the caller's own folder of `/proc` leads to.
pub(super) fn process_target(task: &Task<'_>, folder: &Path, name: &OsStr) -> Result<OwnedFd, Stop> {
    let caller = task.caller();
    let numbers = caller.numbers()?;
    if !is_own_folder(&numbers, folder) {
        return Err(Errno::ACCESS.into());
    }
    match (folder.ends_with("fd"), name.as_bytes(), descriptor_number(folder, name)) {
        (true, _, Some(fd)) => Ok(caller.descriptor(fd)?),
        (false, b"cwd", _) => Ok(caller.descriptor(AT_CWD)?),
        (false, b"root", _) => Ok(caller.root()?),
        (false, b"exe", _) => Ok(caller.program()?),
        _ => Err(Errno::ACCESS.into()),
    }
}

/// The descriptor that a name in a folder of descriptors stands for.
pub(super) fn descriptor_number(folder: &Path, name: &OsStr) -> Option<i32> {
    let digits = name.to_str().filter(|_| folder.ends_with("fd"))?;
    digits.parse().ok().filter(|number| *number >= 0)
}
