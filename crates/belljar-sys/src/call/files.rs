//! Descriptors and files.

use core::ffi::CStr;

use linux_raw_sys::general as g;
use syscalls::Sysno;

use super::{CWD, Fd, Result, cstr, fd_of, int, plain, ptr, word};
use crate::abi;

const CLOSE_RANGE_CLOEXEC: usize = 4;

/// `close(2)`; the result carries no information that could be acted on.
pub fn close(fd: Fd) {
    crate::call::unheard(plain(Sysno::close, [int(fd), 0, 0, 0, 0, 0]));
}

/// `close_range(2)` over `first..=last`; with `on_exec` the descriptors stay open until exec.
///
/// # Errors
/// The kernel's.
pub fn close_range(first: u32, last: u32, on_exec: bool) -> Result<()> {
    let flags = if on_exec { CLOSE_RANGE_CLOEXEC } else { 0 };
    plain(Sysno::close_range, [word(first), word(last), flags, 0, 0, 0]).map(drop)
}

/// `openat2(2)`.
///
/// # Errors
/// The kernel's.
pub fn openat2(dir: Fd, path: &CStr, how: abi::OpenHow) -> Result<Fd> {
    let how_at = ptr(&raw const how);
    plain(Sysno::openat2, [int(dir), cstr(path), how_at, size_of::<abi::OpenHow>(), 0, 0]).map(fd_of)
}

/// `openat(2)` without creation.
///
/// # Errors
/// The kernel's.
pub fn open(path: &CStr, flags: u32) -> Result<Fd> {
    plain(Sysno::openat, [int(CWD), cstr(path), word(flags | g::O_CLOEXEC), 0, 0, 0]).map(fd_of)
}

/// `write(2)`.
///
/// # Errors
/// The kernel's.
pub fn write(fd: Fd, bytes: &[u8]) -> Result<usize> {
    plain(Sysno::write, [int(fd), ptr(bytes.as_ptr()), bytes.len(), 0, 0, 0])
}

/// `read(2)`.
///
/// # Errors
/// The kernel's.
pub fn read(fd: Fd, into: &mut [u8]) -> Result<usize> {
    plain(Sysno::read, [int(fd), ptr(into.as_mut_ptr()), into.len(), 0, 0, 0])
}

/// Writes all of `text` to an existing file.
///
/// # Errors
/// The kernel's.
pub fn write_file(path: &CStr, text: &[u8]) -> Result<()> {
    let fd = open(path, g::O_WRONLY)?;
    let done = write(fd, text);
    close(fd);
    done.map(drop)
}

/// `chdir(2)`.
///
/// # Errors
/// The kernel's.
pub fn chdir(path: &CStr) -> Result<()> {
    plain(Sysno::chdir, [cstr(path), 0, 0, 0, 0, 0]).map(drop)
}

/// `mkdirat(2)`.
///
/// # Errors
/// The kernel's.
pub fn mkdir(path: &CStr, mode: u32) -> Result<()> {
    plain(Sysno::mkdirat, [int(CWD), cstr(path), word(mode), 0, 0, 0]).map(drop)
}

/// `mknodat(2)` of an empty regular file.
///
/// # Errors
/// The kernel's.
pub fn make_file(path: &CStr, mode: u32) -> Result<()> {
    plain(Sysno::mknodat, [int(CWD), cstr(path), word(g::S_IFREG | mode), 0, 0, 0]).map(drop)
}

/// `mknodat(2)` of a FIFO.
///
/// # Errors
/// The kernel's.
pub fn make_fifo(path: &CStr, mode: u32) -> Result<()> {
    plain(Sysno::mknodat, [int(CWD), cstr(path), word(g::S_IFIFO | mode), 0, 0, 0]).map(drop)
}

/// `symlinkat(2)`.
///
/// # Errors
/// The kernel's.
pub fn symlink(target: &CStr, path: &CStr) -> Result<()> {
    plain(Sysno::symlinkat, [cstr(target), int(CWD), cstr(path), 0, 0, 0]).map(drop)
}

/// `unlinkat(2)` of a file.
///
/// # Errors
/// The kernel's.
pub fn unlink(path: &CStr) -> Result<()> {
    plain(Sysno::unlinkat, [int(CWD), cstr(path), 0, 0, 0, 0]).map(drop)
}

/// `umask(2)`: the mask before.
pub fn umask(mask: u32) -> u32 {
    let before = plain(Sysno::umask, [word(mask), 0, 0, 0, 0, 0]);
    before.ok().and_then(|mask| u32::try_from(mask).ok()).unwrap_or(0o077)
}

/// `ioctl(2)` with a plain number.
///
/// # Errors
/// The kernel's.
pub fn ioctl(fd: Fd, request: u32, value: usize) -> Result<usize> {
    plain(Sysno::ioctl, [int(fd), word(request), value, 0, 0, 0])
}

/// `ioctl(2)` that reads or writes `value`.
///
/// # Errors
/// The kernel's.
pub fn ioctl_with<T>(fd: Fd, request: u32, value: &mut T) -> Result<usize> {
    plain(Sysno::ioctl, [int(fd), word(request), ptr(&raw mut *value), 0, 0, 0])
}

/// `fcntl(2)` that reads or writes `value`.
///
/// # Errors
/// The kernel's.
pub fn fcntl_with<T>(fd: Fd, command: u32, value: &mut T) -> Result<usize> {
    plain(Sysno::fcntl, [int(fd), word(command), ptr(&raw mut *value), 0, 0, 0])
}

/// `dup3(2)`; the copy stays open over exec.
///
/// # Errors
/// The kernel's.
pub fn dup_to(from: Fd, to: Fd) -> Result<()> {
    plain(Sysno::dup3, [int(from), int(to), 0, 0, 0, 0]).map(drop)
}

/// `fcntl(F_SETFD, 0)`: stays open over exec.
///
/// # Errors
/// The kernel's.
pub fn keep_on_exec(fd: Fd) -> Result<()> {
    plain(Sysno::fcntl, [int(fd), word(g::F_SETFD), 0, 0, 0, 0]).map(drop)
}

/// `poll(2)` for readability, without a time limit; true where something is to be read or gone. Negative numbers are left
/// out.
///
/// # Errors
/// The kernel's.
pub fn poll_each<const N: usize>(fds: [Fd; N]) -> Result<[bool; N]> {
    #[repr(C)]
    struct PollFd {
        fd: Fd,
        events: i16,
        revents: i16,
    }
    let mut set = fds.map(|fd| PollFd { fd, events: 1, revents: 0 });
    plain(Sysno::poll, [ptr(set.as_mut_ptr()), N, int(-1), 0, 0, 0])?;
    Ok(set.map(|polled| polled.revents != 0))
}

/// `fchdir(2)`.
///
/// # Errors
/// The kernel's.
pub fn fchdir(fd: Fd) -> Result<()> {
    plain(Sysno::fchdir, [int(fd), 0, 0, 0, 0, 0]).map(drop)
}

/// `fcntl(F_DUPFD_CLOEXEC, 3)`.
///
/// # Errors
/// The kernel's.
pub fn duplicate(fd: Fd) -> Result<Fd> {
    plain(Sysno::fcntl, [int(fd), word(g::F_DUPFD_CLOEXEC), 3, 0, 0, 0]).map(fd_of)
}

/// Whether a descriptor is open.
#[must_use]
pub fn is_open(fd: Fd) -> bool {
    plain(Sysno::fcntl, [int(fd), word(g::F_GETFD), 0, 0, 0, 0]).is_ok()
}

/// Whether a descriptor is open and closes on exec.
#[must_use]
pub fn closes_on_exec(fd: Fd) -> bool {
    plain(Sysno::fcntl, [int(fd), word(g::F_GETFD), 0, 0, 0, 0]).is_ok_and(|flags| flags & 1 != 0)
}

/// Device and inode of an open file.
///
/// # Errors
/// The kernel's.
pub fn identity(fd: Fd) -> Result<(u64, u64)> {
    // `struct stat` starts with device and inode; it is 144 bytes long.
    let mut stat = [0_u64; 18];
    plain(Sysno::fstat, [int(fd), ptr(stat.as_mut_ptr()), 0, 0, 0, 0])?;
    let [device, inode, ..] = stat;
    Ok((device, inode))
}
