//! The smallest io_uring: one entry, submitted and waited for.

use std::io;

use crate::attacks::kernel::{Page, small, sys};

/// Operations of io_uring.
pub(super) const CONNECT: u8 = 16;
pub(super) const OPENAT: u8 = 18;
pub(super) const READ: u8 = 22;
pub(super) const WRITE: u8 = 23;

const SQ_RING: u64 = 0;
const CQ_RING: u64 = 0x0800_0000;
const ENTRIES: u64 = 0x1000_0000;
const GETEVENTS: u64 = 1;
/// Word numbers in `io_uring_params`.
const SQ_TAIL: usize = 11;
const SQ_ARRAY: usize = 16;
const CQ_HEAD: usize = 20;
const CQ_ENTRIES: usize = 25;

/// A ring of one entry.
pub(super) struct Ring {
    fd: usize,
    parameters: [u32; 30],
    submissions: Page,
    completions: Page,
    entries: Page,
    done: u32,
}

impl Ring {
    /// Sets the ring up.
    pub(super) fn new() -> io::Result<Ring> {
        let mut parameters = [0u32; 30];
        let fd = sys!(SYS_io_uring_setup, 1, &mut parameters)?;
        let number = small(fd)?;
        let map = |offset| {
            Page::of(
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                number,
                offset,
            )
        };
        Ok(Ring {
            fd,
            parameters,
            submissions: map(SQ_RING)?,
            completions: map(CQ_RING)?,
            entries: map(ENTRIES)?,
            done: 0,
        })
    }

    /// Runs one operation and returns its result.
    pub(super) fn run(
        &mut self,
        operation: u8,
        fd: i32,
        address: usize,
        length: u32,
        offset: u64,
    ) -> io::Result<i32> {
        self.entries.put(0, &[operation, 0, 0, 0]);
        self.entries.put(4, &fd.to_ne_bytes());
        self.entries.put(8, &offset.to_ne_bytes());
        self.entries.put(16, &address.to_ne_bytes());
        self.entries.put(24, &length.to_ne_bytes());
        self.submissions.put(self.parameters[SQ_ARRAY] as usize, &0u32.to_ne_bytes());
        let tail = self.done + 1;
        self.submissions.put(self.parameters[SQ_TAIL] as usize, &tail.to_ne_bytes());
        sys!(SYS_io_uring_enter, self.fd, 1, 1, GETEVENTS, 0, 0)?;
        self.result()
    }

    fn result(&mut self) -> io::Result<i32> {
        // Two completion slots of 16 bytes; the result is the third word of each.
        let at = self.parameters[CQ_ENTRIES] + (self.done % 2) * 16 + 8;
        self.done += 1;
        self.completions.put(self.parameters[CQ_HEAD] as usize, &self.done.to_ne_bytes());
        match self.completions.word(at).cast_signed() {
            result @ 0.. => Ok(result),
            error => Err(io::Error::from_raw_os_error(-error)),
        }
    }
}
