//! The actions, one row each.

use std::time::Duration;

use belljar_policy::Action;

use super::check::{self, Check};

/// How long a transfer may pause.
pub(crate) const PAUSE: Duration = Duration::from_secs(20);

/// What is done with a checked request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The policy's program gets the checked words as its last arguments, after these.
    Run(&'static [&'static str]),
    /// It gets the sent bytes as its standard input.
    Feed,
    /// The sent bytes become a new file in the policy's folder.
    Store,
}

/// One action.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) action: Action,
    /// A check for each argument.
    pub(crate) arguments: &'static [Check],
    pub(crate) deed: Deed,
    /// Most bytes that may be sent; 0 = none are taken.
    pub(crate) bytes: u64,
    /// Uses in a minute.
    pub(crate) per_minute: usize,
}

/// Every action. `--` stands before words that may begin with a dash; an address never does, and `xdg-open` knows no `--`.
pub(crate) const ROWS: &[Row] = &[
    Row { action: Action::OpenUrl, arguments: &[check::url], deed: Deed::Run(&[]), bytes: 0, per_minute: 10 },
    Row {
        action: Action::Notify,
        arguments: &[check::title, check::body],
        deed: Deed::Run(&["--"]),
        bytes: 0,
        per_minute: 20,
    },
    Row {
        action: Action::SaveAs,
        arguments: &[check::file_name],
        deed: Deed::Store,
        bytes: 1 << 30,
        per_minute: 30,
    },
    Row { action: Action::Print, arguments: &[], deed: Deed::Feed, bytes: 64 << 20, per_minute: 5 },
];

/// How each is asked for.
pub const ACTIONS: &[&str] = &["open-url URL", "notify TITLE TEXT", "save-as NAME < DATA", "print < DATA"];

impl Row {
    /// What is typed and written in policies.
    pub(crate) fn name(&self) -> &'static str {
        self.action.name()
    }
}

/// An action's number in a frame.
pub(crate) fn code(name: &str) -> Option<u8> {
    let at = ROWS.iter().position(|row| row.name() == name)?;
    u8::try_from(at).ok()
}

/// The row of a number in a frame.
pub(crate) fn row(code: u8) -> Option<&'static Row> {
    ROWS.get(usize::from(code))
}

/// It takes bytes beside its arguments.
pub(crate) fn takes_bytes(name: &str) -> bool {
    ROWS.iter().any(|row| row.name() == name && row.bytes > 0)
}
