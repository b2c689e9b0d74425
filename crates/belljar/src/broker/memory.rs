//! Copies of what a call points at. Each word of the jar's memory is read once; what was read is checked and used.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use belljar_sys::notify::read_memory;
use rustix::io::Errno;

const PAGE: usize = 4096;
/// Most strings are no longer.
const SHORT: usize = 256;
/// Longest path with its final zero.
const PATH_MAX: usize = 4096;

/// The path at an address: up to its zero, at most `PATH_MAX` bytes.
///
/// # Errors
/// `EFAULT` where it leaves mapped memory, `ENAMETOOLONG` without a zero in time.
pub(super) fn path(pid: u32, address: u64) -> Result<PathBuf, Errno> {
    string(pid, address, PATH_MAX, Errno::NAMETOOLONG).map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
}

/// A string of at most `most` bytes with its zero, read page by page: the next page may not be mapped.
pub(super) fn string(pid: u32, address: u64, most: usize, too_long: Errno) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::with_capacity(SHORT);
    while bytes.len() < most {
        let have = bytes.len();
        let from = offset(address, have)?;
        let first = if have == 0 { SHORT } else { PAGE };
        let piece = piece(from).min(first).min(most.saturating_sub(have));
        bytes.resize(have.saturating_add(piece), 0);
        let fresh = bytes.get_mut(have..).unwrap_or_default();
        let got = read_memory(pid, from, fresh).map_err(|errno| Errno::from_raw_os_error(errno.0));
        let got = got.map_err(fault)?;
        bytes.truncate(have.saturating_add(got));
        if let Some(end) = bytes.get(have..).and_then(|fresh| fresh.iter().position(|byte| *byte == 0)) {
            bytes.truncate(have.saturating_add(end));
            return Ok(bytes);
        }
        if got < piece {
            return Err(Errno::FAULT);
        }
    }
    Err(too_long)
}

/// All of `N` bytes at an address.
///
/// # Errors
/// `EFAULT`.
pub(super) fn exact<const N: usize>(pid: u32, address: u64) -> Result<[u8; N], Errno> {
    let mut bytes = [0_u8; N];
    fill(pid, address, &mut bytes)?;
    Ok(bytes)
}

/// Fills `into` from an address.
///
/// # Errors
/// `EFAULT`.
pub(super) fn fill(pid: u32, address: u64, into: &mut [u8]) -> Result<(), Errno> {
    if into.is_empty() {
        return Ok(());
    }
    let wanted = into.len();
    match read_memory(pid, address, into) {
        Ok(got) if got == wanted => Ok(()),
        Ok(_) => Err(Errno::FAULT),
        Err(errno) => Err(fault(Errno::from_raw_os_error(errno.0))),
    }
}

/// Eight little-endian bytes of a structure.
pub(super) fn word(bytes: &[u8], at: usize) -> u64 {
    let eight = at.checked_add(8).and_then(|end| bytes.get(at..end)).and_then(|part| part.try_into().ok());
    eight.map_or(0, u64::from_le_bytes)
}

/// Bytes up to the end of the page.
fn piece(address: u64) -> usize {
    let inside = usize::try_from(address % 4096).unwrap_or(0);
    PAGE.saturating_sub(inside)
}

fn offset(address: u64, by: usize) -> Result<u64, Errno> {
    u64::try_from(by).ok().and_then(|by| address.checked_add(by)).ok_or(Errno::FAULT)
}

/// What the supervisor may not look at is refused, whatever it is.
fn fault(errno: Errno) -> Errno {
    match errno {
        Errno::PERM => Errno::ACCESS,
        other => other,
    }
}
