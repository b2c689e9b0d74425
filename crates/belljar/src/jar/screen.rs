//! The caller's terminal, which the jar gets one of its own in place of.

use std::os::fd::{BorrowedFd, OwnedFd};

use belljar_sys::abi::{TerminalSettings, TerminalSize};
use belljar_sys::owned;

use crate::error::StartError;
use crate::plan::{Plan, Step};
use crate::spawn::supervisor;
use crate::supervise::{self, Relay};

/// Where the jar cannot make its own terminal the supervisor makes one.
pub(super) fn host_terminal(plan: &Plan, terminals: u8) -> Result<Option<(OwnedFd, OwnedFd)>, StartError> {
    if terminals == 0 || plan.init.contains(&Step::OpenTerminal) {
        return Ok(None);
    }
    supervise::host_pair().map(Some).map_err(|source| supervisor("making a terminal", source))
}

/// A standard descriptor that is the caller's terminal: the one that is written to first.
fn screen(terminals: u8) -> i32 {
    [1, 2, 0].into_iter().find(|fd| terminals & (1 << fd) != 0).unwrap_or(1)
}

/// What the jar's terminal starts with.
pub(super) fn screen_look(terminals: u8) -> (TerminalSize, Option<TerminalSettings>) {
    let look = |fd: BorrowedFd<'_>| owned::terminal_look(fd);
    match terminals {
        0 => (TerminalSize::default(), None),
        _ => owned::with_inherited(screen(terminals), look).unwrap_or_default(),
    }
}

/// Passes on between the two, where the jar has one.
pub(super) fn relay(master: Option<OwnedFd>, terminals: u8) -> Result<Option<Relay>, StartError> {
    let Some(master) = master else { return Ok(None) };
    let copy = |fd| owned::duplicate(fd);
    let open = || {
        let failed = |errno: belljar_sys::Errno| std::io::Error::from_raw_os_error(errno.0);
        let keys = (terminals & 1 != 0).then(|| copy(0)).transpose().map_err(failed)?;
        Relay::new(master, copy(screen(terminals)).map_err(failed)?, keys)
    };
    open().map(Some).map_err(|source| supervisor("relaying the terminal", source))
}
