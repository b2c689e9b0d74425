//! One question at a time on a terminal, whoever asks: a key means the question that is shown.
//!
//! Whoever asks holds a lock on the terminal's own node, which no jar has. Others wait with their question, and leave the
//! keys alone meanwhile.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::termios::tcgetsid;

use crate::broker::terminal;

/// The right to ask on one terminal.
#[derive(Debug)]
pub(super) struct Turn {
    node: OwnedFd,
    is_held: bool,
}

impl Turn {
    /// Of the controlling terminal. Where its node may not be opened (after `su`), all such terminals take turns.
    pub(super) fn of(tty: impl AsFd) -> rustix::io::Result<Self> {
        let node = node().map_or_else(|| rustix::io::fcntl_dupfd_cloexec(tty, 3), Ok)?;
        Ok(Self { node, is_held: false })
    }

    /// Whether it is ours now.
    pub(super) fn take(&mut self) -> bool {
        self.is_held |= flock(&self.node, FlockOperation::NonBlockingLockExclusive).is_ok();
        self.is_held
    }

    /// Others may ask.
    pub(super) fn give_back(&mut self) {
        if std::mem::take(&mut self.is_held) {
            self.let_go();
        }
    }

    /// Somebody else asks.
    pub(super) fn is_taken(&self) -> bool {
        if self.is_held {
            return false;
        }
        let is_free = flock(&self.node, FlockOperation::NonBlockingLockShared).is_ok();
        if is_free {
            self.let_go();
        }
        !is_free
    }

    fn let_go(&self) {
        if let Err(error) = flock(&self.node, FlockOperation::Unlock) {
            tracing::warn!(%error, "the terminal stays locked");
        }
    }
}

/// The node of the controlling terminal, opened by itself: a lock belongs to what was opened, which other programs of the
/// terminal share with a standard descriptor.
fn node() -> Option<OwnedFd> {
    let standard = (0..=2).map(|fd| PathBuf::from(format!("/proc/self/fd/{fd}")));
    let number = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| terminal(&stat));
    let named = number.map(|number| PathBuf::from(format!("/dev/pts/{number}")));
    let how = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = |path: PathBuf| open(path, how, Mode::empty()).ok();
    // Only of the controlling terminal may a process ask this.
    standard.chain(named).filter_map(opened).find(|node| tcgetsid(node).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_has_the_turn() {
        let (_master, tty) = crate::supervise::host_pair().unwrap();
        let turn = || {
            let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&tty));
            let node = open(path, OFlags::RDONLY | OFlags::NOCTTY, Mode::empty()).unwrap();
            Turn { node, is_held: false }
        };
        let (mut one, mut other) = (turn(), turn());
        assert!(!one.is_taken() && !other.is_taken());
        assert!(one.take() && one.take() && !one.is_taken());
        assert!(other.is_taken() && !other.take());
        other.give_back();
        assert!(other.is_taken(), "what was never had cannot be given back");
        one.give_back();
        assert!(other.take() && one.is_taken());
        drop(other);
        assert!(one.take(), "an end gives it back");
    }
}
