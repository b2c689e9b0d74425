//! Mode, owner, times and length.

use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, chmod as kernel_chmod, chownat,
    fcntl_getfl, ftruncate, openat, utimensat as kernel_utimensat,
};
use rustix::io::Errno;

use super::caller::own_name;
use super::connect::fetch;
use super::judge::Wanted;
use super::look::{AT_EMPTY_PATH, AT_NOFOLLOW, flags, object};
use super::memory::word;
use super::own::{self, Held};
use super::table::Of;
use super::task::{Done, Served, Stop, Task};

/// Set-user-id and set-group-id: others on the host could run such a file.
const SET_ID: u32 = 0o6000;
const UTIME_NOW: i64 = (1 << 30) - 1;
const DONE: Served = Ok(Done::Value(0));

/// `chmod`, `fchmodat`, `fchmodat2`, `fchmod`.
pub(super) fn chmod(task: &Task<'_>) -> Served {
    let held = changed(task)?;
    let mode = task.word(task.after(1)) & 0o7777;
    if mode & SET_ID != 0 {
        return Err(Errno::PERM.into());
    }
    if held.kind()? == FileType::Symlink {
        return Err(Errno::OPNOTSUPP.into());
    }
    kernel_chmod(own_name(&held.fd), Mode::from_bits_retain(mode))?;
    DONE
}

/// `chown`, `lchown`, `fchownat`, `fchown`.
pub(super) fn chown(task: &Task<'_>) -> Served {
    let held = changed(task)?;
    let id = |at| Some(task.word(at)).filter(|id| *id != u32::MAX);
    let (uid, gid) = (id(task.after(1)).map(Uid::from_raw), id(task.after(2)).map(Gid::from_raw));
    // Only its own ids exist in a jar with namespaces.
    let alien = |id: Option<u32>, own: u32| !task.shared.hops && id.is_some_and(|id| id != own);
    let own = task.shared.ids;
    if alien(uid.map(Uid::as_raw), own.0) || alien(gid.map(Gid::as_raw), own.1) {
        return Err(Errno::INVAL.into());
    }
    chownat(&held.fd, c"", uid, gid, AtFlags::EMPTY_PATH)?;
    DONE
}

/// `utimensat`. Without a path it is about the descriptor.
pub(super) fn utimensat(task: &Task<'_>) -> Served {
    let times = times(task, task.after(1), 1)?;
    let held = match task.register(task.row.path) {
        0 => decided(task, opened(task, task.int(0))?)?,
        _ => changed(task)?,
    };
    stamp(&held, &times)
}

/// `utimes`, `futimesat`: microseconds.
pub(super) fn utimes(task: &Task<'_>) -> Served {
    let times = times(task, task.after(1), 1000)?;
    stamp(&changed(task)?, &times)
}

/// `utime`: seconds.
pub(super) fn utime(task: &Task<'_>) -> Served {
    let times = match task.register(task.after(1)) {
        0 => now(),
        at => {
            let bytes = task.bytes::<16>(at)?;
            let whole = |at| Timespec { tv_sec: word(&bytes, at).cast_signed(), tv_nsec: 0 };
            Timestamps { last_access: whole(0), last_modification: whole(8) }
        }
    };
    stamp(&changed(task)?, &times)
}

fn now() -> Timestamps {
    let now = || Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now(), last_modification: now() }
}

/// Two times; the fraction of a second counts so many nanoseconds.
fn times(task: &Task<'_>, at: u8, unit: i64) -> Result<Timestamps, Stop> {
    let address = task.register(at);
    if address == 0 {
        return Ok(now());
    }
    let bytes = task.bytes::<32>(address)?;
    let time = |at: usize| -> Result<Timespec, Errno> {
        let part = word(&bytes, at.saturating_add(8)).cast_signed();
        if unit > 1 && !(0..1_000_000).contains(&part) {
            return Err(Errno::INVAL);
        }
        Ok(Timespec { tv_sec: word(&bytes, at).cast_signed(), tv_nsec: part.saturating_mul(unit) })
    };
    Ok(Timestamps { last_access: time(0)?, last_modification: time(16)? })
}

fn stamp(held: &Held, times: &Timestamps) -> Served {
    kernel_utimensat(CWD, own_name(&held.fd), times, AtFlags::empty())?;
    DONE
}

/// `truncate`.
pub(super) fn truncate(task: &Task<'_>) -> Served {
    let length = task.register(task.after(1));
    if length.cast_signed() < 0 {
        return Err(Errno::INVAL.into());
    }
    let held = changed(task)?;
    match held.kind()? {
        FileType::RegularFile => {}
        FileType::Directory => return Err(Errno::ISDIR.into()),
        _ => return Err(Errno::INVAL.into()),
    }
    let file: OwnedFd =
        openat(CWD, own_name(&held.fd), OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    ftruncate(&file, length)?;
    DONE
}

/// What is about to be changed.
fn changed(task: &Task<'_>) -> Result<Held, Stop> {
    let held = match task.row.of {
        Of::Descriptor => opened(task, task.int(0))?,
        _ => object(task, &task.name()?, flags(task, AT_NOFOLLOW | AT_EMPTY_PATH)?)?,
    };
    decided(task, held)
}

/// What the caller has under a number, to be changed by it. In a root of its own the jar may have no path to that, as to a file
/// whose name was removed; then it is what is open there, and not a name alone.
pub(super) fn opened(task: &Task<'_>, number: i32) -> Result<Held, Stop> {
    if task.shared.hops {
        return own::start(task, number);
    }
    let fd = fetch(task, number)?;
    if fcntl_getfl(&fd)?.contains(OFlags::PATH) {
        return Err(Errno::BADF.into());
    }
    match own::own(task, fd.try_clone()?) {
        Err(Stop::Fails(Errno::ACCESS)) => Ok(Held::new(fd, None)),
        done => done,
    }
}

fn decided(task: &Task<'_>, held: Held) -> Result<Held, Stop> {
    task.decide(Wanted::Write, &held)?;
    Ok(held)
}
