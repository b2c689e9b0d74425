//! The actions, one row each.

use std::time::Duration;

use belljar_policy::Action;

use super::check::{self, Check};

/// Folder in the jar that the helper lies in.
pub const BIN: &str = "/run/belljar/bin";

/// Name of the helper.
pub const HELPER: &str = "belljar-request";

/// Folder in the jar that requests and replies pass through.
pub const CHANNEL: &str = "/run/belljar/channel";

/// FIFO of the requests, in [`CHANNEL`].
pub const REQUESTS: &str = "requests";

/// Table of the replies, in [`CHANNEL`].
pub const REPLIES: &str = "replies";

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
    /// What is typed and written in policies.
    pub(crate) name: &'static str,
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
    Row {
        action: Action::OpenUrl,
        name: "open-url",
        arguments: &[check::url],
        deed: Deed::Run(&[]),
        bytes: 0,
        per_minute: 10,
    },
    Row {
        action: Action::Notify,
        name: "notify",
        arguments: &[check::title, check::body],
        deed: Deed::Run(&["--"]),
        bytes: 0,
        per_minute: 20,
    },
    Row {
        action: Action::SaveAs,
        name: "save-as",
        arguments: &[check::file_name],
        deed: Deed::Store,
        bytes: 1 << 30,
        per_minute: 30,
    },
    Row {
        action: Action::Print,
        name: "print",
        arguments: &[],
        deed: Deed::Feed,
        bytes: 64 << 20,
        per_minute: 5,
    },
];

/// How each is asked for.
pub const ACTIONS: &[&str] = &["open-url URL", "notify TITLE TEXT", "save-as NAME < DATA", "print < DATA"];

/// The word for an action; empty for one that this version does not do.
#[must_use]
pub fn name(action: Action) -> &'static str {
    ROWS.iter().find(|row| row.action == action).map_or("", |row| row.name)
}

/// An action's number in a frame.
pub(crate) fn code(name: &str) -> Option<u8> {
    let at = ROWS.iter().position(|row| row.name == name)?;
    u8::try_from(at).ok()
}

/// The row of a number in a frame.
pub(crate) fn row(code: u8) -> Option<&'static Row> {
    ROWS.get(usize::from(code))
}

/// It takes bytes beside its arguments.
pub(crate) fn takes_bytes(name: &str) -> bool {
    ROWS.iter().any(|row| row.name == name && row.bytes > 0)
}
