//! Calls of the key service.

use std::ffi::CStr;
use std::io;

use crate::attacks::kernel::sys;

/// The process keyring.
pub(super) const PROCESS: i32 = -2;
/// The session keyring.
pub(super) const SESSION: i32 = -3;
/// `KEYCTL_READ`.
pub(super) const READ: i32 = 11;
const JOIN_SESSION_KEYRING: i32 = 1;
const SEARCH: i32 = 10;

/// One `keyctl` with three words.
pub(super) fn keyctl(operation: i32, first: usize, second: usize, third: usize) -> io::Result<usize> {
    sys!(SYS_keyctl, operation, first, second, third)
}

/// Starts a fresh session keyring for this thread and all it starts.
pub(super) fn join_session() -> io::Result<()> {
    keyctl(JOIN_SESSION_KEYRING, 0, 0, 0).map(|_| ())
}

/// Finds a key by name.
pub(super) fn search(ring: i32, name: &CStr) -> io::Result<usize> {
    sys!(SYS_keyctl, SEARCH, ring, c"user", name, 0)
}
