//! Children, waiting and memory for attacks, by bare system calls.

use std::io;

pub(crate) use super::raw::{Word, sys};
use crate::outcome::READY;

impl<T, const N: usize> Word for &[T; N] {
    fn word(self) -> usize {
        self.as_ptr().expose_provenance()
    }
}

impl<T, const N: usize> Word for &mut [T; N] {
    fn word(self) -> usize {
        self.as_mut_ptr().expose_provenance()
    }
}

impl Word for &mut i32 {
    fn word(self) -> usize {
        std::ptr::from_mut(self).expose_provenance()
    }
}

/// Narrows a descriptor or process id that the kernel returned.
pub(crate) fn small(value: usize) -> io::Result<i32> {
    i32::try_from(value).map_err(io::Error::other)
}

/// Runs `work` in a forked child that exits with 0 on success and with the errno else; returns its process id.
pub(crate) fn child(work: impl FnOnce() -> io::Result<()>) -> io::Result<i32> {
    let pid = small(sys!(SYS_fork)?)?;
    if pid == 0 {
        let code = work().map_or_else(|error| error.raw_os_error().unwrap_or(255), |()| 0);
        leave(code);
    }
    Ok(pid)
}

/// Ends the process at once.
pub(crate) fn leave(code: i32) -> ! {
    loop {
        drop(sys!(SYS_exit_group, code));
    }
}

/// Waits for a child to end and returns the wait status.
pub(crate) fn wait(pid: i32) -> io::Result<i32> {
    let mut status = 0i32;
    sys!(SYS_wait4, pid, &mut status, libc::__WALL, 0)?;
    Ok(status)
}

/// Runs `work` in a child and waits; an error if it did not succeed.
pub(crate) fn in_child(work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match wait(child(work)?)? {
        0 => Ok(()),
        status => Err(io::Error::other(format!("the child ended with status {status:#x}"))),
    }
}

/// Sleeps.
pub(crate) fn nap(milliseconds: u64) {
    let time = [milliseconds / 1000, milliseconds % 1000 * 1_000_000];
    drop(sys!(SYS_nanosleep, &time, 0));
}

/// Writes to standard output, all in one call.
pub(crate) fn say(text: &str) -> io::Result<()> {
    sys!(SYS_write, 1, text.as_ptr(), text.len()).map(|_| ())
}

/// Tells the runner that what it waits for is there.
pub(crate) fn ready() -> io::Result<()> {
    say(&format!("{READY}\n"))
}

/// Anonymous memory of the attack.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    at: *mut u8,
    length: usize,
}

impl Page {
    /// Maps `length` bytes with this protection and these flags beside `MAP_ANONYMOUS`.
    pub(crate) fn new(length: usize, protection: i32, flags: i32) -> io::Result<Page> {
        Page::of(length, protection, flags | libc::MAP_ANONYMOUS, -1, 0)
    }

    /// Maps a descriptor.
    pub(crate) fn of(length: usize, protection: i32, flags: i32, fd: i32, offset: u64) -> io::Result<Page> {
        let at = sys!(SYS_mmap, 0, length, protection, flags, fd, offset)?;
        Ok(Page { at: std::ptr::with_exposed_provenance_mut(at), length })
    }

    /// Private memory below 4 GiB that may be read, written and, if asked, executed.
    pub(crate) fn low(executable: bool) -> io::Result<Page> {
        let protection = libc::PROT_READ | libc::PROT_WRITE | if executable { libc::PROT_EXEC } else { 0 };
        Page::new(4096, protection, libc::MAP_PRIVATE | libc::MAP_32BIT)
    }

    /// Maps anonymous memory at this address.
    pub(crate) fn at(place: usize, length: usize, protection: i32, flags: i32) -> io::Result<Page> {
        let at = sys!(SYS_mmap, place, length, protection, flags | libc::MAP_ANONYMOUS, -1, 0)?;
        Ok(Page { at: std::ptr::with_exposed_provenance_mut(at), length })
    }

    /// Its address.
    pub(crate) fn address(self) -> u64 {
        self.at.expose_provenance() as u64
    }

    /// Its address in 32 bits.
    pub(crate) fn low_address(self) -> io::Result<u32> {
        u32::try_from(self.address()).map_err(io::Error::other)
    }

    /// Copies bytes in; what does not fit is left out.
    pub(crate) fn put(self, offset: usize, bytes: &[u8]) {
        for (index, byte) in bytes.iter().enumerate() {
            if let Some(at) = self.slot(offset + index) {
                // SAFETY: `slot` is inside the mapping, which is never unmapped.
                unsafe { at.write_volatile(*byte) }
            }
        }
    }

    /// Copies bytes out; shorter at the end of the mapping.
    pub(crate) fn get(self, offset: usize, length: usize) -> Vec<u8> {
        let slots = (offset..offset + length).map_while(|index| self.slot(index));
        // SAFETY: `slot` is inside the mapping, which is never unmapped.
        slots.map(|at| unsafe { at.read_volatile() }).collect()
    }

    /// A 32-bit word at a byte offset.
    pub(crate) fn word(self, offset: u32) -> u32 {
        let bytes = self.get(offset as usize, 4);
        bytes.try_into().map_or(0, u32::from_ne_bytes)
    }

    fn slot(self, index: usize) -> Option<*mut u8> {
        (index < self.length).then(|| self.at.wrapping_add(index))
    }
}
