//! Allocators for programs whose page faults cost more than what they allocate for: [`Prefilled`] for a short-lived supervisor, one
//! block that the kernel fills in advance, handed out in order; [`Arena`] for large pieces of short-lived work.
//!
//! A page fault costs more than everything else that an allocation does, and a start of a jar touches a hundred fresh
//! pages when each size class has pages of its own. Memory of the block is not given back; what does not fit comes from
//! the system's allocator.

mod arena;

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::System;

use linux_raw_sys::general as g;
use syscalls::Sysno;

use crate::call::{int, raw, word};

pub use arena::Arena;

/// Bytes of the block: what a start with a usual policy takes, rounded up.
const BLOCK: usize = 96 * 1024;
/// Larger requests go to the system's allocator: they would use the block up.
const LARGEST: usize = 32 * 1024;
/// Stands for "the block could not be had".
const NONE: usize = 1;

/// The allocator. Use it as the global one of a program.
#[derive(Debug)]
pub struct Prefilled {
    /// First address of the block; 0 = not asked for yet.
    base: AtomicUsize,
    /// Bytes handed out.
    used: AtomicUsize,
}

impl Prefilled {
    /// Takes its block at the first request.
    #[must_use]
    pub const fn new() -> Self {
        Self { base: AtomicUsize::new(0), used: AtomicUsize::new(0) }
    }

    /// The block, mapped by whichever thread comes first. A block that another thread has beaten stays unused.
    fn base(&self) -> usize {
        match self.base.load(Ordering::Acquire) {
            0 => {
                let fresh = map().unwrap_or(NONE);
                match self.base.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => fresh,
                    Err(first) => first,
                }
            }
            base => base,
        }
    }

    /// Room in the block.
    fn take(&self, layout: Layout) -> Option<usize> {
        let base = self.base();
        if base == NONE || layout.size() > LARGEST {
            return None;
        }
        let mut used = self.used.load(Ordering::Acquire);
        loop {
            let start = base.checked_add(used)?.checked_next_multiple_of(layout.align())?;
            let next = start.checked_add(layout.size())?.checked_sub(base)?;
            if next > BLOCK {
                return None;
            }
            match self.used.compare_exchange_weak(used, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(start),
                Err(now) => used = now,
            }
        }
    }

    fn holds(&self, at: *mut u8) -> bool {
        let base = self.base.load(Ordering::Acquire);
        base > NONE && at.addr().checked_sub(base).is_some_and(|offset| offset < BLOCK)
    }

    /// Makes the last piece of the block longer or shorter where it is.
    fn stretch(&self, at: *mut u8, old: usize, new: usize) -> bool {
        let base = self.base.load(Ordering::Acquire);
        let Some(offset) = at.addr().checked_sub(base) else { return false };
        let (Some(end), Some(next)) = (offset.checked_add(old), offset.checked_add(new)) else {
            return false;
        };
        next <= BLOCK && self.used.compare_exchange(end, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Default for Prefilled {
    fn default() -> Self {
        Self::new()
    }
}

fn map() -> Option<usize> {
    let protection = word(g::PROT_READ | g::PROT_WRITE);
    let flags = word(g::MAP_PRIVATE | g::MAP_ANONYMOUS | g::MAP_POPULATE);
    // SAFETY: a fresh private mapping touches no memory that exists.
    unsafe { raw(Sysno::mmap, [0, BLOCK, protection, flags, int(-1), 0]) }.ok()
}

// SAFETY: pieces of the block never overlap: each lies behind all earlier ones (`take`), except that the last may change
// its length in place (`stretch`); the block is never unmapped. Everything else is the system's allocator.
unsafe impl GlobalAlloc for Prefilled {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(start) => core::ptr::with_exposed_provenance_mut(start),
            // SAFETY: the layout is the caller's, who upholds its rules.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if self.holds(at) {
            self.stretch(at, layout.size(), 0);
            return;
        }
        // SAFETY: what the block does not hold came from the system's allocator, with this layout (the caller).
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if !self.holds(at) {
            // SAFETY: as in `dealloc`.
            return unsafe { System.realloc(at, layout, new_size) };
        }
        if self.stretch(at, layout.size(), new_size) {
            return at;
        }
        let Ok(moved) = Layout::from_size_align(new_size, layout.align()) else { return null_mut() };
        // SAFETY: the new layout is valid; its size is not 0 (the caller).
        let to = unsafe { self.alloc(moved) };
        if !to.is_null() {
            // SAFETY: both pieces are live, hold at least this many bytes, and do not overlap: `to` is fresh.
            unsafe { core::ptr::copy_nonoverlapping(at, to, layout.size().min(new_size)) };
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one small story")]
    fn pieces_are_aligned_apart_and_grow_in_place_at_the_end() {
        let heap = Prefilled::new();
        let layout = Layout::from_size_align(24, 8).unwrap();
        // SAFETY: layouts are valid and not empty; each piece is used only while it is live.
        unsafe {
            let (first, second) = (heap.alloc(layout), heap.alloc(layout));
            assert!(second.addr() >= first.addr() + 24 && second.addr() % 8 == 0);
            assert_eq!(heap.realloc(second, layout, 100), second);
            first.write_bytes(7, 24);
            let moved = heap.realloc(first, layout, 64);
            assert!(moved != first && *moved.add(23) == 7);
        }
    }

    #[test]
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one small story")]
    fn what_does_not_fit_comes_from_the_system() {
        let heap = Prefilled::new();
        let layout = Layout::from_size_align(BLOCK, 8).unwrap();
        // SAFETY: the layout is valid; the piece is given back to where it came from.
        unsafe {
            let large = heap.alloc(layout);
            assert!(!large.is_null() && !heap.holds(large));
            heap.dealloc(large, layout);
        }
    }
}
