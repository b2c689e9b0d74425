//! Forking a process of one thread into workers, and what such a worker keeps.
//!
//! Needs the standard library: unlike the children of [`crate::spawn`], which run prepared ops, a worker goes on as a whole
//! program. That is sound only because nothing else ran in its parent.

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::call::{self, Errno, Fd, Result};
use crate::violation::{self, Threads};

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
/// its exit status, and never returns from here. The parent gets its pid. Where a filter refuses to tell how many threads there
/// are, `about` has to: the `/proc/PID/status` of this process.
///
/// # Errors
/// `EBUSY` unless the process is known to have no other thread; otherwise the kernel's.
pub fn into_worker(
    channel: &OwnedFd,
    words: BorrowedFd<'_>,
    about: Option<&About>,
    run: impl FnOnce(OwnedFd) -> i32,
) -> Result<i32> {
    if !is_alone(about) {
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

/// The kernel's own word about this process, opened by somebody who still could: `/proc/PID/status`.
#[derive(Debug)]
pub struct About(File);

impl From<OwnedFd> for About {
    fn from(status: OwnedFd) -> Self {
        Self(status.into())
    }
}

fn is_alone(about: Option<&About>) -> bool {
    match violation::threads() {
        Threads::One => true,
        Threads::Several => false,
        Threads::Untold => about.is_some_and(|about| tells_of_one_thread(&about.0)),
    }
}

/// Whether this status is the calling process' own and counts one thread.
fn tells_of_one_thread(about: &File) -> bool {
    let mut text = [0; 4096];
    let Ok(length) = about.read_at(&mut text, 0) else { return false };
    let told = |field: &'static [u8]| last_number(text.get(..length).unwrap_or_default(), field);
    // The last number is the one in the process' own namespace.
    told(b"NSpid:") == Some(std::process::id()) && told(b"Threads:") == Some(1)
}

fn last_number(text: &[u8], field: &'static [u8]) -> Option<u32> {
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(field))?;
    let word = line.rsplit(|byte| *byte == b'\t' || *byte == b' ').next()?;
    std::str::from_utf8(word).ok()?.parse().ok()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_tells_of_its_own_process_alone() {
        let status = |pid: &str| File::open(["/proc", pid, "status"].join("/")).unwrap();
        // The test's thread is not the only one.
        assert!(!tells_of_one_thread(&status("self")) && !tells_of_one_thread(&status("1")));
        let text = b"Tgid:\t70\nNSpid:\t70\t2\nThreads:\t1\n";
        assert_eq!((last_number(text, b"NSpid:"), last_number(text, b"Threads:")), (Some(2), Some(1)));
        assert_eq!(last_number(b"NSpid:\t\n", b"NSpid:"), None);
    }
}
