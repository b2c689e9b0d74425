//! An allocator for processes that work on something large and end: one range of huge pages for all large pieces.
//!
//! The kernel fills a fresh process' memory page by page, at a microsecond and more for each: a picture of a megabyte takes hundreds.
//! It fills a huge page in the time of some fifty small ones, which are a tenth of it.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{null_mut, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::System;

use linux_raw_sys::general as g;
use syscalls::Sysno;

use crate::call::{Result, int, raw, unheard, word};

/// Bytes of the range: a picture of 12 million pixels, its file and its result. What is not touched costs nothing.
const ROOM: usize = 64 << 20;
/// Bytes of a huge page.
const HUGE: usize = 2 << 20;
/// Smaller requests go to the system's allocator, which packs them better.
const SMALLEST: usize = 16 << 10;
/// Pieces begin at multiples of a cache line.
const LINE: usize = 64;
/// Where the number of live pieces stands in [`Arena::state`]; below it is how much is handed out.
const LIVE: u32 = 40;

/// The allocator. A reference to it is the global one of a program: it is the system's until [`Arena::open`].
///
/// ```
/// use belljar_sys::heap::Arena;
///
/// static HEAP: Arena = Arena::new();
/// #[global_allocator]
/// static ALLOCATOR: &Arena = &HEAP;
///
/// HEAP.open();
/// assert_eq!(vec![0_u8; 1 << 20].iter().max(), Some(&0));
/// ```
///
/// Pieces lie one behind another, and the range begins anew when none is left: that suits work that is done and forgotten. What does not
/// fit comes from the system's allocator.
#[derive(Debug)]
pub struct Arena {
    /// First address of the range; 0 = closed.
    base: AtomicUsize,
    /// Live pieces and bytes handed out, in one word.
    state: AtomicUsize,
    /// Most bytes that ever were handed out: what lies behind is zero.
    high: AtomicUsize,
}

impl Arena {
    /// Closed: everything comes from the system's allocator.
    #[must_use]
    pub const fn new() -> Self {
        Self { base: AtomicUsize::new(0), state: AtomicUsize::new(0), high: AtomicUsize::new(0) }
    }

    /// Takes large pieces from a range of its own from now on, unless it does so already or there is none to be had. To be called after a
    /// fork: huge pages that two processes share are copied page by page.
    pub fn open(&self) {
        if self.base.load(Ordering::Acquire) != 0 {
            return;
        }
        let Ok(fresh) = map() else { return };
        if self.base.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
            unmap(fresh, ROOM);
        }
    }

    /// The offset of a fresh piece, and whether all of it is still zero.
    fn take(&self, layout: Layout) -> Option<(usize, bool)> {
        let base = self.base.load(Ordering::Acquire);
        if base == 0 || layout.size() < SMALLEST {
            return None;
        }
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let (live, used) = split(state);
            let start = base.checked_add(used)?.checked_next_multiple_of(layout.align().max(LINE))?;
            let (offset, next) =
                (start.checked_sub(base)?, start.checked_add(layout.size())?.checked_sub(base)?);
            if next > ROOM {
                return None;
            }
            match self.change(state, join(live.saturating_add(1), next)) {
                // Whoever had any of it before has raised the mark before giving it back.
                Ok(_) => return Some((offset, self.high.fetch_max(next, Ordering::AcqRel) <= offset)),
                Err(now) => state = now,
            }
        }
    }

    fn change(&self, from: usize, to: usize) -> core::result::Result<usize, usize> {
        self.state.compare_exchange_weak(from, to, Ordering::AcqRel, Ordering::Acquire)
    }

    /// Where in the range a piece lies, if it does.
    fn offset(&self, at: *mut u8) -> Option<usize> {
        let base = self.base.load(Ordering::Acquire);
        at.addr().checked_sub(base).filter(|offset| base != 0 && *offset < ROOM)
    }

    /// The last piece makes room behind it, and the last one alive all of it.
    fn give_back(&self, offset: usize, size: usize) {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let (live, used) = split(state);
            let left = if offset.checked_add(size) == Some(used) { offset } else { used };
            let next = if live <= 1 { 0 } else { join(live.saturating_sub(1), left) };
            match self.change(state, next) {
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
    }

    /// Makes the last piece longer or shorter where it is.
    fn stretch(&self, offset: usize, old: usize, new: usize) -> bool {
        let state = self.state.load(Ordering::Acquire);
        let (live, used) = split(state);
        let Some(next) = offset.checked_add(new).filter(|next| *next <= ROOM) else { return false };
        let done = offset.checked_add(old) == Some(used) && self.change(state, join(live, next)).is_ok();
        if done {
            self.high.fetch_max(next, Ordering::AcqRel);
        }
        done
    }

    fn at(&self, offset: usize) -> *mut u8 {
        // Offsets are below `ROOM`, which fits behind the base.
        with_exposed_provenance_mut(self.base.load(Ordering::Acquire).saturating_add(offset))
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

fn join(live: usize, used: usize) -> usize {
    live << LIVE | used
}

fn split(state: usize) -> (usize, usize) {
    (state >> LIVE, state & ((1 << LIVE) - 1))
}

/// A fresh range that begins with a huge page.
fn map() -> Result<usize> {
    let protection = word(g::PROT_READ | g::PROT_WRITE);
    let flags = word(g::MAP_PRIVATE | g::MAP_ANONYMOUS | g::MAP_NORESERVE);
    // SAFETY: a fresh private mapping touches no memory that exists.
    let first = unsafe { raw(Sysno::mmap, [0, ROOM.saturating_add(HUGE), protection, flags, int(-1), 0]) }?;
    let base = first.next_multiple_of(HUGE);
    let before = base.saturating_sub(first);
    unmap(first, before);
    unmap(base.saturating_add(ROOM), HUGE.saturating_sub(before));
    // SAFETY: the range is the mapping from right above. Where huge pages are off, small ones do.
    unheard(unsafe { raw(Sysno::madvise, [base, ROOM, word(g::MADV_HUGEPAGE), 0, 0, 0]) });
    Ok(base)
}

/// Part of a mapping that nobody has been told of.
fn unmap(at: usize, len: usize) {
    if len > 0 {
        // SAFETY: the callers hand over what they mapped themselves and gave to nobody.
        unheard(unsafe { raw(Sysno::munmap, [at, len, 0, 0, 0, 0]) });
    }
}

// SAFETY: live pieces of the range never overlap: each lies behind all that are handed out (`take`); `used` shrinks only to the start
// of the last piece when that is given back, or to 0 when none is left; the last may change its length in place (`stretch`). The range
// is never unmapped. Everything else is the system's allocator.
unsafe impl GlobalAlloc for &Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some((offset, _)) => self.at(offset),
            // SAFETY: the layout is the caller's, who upholds its rules.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some((offset, is_zero)) = self.take(layout) else {
            // SAFETY: as in `alloc`.
            return unsafe { System.alloc_zeroed(layout) };
        };
        let at = self.at(offset);
        if !is_zero {
            // SAFETY: the piece is fresh and this long.
            unsafe { at.write_bytes(0, layout.size()) };
        }
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match self.offset(at) {
            Some(offset) => self.give_back(offset, layout.size()),
            // SAFETY: what the range does not hold came from the system's allocator, with this layout (the caller).
            None => unsafe { System.dealloc(at, layout) },
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let held = self.offset(at);
        if held.is_some_and(|offset| self.stretch(offset, layout.size(), new_size)) {
            return at;
        }
        let Ok(moved) = Layout::from_size_align(new_size, layout.align()) else { return null_mut() };
        let to = match (self.take(moved), held) {
            (Some((offset, _)), _) => self.at(offset),
            // SAFETY: as in `dealloc`.
            (None, None) => return unsafe { System.realloc(at, layout, new_size) },
            // SAFETY: the layout is valid; its size is not 0 (the caller).
            (None, Some(_)) => unsafe { System.alloc(moved) },
        };
        if !to.is_null() {
            // SAFETY: both pieces are live, hold at least this many bytes, and do not overlap: `to` is fresh.
            unsafe { core::ptr::copy_nonoverlapping(at, to, layout.size().min(new_size)) };
            // SAFETY: the caller's piece, which the moved one replaces.
            unsafe { self.dealloc(at, layout) };
        }
        to
    }
}

#[cfg(test)]
mod tests;
