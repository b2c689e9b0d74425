//! What ops borrow from.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use belljar_sys::Fd;
use belljar_sys::abi::SockFilter;
use belljar_sys::call::Ticket;
use belljar_sys::child::Serve;

use super::Arena;
use crate::error::StartError;

/// Storage that ops borrow from. Kept by the caller of [`prepare`](super::prepare).
#[derive(Debug, Default)]
pub(crate) struct Storage {
    pub(crate) strings: Arena,
    pub(crate) filter: Vec<SockFilter>,
    /// What starts the program, where it has made promises.
    pub(crate) ticket: Option<Ticket>,
    /// Hands calls over to the broker.
    pub(crate) handed: Vec<SockFilter>,
    pub(crate) kept: Vec<Fd>,
    /// Sockets that the supervisor serves.
    pub(crate) served: Vec<Serve>,
    /// It serves the same without such sockets.
    pub(crate) relayed: bool,
}

impl Storage {
    pub(crate) fn text(&self, what: &'static str, bytes: &[u8]) -> Result<&CStr, StartError> {
        let text = CString::new(bytes).map_err(|_| StartError::ZeroByte { what })?;
        self.strings.keep(text).ok_or(StartError::TooMany("too many paths".to_owned()))
    }

    pub(super) fn path(&self, path: &Path) -> Result<&CStr, StartError> {
        self.text("a path", path.as_os_str().as_bytes())
    }

    /// A path of the jar, relative to the root that is being built.
    pub(super) fn below(&self, path: &Path) -> Result<&CStr, StartError> {
        let below = path.strip_prefix("/").unwrap_or(path);
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        self.path(below)
    }
}
