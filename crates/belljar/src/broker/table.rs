//! Every call that the broker can answer: where its arguments are, who decides about it otherwise, and what serves it.

use super::open;
use super::task::{Served, Task};

/// Who decides about a call on a host without namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Landlock does: the broker sees the call only with `--trace`.
    Landlock,
    /// Landlock does not see it: the broker decides there.
    Broker,
}

/// One call.
pub(crate) struct Row {
    pub(crate) call: &'static str,
    /// Position of the descriptor that a relative path starts at; none = the current folder.
    pub(crate) dir: Option<u8>,
    /// Position of the path.
    pub(crate) path: u8,
    pub(crate) guard: Guard,
    pub(crate) serve: fn(&Task<'_>) -> Served,
    /// Why it is here, in a few words.
    pub(crate) why: &'static str,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.call, self.why)
    }
}

const fn row(
    call: &'static str,
    dir: Option<u8>,
    path: u8,
    guard: Guard,
    serve: fn(&Task<'_>) -> Served,
    why: &'static str,
) -> Row {
    Row { call, dir, path, guard, serve, why }
}

use Guard::Landlock;

/// The calls. One function serves all spellings of a request: what differs is where the arguments are.
pub(crate) const TABLE: &[Row] = &[
    row("open", None, 0, Landlock, open::open, "opens or makes a file"),
    row("openat", Some(0), 1, Landlock, open::open, "opens or makes a file"),
    row("openat2", Some(0), 1, Landlock, open::openat2, "opens or makes a file; its flags lie in memory"),
    row("creat", None, 0, Landlock, open::creat, "opens or makes a file for writing"),
];
