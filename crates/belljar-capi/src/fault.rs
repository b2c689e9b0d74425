//! What went wrong, kept for the thread that it went wrong in.

use std::cell::RefCell;
use std::error::Error;
use std::ffi::{CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use belljar::ConfineError;
use belljar::error::StartError;
use belljar::policy::PolicyError;

/// Why a function failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An argument is NULL.
    Null(&'static str),
    /// A text is not UTF-8.
    NotUtf8(&'static str),
    /// A number is no open descriptor.
    NotOpen(c_int),
    /// A number is none of those that the header names.
    NoSuch(&'static str),
    /// The child gave this stream away, or never had it.
    NoStream,
    /// A policy is wrong.
    Policy(PolicyError),
    /// A jar did not start, or could not be attended.
    Start(StartError),
    /// The process could not be confined.
    Confine(ConfineError),
    /// A bug of the library.
    Panic,
}

impl From<PolicyError> for Fault {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<StartError> for Fault {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<ConfineError> for Fault {
    fn from(error: ConfineError) -> Self {
        Self::Confine(error)
    }
}

impl Fault {
    fn text(&self) -> String {
        match self {
            Self::Null(what) => format!("{what} is NULL"),
            Self::NotUtf8(what) => format!("{what} is not UTF-8"),
            Self::NotOpen(fd) => format!("descriptor {fd} is not open"),
            Self::NoSuch(what) => format!("no such {what}"),
            Self::NoStream => "the child does not have this pipe".to_owned(),
            Self::Policy(error) => error.render(),
            Self::Start(error) => chain(error),
            Self::Confine(error) => chain(error),
            Self::Panic => "the library has failed".to_owned(),
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::Null(_) => "look at what the function before returned".to_owned(),
            Self::NotUtf8(_) => {
                "name the file by a UTF-8 name, or put what it holds into the policy".to_owned()
            }
            Self::NotOpen(_) => "pass a descriptor that is open".to_owned(),
            Self::NoSuch(_) => "take a value of belljar.h".to_owned(),
            Self::NoStream => "ask for it with BELLJAR_STDIO_PIPED, and take it once".to_owned(),
            Self::Policy(error) => error.remedy().unwrap_or_default().to_owned(),
            Self::Start(error) => error.hint(&belljar::probe::probe()),
            Self::Confine(error) => error.hint(),
            Self::Panic => "this is a bug: please report it".to_owned(),
        }
    }
}

/// An error and what it came from.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

#[derive(Default)]
struct Last {
    text: Option<CString>,
    remedy: Option<CString>,
}

thread_local! {
    static LAST: RefCell<Last> = RefCell::default();
}

/// Runs the body of a function of the header. What fails, or panics, is kept for [`belljar_last_error`], and `failed` is the answer.
pub(crate) fn guard<T>(failed: T, body: impl FnOnce() -> Result<T, Fault>) -> T {
    // What a panic leaves half done is a handle, which C can only free.
    let done = catch_unwind(AssertUnwindSafe(body)).unwrap_or(Err(Fault::Panic));
    done.unwrap_or_else(|fault| {
        keep(&fault);
        failed
    })
}

fn keep(fault: &Fault) {
    let last = Last { text: Some(c_text(&fault.text())), remedy: Some(c_text(&fault.remedy())) };
    LAST.with(|kept| kept.replace(last));
}

/// The same for functions that only succeed or fail: 0 or -1.
pub(crate) fn done(body: impl FnOnce() -> Result<(), Fault>) -> c_int {
    guard(-1, || body().map(|()| 0))
}

/// A text for C, which ends where it holds a NUL.
pub(crate) fn c_text(text: &str) -> CString {
    let whole = text.split('\0').next().unwrap_or_default();
    CString::new(whole).unwrap_or_default()
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

/// What went wrong in the last function that failed in this thread, in words; NULL when none has. It stays until the next one
/// fails in this thread.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_last_error() -> *const c_char {
    LAST.with(|last| pointer(last.borrow().text.as_ref()))
}

/// What to do about it; empty when nothing is known, NULL when nothing has failed. It stays as long as belljar_last_error's.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_last_remedy() -> *const c_char {
    LAST.with(|last| pointer(last.borrow().remedy.as_ref()))
}

/// The library's version, such as "0.1.0". It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn belljar_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_panic_is_an_error_of_its_thread() {
        std::panic::set_hook(Box::new(|_| {}));
        assert!(belljar_last_error().is_null() && belljar_last_remedy().is_null());
        assert_eq!(guard(7, || -> Result<i32, Fault> { panic!("a bug") }), 7);
        // SAFETY: the text was just made by this thread, which fails in nothing else meanwhile.
        let text = unsafe { CStr::from_ptr(belljar_last_error()) };
        assert_eq!(text.to_str(), Ok("the library has failed"));
        assert!(std::thread::spawn(|| belljar_last_error().is_null()).join().unwrap());
        assert_eq!(done(|| Ok(())), 0);
    }
}
