//! Forking a process of one thread into workers, and what such a worker keeps.
//!
//! Needs the standard library: unlike the children of [`crate::spawn`], which run prepared ops, a worker goes on as a whole
//! program. That is sound only because nothing else ran in its parent.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::call::{self, Errno, Fd, Result};
use crate::violation;

unsafe extern "C" {
    /// The C library's: it keeps its own notes about the calling thread right, which a bare `clone` would not.
    fn fork() -> i32;
}

/// Where a worker's channel is.
const CHANNEL: Fd = 3;
/// Exit status of a worker whose code panicked.
pub const PANICKED: i32 = 101;
/// Exit status of a worker that could not be arranged.
pub const NOT_ARRANGED: i32 = 125;

/// Forks. The child keeps descriptors 0 and 1, has `words` as 2 and `channel` as 3, and no other; it runs `run`, whose value is
/// its exit status, and never returns from here. The parent gets its pid.
///
/// # Errors
/// `EBUSY` when the process has other threads; otherwise the kernel's.
pub fn into_worker(
    channel: &OwnedFd,
    words: BorrowedFd<'_>,
    run: impl FnOnce(OwnedFd) -> i32,
) -> Result<i32> {
    if !violation::is_single_threaded() {
        return Err(Errno(EBUSY));
    }
    // SAFETY: the process has one thread, as has just been seen, and this is it: no lock is held by another and no memory is
    // half changed. The child never leaves this function.
    match unsafe { fork() } {
        0 => call::exit(live(channel, words, run)),
        -1 => Err(Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0))),
        pid => Ok(pid),
    }
}

const EBUSY: i32 = 16;

fn live(channel: &OwnedFd, words: BorrowedFd<'_>, run: impl FnOnce(OwnedFd) -> i32) -> i32 {
    let Ok(channel) = arrange(channel, words) else { return NOT_ARRANGED };
    catch_unwind(AssertUnwindSafe(|| run(channel))).unwrap_or(PANICKED)
}

fn arrange(channel: &OwnedFd, words: BorrowedFd<'_>) -> Result<OwnedFd> {
    call::dup_to(words.as_raw_fd(), 2)?;
    if channel.as_raw_fd() != CHANNEL {
        call::dup_to(channel.as_raw_fd(), CHANNEL)?;
    }
    call::close_range(4, u32::MAX, false)?;
    // SAFETY: it was opened right above. The owner of the same number before, if any, belongs to a stack frame that this child
    // never returns to.
    Ok(unsafe { OwnedFd::from_raw_fd(CHANNEL) })
}
