//! Opening and making files.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2 as kernel_openat2};
use rustix::io::Errno;

use super::absent::absent;
use super::anew;
use super::fifo;
use super::host;
use super::judge::Wanted;
use super::own::Held;
use super::shared::Shared;
use super::task::{Done, Name, Served, Stop, Task};
use super::walk::{self, Found, Last, Spot, find, find_place};

const O_CREAT: u32 = 0o100;
const O_EXCL: u32 = 0o200;
const O_NOCTTY: u32 = 0o400;
const O_TRUNC: u32 = 0o1000;
const O_APPEND: u32 = 0o2000;
const O_NONBLOCK: u32 = 0o4000;
const O_DIRECTORY: u32 = 0o200_000;
const O_NOFOLLOW: u32 = 0o400_000;
const O_CLOEXEC: u32 = 0o2_000_000;
const O_PATH: u32 = 0o10_000_000;
const O_LARGEFILE: u32 = 0o100_000;
/// `O_APPEND`, `O_ASYNC`, `O_DIRECT`, `O_NOATIME`: what can be set later as well.
const SETTABLE: u32 = 0o1_062_000;
/// Flags of opens that change nothing.
const READS: u32 = O_NOCTTY | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_LARGEFILE;
/// The bit that makes `O_TMPFILE` of `O_DIRECTORY`.
const TMPFILE: u32 = 0o20_000_000;
/// Every flag that `open` and `openat` know; they drop all others.
const KNOWN: u32 = 0o37_777_703;
/// Set-user-id and set-group-id: others on the host could run such a file.
const SET_ID: u32 = 0o6000;
/// Tries when a file comes and goes while it is opened.
const MAX_TRIES: u32 = 8;
/// `/dev/tty`, which means the terminal of whoever opens it.
const TTY: (u32, u32) = (5, 0);

/// What is to be opened how.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    flags: u32,
    mode: u32,
}

impl How {
    /// 0 reads, 1 writes, 2 does both.
    pub(super) fn access(self) -> u32 {
        self.flags & 3
    }

    /// Neither the call itself nor those on what it opens wait.
    pub(super) fn is_impatient(self) -> bool {
        self.flags & O_NONBLOCK != 0
    }

    pub(super) fn impatient(self) -> Self {
        Self { flags: self.flags | O_NONBLOCK, ..self }
    }

    pub(super) fn appending(self) -> Self {
        Self { flags: self.flags | O_APPEND, ..self }
    }

    /// A descriptor without rights is one that can be read here.
    pub(super) fn reads(self) -> bool {
        self.access() != 1 || self.flags & O_PATH != 0
    }

    pub(super) fn writes(self) -> bool {
        self.flags & O_PATH == 0 && (self.access() != 0 || self.flags & (O_TRUNC | TMPFILE) != 0)
    }

    #[cfg(test)]
    pub(super) fn of(flags: u32) -> Self {
        Self { flags, mode: 0 }
    }
}

/// `open`, `openat`.
pub(super) fn open(task: &Task<'_>) -> Served {
    let flags = task.word(task.after(1)) & KNOWN;
    let mode = task.word(task.after(2)) & 0o7777;
    serve(task, How { flags, mode })
}

/// `creat`.
pub(super) fn creat(task: &Task<'_>) -> Served {
    let mode = task.word(task.after(1)) & 0o7777;
    serve(task, How { flags: O_CREAT | O_TRUNC | 1, mode })
}

fn serve(task: &Task<'_>, how: How) -> Served {
    if how.flags & (O_CREAT | TMPFILE) != 0 && how.mode & SET_ID != 0 {
        return Err(Errno::PERM.into());
    }
    let name = task.name()?;
    for _ in 0..MAX_TRIES {
        match once(task, &name, how) {
            // It came, went, or became a symlink meanwhile.
            Err(Stop::Fails(Errno::AGAIN)) => {}
            Err(Stop::Fails(errno @ (Errno::NOENT | Errno::ROFS))) if task.opens_host() => {
                return match on_host(task, &name, how) {
                    Err(Stop::Fails(Errno::NOENT)) => Err(errno.into()),
                    served => served,
                };
            }
            done => return done,
        }
    }
    Err(Errno::AGAIN.into())
}

fn once(task: &Task<'_>, name: &Name, how: How) -> Served {
    let exclusive = how.flags & O_CREAT != 0 && how.flags & O_EXCL != 0;
    let last = if exclusive || how.flags & O_NOFOLLOW != 0 { Last::Keep } else { Last::Follow };
    let makes = how.flags & O_CREAT != 0 && how.flags & O_PATH == 0;
    let found = match search(task, name, last, how) {
        Err(Stop::Fails(Errno::NOENT)) => return Err(gone(task, how, name)),
        found => found?,
    };
    let lacks = |path: &Path| {
        let gone = gone(task, how, name);
        // What is not there is not told where nothing may be seen.
        task.decide_path(Wanted::Look, path)?;
        Err(gone)
    };
    match found {
        (Found::Elsewhere(_, number), _) => anew::open(task, number, how),
        (Found::Object(held), true) => read(task, held, how),
        (Found::Object(_), _) if exclusive && how.flags & O_PATH == 0 => Err(Errno::EXIST.into()),
        (Found::Object(held), false) => existing(task, &held, how),
        (Found::Missing(spot), _) if makes => make(task, &spot, how),
        (Found::Missing(spot), _) => lacks(&spot.path),
        (Found::Nothing(path), _) => lacks(&path),
    }
}

/// What is there, and whether it is open for reading already.
fn search(task: &Task<'_>, name: &Name, last: Last, how: How) -> Result<(Found, bool), Stop> {
    if how.flags & O_CREAT != 0 {
        return Ok((find_place(task, name, last)?, false));
    }
    let reads = if how.flags & !READS == 0 { walk::open(task, name, last, reading(how))? } else { None };
    match reads {
        Some(found) => Ok((found, true)),
        None => Ok((find(task, name, last)?, false)),
    }
}

/// The answer where the jar has nothing. Where the host's file is asked about next, the question tells of it.
fn gone(task: &Task<'_>, how: How, name: &Name) -> Stop {
    if task.opens_host() { Errno::NOENT.into() } else { absent(task, wanted(how.flags), name) }
}

/// How what is only read is opened: without waiting for whoever writes.
fn reading(how: How) -> OFlags {
    OFlags::from_bits_retain(how.flags & O_DIRECTORY | O_NOCTTY | O_NONBLOCK)
}

/// What is open for reading, once that is granted.
fn read(task: &Task<'_>, held: Held, how: How) -> Served {
    task.decide(Wanted::Read, &held)?;
    match held.kind()? {
        FileType::RegularFile | FileType::Directory => hand_over(waiting(held.fd, how)?, how),
        FileType::Fifo => fifo::reader(task, held.fd, how),
        _ => granted(task, &held, how),
    }
}

/// Takes away that calls on the descriptor do not wait, unless the caller wants that.
pub(super) fn waiting(fd: OwnedFd, how: How) -> Result<OwnedFd, Errno> {
    if how.flags & O_NONBLOCK == 0 {
        rustix::fs::fcntl_setfl(&fd, OFlags::from_bits_retain(how.flags & SETTABLE))?;
    }
    Ok(fd)
}

/// What the jar does not have may be granted all the same: a plain file of the host that is there, or that is to be made.
fn on_host(task: &Task<'_>, name: &Name, how: How) -> Served {
    let wanted = wanted(how.flags);
    if how.flags & TMPFILE != 0 {
        return unnamed(task, name, how);
    }
    let creates = how.flags & O_CREAT != 0 && wanted == Wanted::Write;
    if creates && !host::has(task, name)? {
        let kept = how.flags & !(O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC);
        return hand_over(host::make(task, name, OFlags::from_bits_retain(kept), how.mode)?, how);
    }
    if how.flags & O_EXCL != 0 {
        return Err(Errno::NOENT.into());
    }
    let file = host::find(task, name, wanted)?;
    match wanted {
        Wanted::Read => hand_over(task.shared.copies.of(&file)?, how),
        _ => hand_over(reopen(task, &file, how)?, how),
    }
}

/// A file without a name in a folder of the host.
fn unnamed(task: &Task<'_>, name: &Name, how: How) -> Served {
    if how.flags & (O_PATH | O_CREAT) != 0 || how.access() == 0 {
        return Err(Errno::INVAL.into());
    }
    let kept = how.flags & !(O_NOFOLLOW | O_CLOEXEC);
    hand_over(host::make_unnamed(task, name, OFlags::from_bits_retain(kept), how.mode)?, how)
}

fn wanted(flags: u32) -> Wanted {
    match flags & 3 {
        _ if flags & O_PATH != 0 => Wanted::Read,
        0 if flags & (O_TRUNC | TMPFILE) == 0 => Wanted::Read,
        _ => Wanted::Write,
    }
}

fn existing(task: &Task<'_>, held: &Held, how: How) -> Served {
    match &held.path {
        Some(path) if wanted(how.flags) == Wanted::Write => task.decide_writing(path)?,
        _ => task.decide(wanted(how.flags), held)?,
    }
    granted(task, held, how)
}

fn granted(task: &Task<'_>, held: &Held, how: How) -> Served {
    match held.kind()? {
        kind if how.flags & O_PATH != 0 => without_rights(task, held, kind, how),
        FileType::Symlink => Err(Errno::LOOP.into()),
        FileType::Directory if how.flags & O_CREAT != 0 => Err(Errno::ISDIR.into()),
        FileType::Fifo => fifo::open(task, held, how),
        FileType::CharacterDevice if device(&held.fd)? == TTY => terminal(task, how),
        FileType::Directory if how.flags & TMPFILE != 0 => {
            hand_over(reopen(task, &held.fd, How { mode: task.masked(how.mode)?.as_raw_mode(), ..how })?, how)
        }
        _ => hand_over(reopen(task, &held.fd, how)?, how),
    }
}

/// A descriptor without rights cannot be given to another process. Where the kernel may not be left to make it, it is one
/// that can be read.
fn without_rights(task: &Task<'_>, held: &Held, kind: FileType, how: How) -> Served {
    match kind {
        FileType::Symlink => Err(Errno::LOOP.into()),
        FileType::RegularFile | FileType::Directory => {
            let flags = how.flags & (O_DIRECTORY | O_CLOEXEC) | O_NONBLOCK;
            hand_over(reopen(task, &held.fd, How { flags, mode: 0 })?, how)
        }
        _ => Err(Errno::NXIO.into()),
    }
}

fn device(fd: &OwnedFd) -> Result<(u32, u32), Errno> {
    let device = fstat(fd)?.st_rdev;
    Ok((rustix::fs::major(device), rustix::fs::minor(device)))
}

/// The very file that was decided about, opened with rights.
fn reopen(task: &Task<'_>, fd: &OwnedFd, how: How) -> Result<OwnedFd, Errno> {
    open_again(task.shared, fd, how)
}

pub(super) fn open_again(shared: &Shared, fd: &OwnedFd, how: How) -> Result<OwnedFd, Errno> {
    let own = O_CREAT | O_EXCL | O_NOFOLLOW;
    let flags = OFlags::from_bits_retain(how.flags & !own | O_NOCTTY | O_CLOEXEC);
    let (folder, name) = shared.own_entry(fd)?;
    openat(folder, name, flags, mode(how))
}

fn mode(how: How) -> Mode {
    Mode::from_bits_retain(how.mode & 0o7777)
}

pub(super) fn hand_over(fd: OwnedFd, how: How) -> Served {
    let close_on_exec = how.flags & O_CLOEXEC != 0;
    Ok(if how.writes() { Done::Writable(fd, close_on_exec) } else { Done::Descriptor(fd, close_on_exec) })
}

fn make(task: &Task<'_>, spot: &Spot, how: How) -> Served {
    if spot.slash {
        return Err(Errno::ISDIR.into());
    }
    task.decide_writing(&spot.path)?;
    let mode = task.masked(how.mode)?;
    let flags = OFlags::from_bits_retain(how.flags & !O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    let bounds = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // A FIFO that came meanwhile must not hold this thread up.
    let waits = how.flags & O_NONBLOCK == 0;
    let flags = if waits { flags | OFlags::from_bits_retain(O_NONBLOCK) } else { flags };
    let fd = match kernel_openat2(&spot.folder, &spot.name, flags, mode, bounds) {
        Err(Errno::LOOP | Errno::XDEV | Errno::NXIO) => return Err(Errno::AGAIN.into()),
        other => other?,
    };
    if waits {
        if FileType::from_raw_mode(fstat(&fd)?.st_mode) == FileType::Fifo {
            return Err(Errno::AGAIN.into());
        }
        let now = rustix::fs::fcntl_getfl(&fd)?;
        rustix::fs::fcntl_setfl(&fd, now.difference(OFlags::NONBLOCK))?;
    }
    hand_over(fd, how)
}

/// The caller's terminal, as the jar sees it; the supervisor's own is never handed over.
fn terminal(task: &Task<'_>, how: How) -> Served {
    let number = task.caller().terminal().ok_or(Errno::NXIO)?;
    task.still_waits()?;
    let name = Name { at: super::caller::AT_CWD, text: format!("/dev/pts/{number}").into() };
    let held = find(task, &name, Last::Keep)?.object().map_err(|_| Stop::Fails(Errno::NXIO))?;
    task.decide(wanted(how.flags), &held)?;
    hand_over(reopen(task, &held.fd, how)?, how)
}
