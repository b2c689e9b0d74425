//! Looking at what is there: attributes, access, where a symlink leads, the file system.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use belljar_sys::look;
use rustix::fs::{FileType, readlinkat};
use rustix::io::Errno;

use super::absent::absent;
use super::host;
use super::judge::Wanted;
use super::own::{self, Held};
use super::table::Of;
use super::task::{Done, Name, Served, Stop, Task};
use super::walk::{self, Last, find};

pub(super) const AT_NOFOLLOW: u32 = 0x100;
pub(super) const AT_EMPTY_PATH: u32 = 0x1000;
const R_OK: u32 = 4;
const W_OK: u32 = 2;
const X_OK: u32 = 1;
const AT_EACCESS: u32 = 0x200;
const AT_NO_AUTOMOUNT: u32 = 0x800;
/// `AT_STATX_FORCE_SYNC` and `AT_STATX_DONT_SYNC`.
const AT_SYNC: u32 = 0x6000;

/// `stat`, `lstat`, `newfstatat`.
pub(super) fn stat(task: &Task<'_>) -> Served {
    let held = seen(task, flags(task, AT_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYNC)?)?;
    let bytes = look::stat(held.fd.as_fd()).map_err(errno)?;
    task.give(task.after(1), &bytes)
}

/// `statx`.
pub(super) fn statx(task: &Task<'_>) -> Served {
    let flags = flags(task, AT_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYNC)?;
    let held = seen(task, flags)?;
    let bytes = look::statx(held.fd.as_fd(), flags & AT_SYNC, task.word(task.after(2))).map_err(errno)?;
    task.give(task.after(3), &bytes)
}

/// `statfs`.
pub(super) fn statfs(task: &Task<'_>) -> Served {
    let held = seen(task, 0)?;
    let bytes = look::statfs(held.fd.as_fd()).map_err(errno)?;
    task.give(task.after(1), &bytes)
}

/// `access`, `faccessat`, `faccessat2`. The jar's users are all the same one, so that `AT_EACCESS` makes no difference.
pub(super) fn access(task: &Task<'_>) -> Served {
    let flags = flags(task, AT_NOFOLLOW | AT_EMPTY_PATH | AT_EACCESS)?;
    let mode = task.word(task.after(1));
    if mode & !(R_OK | W_OK | X_OK) != 0 {
        return Err(Errno::INVAL.into());
    }
    let name = task.name()?;
    let only_looks = mode & (W_OK | X_OK) == 0;
    let object =
        if only_looks { found(task, &name, flags).map(Whose::held) } else { object(task, &name, flags) };
    let held = match object {
        Err(Stop::Fails(Errno::NOENT)) if task.opens_host() => return host_access(task, &name, mode),
        held => held?,
    };
    let wanted = match mode {
        _ if mode & W_OK != 0 => Wanted::Write,
        _ if mode & X_OK != 0 && held.kind()? != FileType::Directory => Wanted::Execute,
        _ if mode & R_OK != 0 => Wanted::Read,
        _ => Wanted::Look,
    };
    task.decide(wanted, &held)?;
    look::access(held.fd.as_fd(), mode).map_err(errno)?;
    Ok(Done::Value(0))
}

/// The same about what only the host has.
fn host_access(task: &Task<'_>, name: &Name, mode: u32) -> Served {
    let wanted = match mode {
        _ if mode & W_OK != 0 => Wanted::Write,
        _ if mode & X_OK != 0 => Wanted::Execute,
        _ => Wanted::Look,
    };
    let fd = host::look(task, name, wanted)?;
    look::access(fd.as_fd(), mode).map_err(errno)?;
    Ok(Done::Value(0))
}

/// `readlink`, `readlinkat`.
pub(super) fn readlink(task: &Task<'_>) -> Served {
    let room = usize::try_from(task.int(task.after(2))).ok().filter(|room| *room > 0).ok_or(Errno::INVAL)?;
    let held = seen(task, AT_NOFOLLOW | AT_EMPTY_PATH)?;
    let text = match held.kind()? {
        FileType::Symlink => target(task, &held)?,
        _ => return Err(Errno::INVAL.into()),
    };
    let text = text.as_os_str().as_bytes();
    let text = text.get(..room).unwrap_or(text);
    task.give(task.after(1), text)?;
    Ok(Done::Value(i64::try_from(text.len()).unwrap_or(0)))
}

/// What a symlink says to the caller.
fn target(task: &Task<'_>, held: &Held) -> Result<PathBuf, Stop> {
    if let Some(text) = own::process_link(task, held)? {
        return Ok(text);
    }
    let text = readlinkat(&held.fd, c"", Vec::new())?;
    Ok(PathBuf::from(OsStr::from_bytes(text.as_bytes())))
}

/// Flags of a call with what its spelling says; one that is not known is an error.
pub(super) fn flags(task: &Task<'_>, known: u32) -> Result<u32, Stop> {
    let own = if task.row.of == Of::Link { AT_NOFOLLOW } else { 0 };
    let said = task.flags();
    if said & !known != 0 { Err(Errno::INVAL.into()) } else { Ok(own | said) }
}

/// The object of a call that only looks.
fn seen(task: &Task<'_>, flags: u32) -> Result<Held, Stop> {
    let name = task.name()?;
    let held = match found(task, &name, flags).map(Whose::held) {
        Err(Stop::Fails(Errno::NOENT)) if task.opens_host() => {
            let fd = host::look(task, &name, Wanted::Look)?;
            return Ok(Held::new(fd, None));
        }
        held => held?,
    };
    task.decide(Wanted::Look, &held)?;
    Ok(held)
}

/// What a path with flags means, for calls that act on it.
pub(super) fn object(task: &Task<'_>, name: &Name, flags: u32) -> Result<Held, Stop> {
    match found(task, name, flags)? {
        Whose::Jar(held) => Ok(held),
        Whose::Caller(_) => Err(Errno::ACCESS.into()),
    }
}

/// What was found, and how it belongs to the jar.
enum Whose {
    Jar(Held),
    /// The caller has a descriptor of it, which is all that it has: it can be looked at.
    Caller(Held),
}

impl Whose {
    fn held(self) -> Held {
        match self {
            Self::Jar(held) | Self::Caller(held) => held,
        }
    }
}

/// What a path with flags means. With `AT_EMPTY_PATH` an empty one is the descriptor itself, whatever it is.
fn found(task: &Task<'_>, name: &Name, flags: u32) -> Result<Whose, Stop> {
    if flags & AT_EMPTY_PATH != 0 && name.text.as_os_str().is_empty() {
        return own::descriptor(task, name.at).map(Whose::Jar);
    }
    let last = if flags & AT_NOFOLLOW != 0 { Last::Keep } else { Last::Follow };
    match find(task, name, last) {
        Ok(walk::Found::Object(held)) => Ok(Whose::Jar(held)),
        Ok(walk::Found::Elsewhere(held, _)) => Ok(Whose::Caller(held)),
        // What is not there is not told where nothing may be seen.
        Ok(walk::Found::Missing(spot)) => {
            task.decide_path(Wanted::Look, &spot.path)?;
            Err(absent(task, Wanted::Look, name))
        }
        Ok(walk::Found::Nothing(path)) => {
            task.decide_path(Wanted::Look, &path)?;
            Err(absent(task, Wanted::Look, name))
        }
        Err(Stop::Fails(Errno::NOENT)) => Err(absent(task, Wanted::Look, name)),
        Err(stop) => Err(stop),
    }
}

pub(super) fn errno(errno: belljar_sys::Errno) -> Errno {
    Errno::from_raw_os_error(errno.0)
}
