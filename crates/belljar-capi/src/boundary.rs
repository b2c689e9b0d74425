//! Where C's pointers and numbers become Rust's types.

use std::ffi::{CStr, c_char};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use crate::fault::Fault;

/// A text that C passes; null or other bytes than UTF-8 are errors. `what` names the argument.
///
/// # Safety
/// `text` is null or points to a NUL-terminated text that nobody changes or frees during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, what: &'static str) -> Result<&'a str, Fault> {
    if text.is_null() {
        return Err(Fault::Null(what));
    }
    // SAFETY: it is not null; that it ends and lives is the caller's promise, which the header asks of C.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| Fault::NotUtf8(what))
}

/// A copy, close-on-exec, of a descriptor that C keeps. A number that is none is an error.
///
/// # Safety
/// Nobody closes the descriptor during the call.
pub(crate) unsafe fn copy(fd: RawFd) -> Result<OwnedFd, Fault> {
    if fd < 0 {
        return Err(Fault::NotOpen(fd));
    }
    // SAFETY: it is not -1. If it is not open, copying it fails with EBADF and nothing else is done with it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.try_clone_to_owned().map_err(|_| Fault::NotOpen(fd))
}
