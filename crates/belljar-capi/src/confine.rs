//! A process that confines itself.

use std::ffi::{c_char, c_int};

use crate::boundary::text;
use crate::fault::{Fault, done};
use crate::policy::Policy;

/// Puts the calling process, and whatever it starts, under a policy. It must have one thread and must not be root. After a failure
/// the process may be confined by half and should end. 0, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_confine(policy: Option<&Policy>) -> c_int {
    done(|| Ok(belljar::confine(&policy.ok_or(Fault::Null("policy"))?.0)?))
}

/// Promises that this process, all its threads, and whatever it starts do no more than these words say: OpenBSD's pledge, see
/// docs/promises.md. Any other system call ends the process by SIGSYS. Later calls can only promise less. 0, or -1 on failure.
///
/// # Safety
/// `promises` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_pledge(promises: *const c_char) -> c_int {
    // SAFETY: as this function's.
    done(|| Ok(belljar::pledge(unsafe { text(promises, "promises") }?)?))
}

/// Keeps a path visible: r reads and lists, w writes, x executes, c creates and removes, below it too. Nothing is hidden before
/// belljar_unveil_lock, or a belljar_pledge without the word unveil. 0, or -1 on failure.
///
/// # Safety
/// `path` and `permissions` are NULL or NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn belljar_unveil(path: *const c_char, permissions: *const c_char) -> c_int {
    done(|| {
        // SAFETY: as this function's.
        let path = unsafe { text(path, "path") }?;
        // SAFETY: as this function's.
        Ok(belljar::unveil(path, unsafe { text(permissions, "permissions") }?)?)
    })
}

/// Hides every path that is not unveiled, for good. 0, or -1 on failure.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_unveil_lock() -> c_int {
    done(|| Ok(belljar::lock_unveil()?))
}
