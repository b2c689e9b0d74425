//! Making, moving and removing entries of folders.

use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, fcntl_getfl, fstat, linkat, mkdirat,
    mknodat, openat2, renameat_with, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::caller::own_name;
use super::connect::fetch;
use super::host;
use super::judge::Wanted;
use super::look::{AT_EMPTY_PATH, AT_NOFOLLOW, flags, object};
use super::own::{self, Held};
use super::task::{Done, Name, Served, Stop, Task};
use super::walk::{Spot, Whole, parent};

const AT_REMOVEDIR: u32 = 0x200;
const AT_FOLLOW: u32 = 0x400;
/// Set-user-id and set-group-id: others on the host could run such a file.
const SET_ID: u32 = 0o6000;
const DONE: Served = Ok(Done::Value(0));

/// `mkdir`, `mkdirat`.
pub(super) fn mkdir(task: &Task<'_>) -> Served {
    let spot = fresh(task, &task.name()?)?;
    let mode = task.masked(task.word(task.after(1)) & 0o1777)?;
    mkdirat(&spot.folder, spot.entry(), mode)?;
    DONE
}

/// `mknod`, `mknodat`: files, FIFOs and sockets; a device would be the host's.
pub(super) fn mknod(task: &Task<'_>) -> Served {
    let mode = task.word(task.after(1));
    let kind = match mode & 0o170_000 {
        0 => FileType::RegularFile,
        other => FileType::from_raw_mode(other),
    };
    let harmless = matches!(kind, FileType::RegularFile | FileType::Fifo);
    if !harmless || mode & SET_ID != 0 {
        return Err(Errno::PERM.into());
    }
    let spot = fresh(task, &task.name()?)?;
    mknodat(&spot.folder, spot.entry(), kind, task.masked(mode & 0o1777)?, 0)?;
    DONE
}

/// `symlink`, `symlinkat`: what a link says is looked at when it is followed.
pub(super) fn symlink(task: &Task<'_>) -> Served {
    let says = task.name_at(None, 0)?.text;
    if says.as_os_str().is_empty() {
        return Err(Errno::NOENT.into());
    }
    let spot = fresh(task, &task.name()?)?;
    symlinkat(says, &spot.folder, spot.entry())?;
    DONE
}

/// `link`, `linkat`. A second name gives what the first one has, so both places must be writable.
pub(super) fn link(task: &Task<'_>) -> Served {
    let flags = flags(task, AT_FOLLOW | AT_EMPTY_PATH)?;
    let (old, new) = (task.name()?, task.second_name()?);
    let flags = if flags & AT_FOLLOW != 0 { flags & !AT_NOFOLLOW } else { flags };
    match unnamed(task, &old, flags)? {
        Some(file) => {
            let file = Held::new(file, None);
            or_on_host(task, name_in_jar(task, &file, &new), || host::name(task, &file.fd, &new))
        }
        None => or_on_host(task, link_in_jar(task, &old, &new, flags), || host::link(task, &old, &new)),
    }
}

fn link_in_jar(task: &Task<'_>, old: &Name, new: &Name, flags: u32) -> Served {
    name_in_jar(task, &object(task, old, flags)?, new)
}

/// A further name for what is open, or its first.
fn name_in_jar(task: &Task<'_>, held: &Held, new: &Name) -> Served {
    let spot = vacant(task, new)?;
    task.decide_writing(&spot.path)?;
    one_mount(&held.fd, &spot.folder)?;
    match &held.path {
        Some(path) => task.decide_writing(path)?,
        None => task.decide(Wanted::Write, held)?,
    }
    linkat(CWD, own_name(&held.fd), &spot.folder, spot.entry(), AtFlags::SYMLINK_FOLLOW)?;
    DONE
}

/// A file that never had a name (`O_TMPFILE`), which the caller has open for writing: that is how some programs save. It is
/// fetched itself, so that what is looked at is what gets the name.
fn unnamed(task: &Task<'_>, name: &Name, flags: u32) -> Result<Option<OwnedFd>, Stop> {
    let empty = flags & AT_EMPTY_PATH != 0 && name.text.as_os_str().is_empty();
    let own = || name.text.strip_prefix("/proc/self/fd").ok()?.to_str()?.parse().ok();
    let number = if empty { Some(name.at) } else { own().filter(|_| flags & AT_NOFOLLOW == 0) };
    let Some(number) = number.filter(|number| *number >= 0) else { return Ok(None) };
    let file = fetch(task, number)?;
    let stat = fstat(&file)?;
    if stat.st_nlink != 0 || FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    match fcntl_getfl(&file)? & OFlags::ACCMODE {
        OFlags::WRONLY | OFlags::RDWR => Ok(Some(file)),
        _ => Err(Errno::ACCESS.into()),
    }
}

/// `rmdir`.
pub(super) fn rmdir(task: &Task<'_>) -> Served {
    let whole: Whole = |end| match end {
        b"." => Errno::INVAL,
        b".." => Errno::NOTEMPTY,
        _ => Errno::BUSY,
    };
    remove(task, whole, AtFlags::REMOVEDIR)
}

/// `unlink`, `unlinkat`.
pub(super) fn unlink(task: &Task<'_>) -> Served {
    match flags(task, AT_REMOVEDIR)? {
        0 => or_on_host(task, remove(task, |_| Errno::ISDIR, AtFlags::empty()), || {
            host::remove(task, &task.name()?)
        }),
        _ => rmdir(task),
    }
}

/// What the jar lacks, or cannot change, may be granted on the host all the same.
fn or_on_host(task: &Task<'_>, done: Served, on_host: impl FnOnce() -> Result<(), Stop>) -> Served {
    match done {
        Err(Stop::Fails(errno @ (Errno::NOENT | Errno::ROFS))) if task.opens_host() => match on_host() {
            Ok(()) => DONE,
            Err(Stop::Fails(Errno::NOENT)) => Err(errno.into()),
            Err(other) => Err(other),
        },
        done => done,
    }
}

fn remove(task: &Task<'_>, whole: Whole, how: AtFlags) -> Served {
    let spot = parent(task, &task.name()?, whole)?;
    task.decide_writing(&spot.path)?;
    unlinkat(&spot.folder, spot.entry(), how)?;
    DONE
}

/// `rename`, `renameat`, `renameat2`.
pub(super) fn rename(task: &Task<'_>) -> Served {
    let how = RenameFlags::from_bits_retain(flags(task, 3)?);
    let (old, new) = (task.name()?, task.second_name()?);
    or_on_host(task, in_jar(task, &old, &new, how), || host::rename(task, &old, &new, how))
}

fn in_jar(task: &Task<'_>, old: &Name, new: &Name, how: RenameFlags) -> Served {
    let from = parent(task, old, |_| Errno::BUSY)?;
    let to = parent(task, new, |_| Errno::BUSY)?;
    one_mount(&from.folder, &to.folder)?;
    task.decide_writing(&from.path)?;
    task.decide_writing(&to.path)?;
    renameat_with(&from.folder, from.entry(), &to.folder, to.entry(), how)?;
    DONE
}

/// Nothing moves from one mount to another. Programs that hear so copy, which the rules of both places are asked about.
pub(super) fn one_mount(a: &OwnedFd, b: &OwnedFd) -> Result<(), Errno> {
    if own::mount(a)? == own::mount(b)? { Ok(()) } else { Err(Errno::XDEV) }
}

/// A place for a new entry, where the rules let it be made.
fn fresh(task: &Task<'_>, name: &Name) -> Result<Spot, Stop> {
    let spot = vacant(task, name)?;
    task.decide_path(Wanted::Write, &spot.path)?;
    Ok(spot)
}

/// A place for a new entry. What is there already is told before what is refused, as the kernel does.
fn vacant(task: &Task<'_>, name: &Name) -> Result<Spot, Stop> {
    let spot = parent(task, name, |_| Errno::EXIST)?;
    let bounds = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if openat2(&spot.folder, &spot.name, flags, Mode::empty(), bounds).is_ok() {
        task.decide_path(Wanted::Look, &spot.path)?;
        return Err(Errno::EXIST.into());
    }
    Ok(spot)
}

impl Spot {
    /// The name, with the slash that the caller wrote: the kernel decides what it means.
    fn entry(&self) -> std::ffi::OsString {
        let mut entry = self.name.clone();
        if self.slash {
            entry.push("/");
        }
        entry
    }
}
