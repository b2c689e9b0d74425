//! What the kernel tells about an open file, as the bytes that it writes: for handing on to another process.

use std::os::fd::{AsRawFd, BorrowedFd};

use syscalls::Sysno;

use crate::call::{Result, int, raw, word};

/// `struct stat`.
pub type Stat = [u8; 144];
/// `struct statx`.
pub type Statx = [u8; 256];
/// `struct statfs`.
pub type Statfs = [u8; 120];

const AT_EMPTY_PATH: u32 = 0x1000;

/// `fstat(2)`; also of what is open without rights.
///
/// # Errors
/// The kernel's.
pub fn stat(fd: BorrowedFd<'_>) -> Result<Stat> {
    let mut bytes: Stat = [0; 144];
    let at = bytes.as_mut_ptr().expose_provenance();
    // SAFETY: the kernel writes one `struct stat` of 144 bytes into `bytes`, which is that long.
    unsafe { raw(Sysno::fstat, [int(fd.as_raw_fd()), at, 0, 0, 0, 0]) }?;
    Ok(bytes)
}

/// `statx(2)` of the descriptor itself, with flags about synchronising.
///
/// # Errors
/// The kernel's.
pub fn statx(fd: BorrowedFd<'_>, flags: u32, mask: u32) -> Result<Statx> {
    let mut bytes: Statx = [0; 256];
    let at = bytes.as_mut_ptr().expose_provenance();
    let path = c"".as_ptr().expose_provenance();
    let args = [int(fd.as_raw_fd()), path, word(flags | AT_EMPTY_PATH), word(mask), at, 0];
    // SAFETY: the path is a string constant; the kernel writes one `struct statx` of 256 bytes into `bytes`.
    unsafe { raw(Sysno::statx, args) }?;
    Ok(bytes)
}

/// `faccessat2(2)` of the descriptor itself, for whoever this thread uses files as.
///
/// # Errors
/// `EACCES`, `EROFS`: it may not be used so.
pub fn access(fd: BorrowedFd<'_>, mode: u32) -> Result<()> {
    const AT_EACCESS: u32 = 0x200;
    let path = c"".as_ptr().expose_provenance();
    let args = [int(fd.as_raw_fd()), path, word(mode), word(AT_EACCESS | AT_EMPTY_PATH), 0, 0];
    // SAFETY: the path is a string constant.
    unsafe { raw(Sysno::faccessat2, args) }.map(drop)
}

/// `fstatfs(2)`.
///
/// # Errors
/// The kernel's.
pub fn statfs(fd: BorrowedFd<'_>) -> Result<Statfs> {
    let mut bytes: Statfs = [0; 120];
    let at = bytes.as_mut_ptr().expose_provenance();
    // SAFETY: the kernel writes one `struct statfs` of 120 bytes into `bytes`, which is that long.
    unsafe { raw(Sysno::fstatfs, [int(fd.as_raw_fd()), at, 0, 0, 0, 0]) }?;
    Ok(bytes)
}
