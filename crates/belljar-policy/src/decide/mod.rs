//! Answers of the policy alone: may this path, host, variable or system call be had, by which rule, and which flag would allow it.

mod files;
mod hosts;
mod names;

pub(crate) use files::{Grant, grant_at};
pub use files::{fs_decision, fs_flag, may_write};
pub(crate) use hosts::within;
pub use hosts::{any_port, net_decision, net_target, special_address, special_name, target_decision};
pub(crate) use names::passes;
pub use names::{env_decision, syscall_decision};

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;

use crate::model::{Access, Origin};

/// What the policy says about one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// What was asked about, printable.
    pub object: String,
    /// Whether the policy grants it.
    pub allowed: bool,
    /// For paths: what may be done.
    pub access: Option<Access>,
    /// The deciding rule as a document would write it, printable.
    pub rule: String,
    /// Who wrote that rule.
    pub origin: Origin,
    /// The flag that would allow it; none when it is allowed or no flag can.
    pub flag: Option<String>,
    /// What else a reader should know.
    pub note: Option<String>,
}

impl Decision {
    fn new(object: String, allowed: bool, rule: impl Into<String>, origin: &Origin) -> Self {
        Self {
            object,
            allowed,
            access: None,
            rule: rule.into(),
            origin: origin.clone(),
            flag: None,
            note: None,
        }
    }

    fn flag(self, flag: impl FnOnce() -> String) -> Self {
        self.some_flag(|| Some(flag()))
    }

    fn some_flag(mut self, flag: impl FnOnce() -> Option<String>) -> Self {
        self.flag = if self.allowed { None } else { flag() };
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "allowed" } else { "denied" };
        write!(out, "{}: {verdict}", self.object)?;
        if let Some(access) = self.access.filter(|_| self.allowed) {
            write!(out, " ({})", crate::words::word(crate::words::ACCESS, &access))?;
        }
        write!(out, "\n  rule: {}  ({})", self.rule, self.origin)?;
        for (label, text) in [("to allow", &self.flag), ("note", &self.note)] {
            if let Some(text) = text {
                write!(out, "\n  {label}: {text}")?;
            }
        }
        Ok(())
    }
}

/// What a word on the command line of `belljar why` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// A path.
    Path,
    /// `HOST:PORT`, a dotted name or an address.
    Host,
    /// An environment variable.
    Variable,
    /// A system call.
    Syscall,
}

/// Tells the kinds apart by shape: paths start with `/`, `.` or `~` or hold a slash, hosts have a dot or colon, variables a
/// capital.
///
/// ```
/// use belljar_policy::{Asked, asked};
/// assert_eq!(asked("example.org:443".as_ref()), Asked::Host);
/// assert_eq!(asked("ptrace".as_ref()), Asked::Syscall);
/// ```
#[must_use]
pub fn asked(object: &OsStr) -> Asked {
    let bytes = object.as_bytes();
    let has = |wanted: fn(&u8) -> bool| bytes.iter().any(wanted);
    match bytes.first() {
        Some(b'/' | b'.' | b'~') => Asked::Path,
        _ if has(|byte| *byte == b'/') => Asked::Path,
        _ if has(|byte| matches!(byte, b'.' | b':')) => Asked::Host,
        _ if has(u8::is_ascii_uppercase) => Asked::Variable,
        _ => Asked::Syscall,
    }
}
