//! Standard descriptors are shared with the jar as they are, and with whoever of the caller's uses them next: how they are
//! waited for and written to is a matter of the open file, and comes back.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::isatty;

use super::Stdio;

/// How the inherited ones were before a jar had them.
pub(super) struct Lent([Option<OFlags>; 3]);

impl Lent {
    pub(super) fn look(stdio: &[Stdio; 3]) -> Self {
        let [first, second, third] = stdio;
        let flags = |stdio: &Stdio, fd| match stdio {
            Stdio::Inherit => fcntl_getfl(fd).ok(),
            _ => None,
        };
        let [input, output, error] = standard();
        Self([flags(first, input), flags(second, output), flags(third, error)])
    }

    /// A terminal was never the jar's: who has changed that is somebody else.
    pub(super) fn give_back(&self) {
        for (before, fd) in self.0.iter().zip(standard()) {
            let changed = before.filter(|before| fcntl_getfl(fd).is_ok_and(|now| now != *before));
            if let Some(before) = changed.filter(|_| !isatty(fd)) {
                let done = fcntl_setfl(fd, before);
                tracing::debug!(?done, "a standard descriptor is as it was");
            }
        }
    }
}

fn standard() -> [std::os::fd::BorrowedFd<'static>; 3] {
    [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()]
}
