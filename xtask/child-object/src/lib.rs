//! The code that runs between clone and exec, and what it would need if it could panic.
//!
//! `cargo xtask symbols` links this into one object and lists its undefined symbols: none means no libc, no
//! allocator, no lock, and no path that can panic.
#![no_std]

use belljar_sys::spawn::{Blocked, Sequence, spawn};

unsafe extern "C" {
    /// Defined nowhere: appears among the undefined symbols as soon as any path can panic.
    fn belljar_child_may_panic() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never linked into a program; there is nothing to call.
    unsafe { belljar_child_may_panic() }
}

/// The way in; everything reachable from here is what a child may execute.
// SAFETY: no other object of the link has this name.
#[unsafe(no_mangle)]
pub fn belljar_child_entry(sequence: &Sequence<'_>, status: i32) -> bool {
    Blocked::all().is_ok_and(|blocked| spawn(&blocked, sequence, status).is_ok())
}
