//! One question at a time on a terminal, whoever asks: a key means the question that is shown.
//!
//! Whoever asks holds a lock on the terminal's own node, which no jar has. Others wait with their question, and leave the
//! keys alone meanwhile; not for ever: who is stopped by a signal that none can hear keeps the lock.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use belljar_sys::owned;
use rustix::fs::{Mode, OFlags, open};
use rustix::termios::tcgetsid;

use crate::broker::terminal;

/// How long others are waited for.
pub(super) const LINE: Duration = Duration::from_secs(600);

/// The right to ask on one terminal.
#[derive(Debug)]
pub(super) struct Turn {
    node: OwnedFd,
    is_held: bool,
    /// Since when others have had it, as far as was looked.
    taken: Option<Instant>,
}

impl Turn {
    /// Of the controlling terminal. Where its node may not be opened (after `su`), all such terminals take turns.
    pub(super) fn of(tty: impl AsFd) -> rustix::io::Result<Self> {
        let node = node().map_or_else(|| rustix::io::fcntl_dupfd_cloexec(tty, 3), Ok)?;
        Ok(Self { node, is_held: false, taken: None })
    }

    /// Whether it is ours now.
    pub(super) fn take(&mut self) -> bool {
        self.is_held = self.is_held || owned::lock(self.node.as_fd()).unwrap_or(false);
        self.is_held
    }

    /// Others may ask.
    pub(super) fn give_back(&mut self) {
        if std::mem::take(&mut self.is_held)
            && let Err(errno) = owned::unlock(self.node.as_fd())
        {
            tracing::warn!(errno = errno.0, "the terminal stays locked");
        }
    }

    /// Looks whether somebody else asks.
    pub(super) fn look(&mut self) {
        let is_taken = !self.is_held && owned::is_locked(self.node.as_fd()).unwrap_or(true);
        self.taken = self.taken.filter(|_| is_taken).or_else(|| is_taken.then(Instant::now));
    }

    /// Somebody else asked at the last look, and is waited for.
    pub(super) fn is_taken(&self) -> bool {
        self.taken.is_some() && !self.is_forsaken()
    }

    /// Somebody else has had it for so long that nobody waits any more.
    pub(super) fn is_forsaken(&self) -> bool {
        self.taken.is_some_and(|taken| taken.elapsed() >= LINE)
    }

    /// Of an opened node.
    #[cfg(test)]
    pub(super) fn of_node(node: OwnedFd) -> Self {
        Self { node, is_held: false, taken: None }
    }

    /// The same as if others had had it for all that time.
    #[cfg(test)]
    pub(super) fn forsake(&mut self) {
        self.taken = Instant::now().checked_sub(LINE);
    }
}

/// The node of the controlling terminal, opened by itself: a lock belongs to what was opened, which other programs of the
/// terminal share with a standard descriptor.
fn node() -> Option<OwnedFd> {
    let standard = (0..=2).map(|fd| PathBuf::from(format!("/proc/self/fd/{fd}")));
    let number = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| terminal(&stat));
    let named = number.map(|number| PathBuf::from(format!("/dev/pts/{number}")));
    let how = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = |path: PathBuf| open(path, how, Mode::empty()).ok();
    // Only of the controlling terminal may a process ask this.
    standard.chain(named).filter_map(opened).find(|node| tcgetsid(node).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One more opening of a terminal.
    fn turn(tty: &OwnedFd) -> Turn {
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(tty));
        let node = open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        Turn::of_node(node)
    }

    #[test]
    fn one_of_two_has_the_turn() {
        let (_master, tty) = crate::supervise::host_pair().unwrap();
        let is_taken = |turn: &mut Turn| {
            turn.look();
            turn.is_taken()
        };
        let (mut one, mut other) = (turn(&tty), turn(&tty));
        assert!(!is_taken(&mut one) && !is_taken(&mut other));
        assert!(one.take() && one.take() && !is_taken(&mut one));
        assert!(is_taken(&mut other) && !other.take());
        other.give_back();
        assert!(is_taken(&mut other), "what was never had cannot be given back");
        one.give_back();
        assert!(other.take() && is_taken(&mut one));
        drop(other);
        assert!(one.take(), "an end gives it back");
    }

    #[test]
    fn a_turn_that_never_ends_is_not_waited_for() {
        let (_master, tty) = crate::supervise::host_pair().unwrap();
        let (mut stopped, mut waits) = (turn(&tty), turn(&tty));
        assert!(stopped.take());
        waits.look();
        assert!(waits.is_taken() && !waits.is_forsaken());
        waits.forsake();
        waits.look();
        assert!(!waits.is_taken() && waits.is_forsaken(), "a look does not begin it anew");
        stopped.give_back();
        waits.look();
        assert!(!waits.is_forsaken() && waits.take());
    }
}
