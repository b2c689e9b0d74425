//! What was typed, as data.

use std::ffi::{OsStr, OsString};

/// One option as it was typed.
#[derive(Debug)]
pub(crate) struct Given {
    /// Name of its row.
    pub(crate) name: &'static str,
    /// Which of its flags was typed; the first where that is not known.
    pub(crate) flag: &'static str,
    /// None for a switch.
    pub(crate) value: Option<OsString>,
}

/// Options and what follows them. A name that was not typed has no entry.
#[derive(Debug, Default)]
pub(crate) struct Words {
    given: Vec<Given>,
    rest: Vec<OsString>,
}

impl Words {
    /// Records an option.
    pub(crate) fn give(&mut self, name: &'static str, flag: &'static str, value: Option<&OsStr>) {
        self.given.push(Given { name, flag, value: value.map(OsStr::to_owned) });
    }

    /// Records what follows the options.
    pub(crate) fn set_rest(&mut self, rest: Vec<OsString>) {
        self.rest = rest;
    }

    /// Everything that was given.
    pub(crate) fn given(&self) -> &[Given] {
        &self.given
    }

    /// It was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|given| given.name == name)
    }

    /// The value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&OsStr> {
        self.given.iter().find(|given| given.name == name)?.value.as_deref()
    }

    /// What follows the options.
    pub(crate) fn rest(&self) -> impl Iterator<Item = &OsStr> {
        self.rest.iter().map(OsString::as_os_str)
    }
}
