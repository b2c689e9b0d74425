//! What the supervisor owns. Needs the standard library; nothing here runs in a child.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::abi;
use crate::call::{self, Errno, Fd, Result};
use crate::spawn::{self, Blocked, Sequence};

/// A started child.
#[derive(Debug)]
pub struct Child {
    /// Its pid here. It stays valid while `pidfd` has not been waited for.
    pub pid: i32,
    /// A descriptor of it.
    pub pidfd: OwnedFd,
}

/// [`spawn::spawn`] with an owned pidfd and signals that are blocked around it.
///
/// # Errors
/// `clone3`'s.
pub fn spawn(sequence: &Sequence<'_>, status: &impl AsRawFd) -> Result<Child> {
    let blocked = Blocked::all()?;
    let started = spawn_blocked(&blocked, sequence, status);
    blocked.release()?;
    started
}

/// The same where signals are blocked already.
///
/// # Errors
/// `clone3`'s.
pub fn spawn_blocked(blocked: &Blocked, sequence: &Sequence<'_>, status: &impl AsRawFd) -> Result<Child> {
    let spawned = spawn::spawn(blocked, sequence, status.as_raw_fd())?;
    Ok(Child { pid: spawned.pid, pidfd: own(spawned.pidfd) })
}

/// Waits for the end of a child of [`spawn()`], which only this finds.
///
/// # Errors
/// `ECHILD` when it was waited for before.
pub fn reap(pidfd: &impl AsRawFd) -> Result<()> {
    call::wait_for_pidfd(pidfd.as_raw_fd(), false).map(drop)
}

/// Whether it has ended; it is reaped then.
///
/// # Errors
/// `ECHILD` when it was waited for before.
pub fn has_ended(pidfd: &impl AsRawFd) -> Result<bool> {
    call::wait_for_pidfd(pidfd.as_raw_fd(), true)
}

/// A descriptor that becomes readable when one of these signals (bit n - 1) is pending for the calling thread.
///
/// # Errors
/// The kernel's.
pub fn signalfd(mask: u64) -> Result<OwnedFd> {
    call::signalfd(mask).map(own)
}

/// Copies the caller's descriptor `fd`, close-on-exec, to a number from 3 on.
///
/// # Errors
/// `EBADF` when it is not open; otherwise the kernel's.
pub fn duplicate(fd: Fd) -> Result<OwnedFd> {
    call::duplicate(fd).map(own)
}

/// Runs `look` on a descriptor that the caller's environment left open.
///
/// # Errors
/// `EBADF` when it is not open.
pub fn with_inherited<T>(fd: Fd, look: impl FnOnce(BorrowedFd<'_>) -> T) -> Result<T> {
    let copy = duplicate(fd)?;
    Ok(look(std::os::fd::AsFd::as_fd(&copy)))
}

/// A detached copy of an opened host path, with all that is mounted below it. With `ids`, owners are translated by that user
/// namespace.
///
/// # Errors
/// The kernel's; `EPERM` without the power to mount, `EINVAL` where the file system cannot translate owners.
pub fn detached(source: BorrowedFd<'_>, ids: Option<BorrowedFd<'_>>) -> Result<OwnedFd> {
    let tree = own(call::clone_tree(source.as_raw_fd())?);
    if let Some(ids) = ids {
        let userns_fd = u64::from(ids.as_raw_fd().unsigned_abs());
        let attr = abi::MountAttr { set: MOUNT_ATTR_IDMAP, userns_fd, ..abi::MountAttr::default() };
        call::mount_setattr(tree.as_raw_fd(), c"", false, attr)?;
    }
    Ok(tree)
}

const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;

/// Size and settings of a terminal; none when it is none.
#[must_use]
pub fn terminal_look(fd: BorrowedFd<'_>) -> (abi::TerminalSize, Option<abi::TerminalSettings>) {
    let (mut size, mut settings) = (abi::TerminalSize::default(), abi::TerminalSettings::default());
    // TIOCGWINSZ and TCGETS. A descriptor without a size keeps the zeros that the kernel gives fresh terminals.
    let sized = call::ioctl_with(fd.as_raw_fd(), 0x5413, &mut size).is_ok();
    let set = call::ioctl_with(fd.as_raw_fd(), 0x5401, &mut settings).is_ok();
    (if sized { size } else { abi::TerminalSize::default() }, set.then_some(settings))
}

/// Takes the lock on a file for this opening of it, which must be for writing; false while another has it.
///
/// # Errors
/// The kernel's.
pub fn lock(fd: BorrowedFd<'_>) -> Result<bool> {
    match lock_call(fd, SET_LOCK, WRITE_LOCK) {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCES) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Lets go of it.
///
/// # Errors
/// The kernel's.
pub fn unlock(fd: BorrowedFd<'_>) -> Result<()> {
    lock_call(fd, SET_LOCK, NO_LOCK).map(drop)
}

/// Whether another opening has it. Nobody is kept from it by the question.
///
/// # Errors
/// The kernel's.
pub fn is_locked(fd: BorrowedFd<'_>) -> Result<bool> {
    lock_call(fd, GET_LOCK, WRITE_LOCK).map(|kind| kind != NO_LOCK)
}

/// Who gets the signals of an open file.
///
/// # Errors
/// The kernel's.
pub fn signal_owner(fd: BorrowedFd<'_>) -> Result<abi::SignalOwner> {
    let mut owner = abi::SignalOwner::default();
    call::fcntl_with(fd.as_raw_fd(), GET_OWNER, &mut owner)?;
    Ok(owner)
}

/// Sets who gets them.
///
/// # Errors
/// `ESRCH` when that is gone.
pub fn set_signal_owner(fd: BorrowedFd<'_>, owner: abi::SignalOwner) -> Result<()> {
    let mut owner = owner;
    call::fcntl_with(fd.as_raw_fd(), SET_OWNER, &mut owner).map(drop)
}

// `F_GETOWN_EX` and `F_SETOWN_EX`.
const GET_OWNER: u32 = 16;
const SET_OWNER: u32 = 15;

// `F_OFD_GETLK` and `F_OFD_SETLK`; `F_WRLCK` and `F_UNLCK`.
const GET_LOCK: u32 = 36;
const SET_LOCK: u32 = 37;
const WRITE_LOCK: i16 = 1;
const NO_LOCK: i16 = 2;

fn lock_call(fd: BorrowedFd<'_>, command: u32, kind: i16) -> Result<i16> {
    let mut lock = abi::FileLock { kind, ..abi::FileLock::default() };
    call::fcntl_with(fd.as_raw_fd(), command, &mut lock)?;
    Ok(lock.kind)
}

pub(crate) fn own(fd: Fd) -> OwnedFd {
    // SAFETY: every caller in this crate passes a descriptor that the kernel has just returned to it and nobody else knows.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
