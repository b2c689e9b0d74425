//! Standard descriptors are shared with the jar as they are, and with whoever of the caller's uses them next: how they are
//! waited for and written to, and who gets their signals, is a matter of the open file, and comes back.

use std::os::fd::BorrowedFd;

use belljar_sys::abi::SignalOwner;
use belljar_sys::owned;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::descriptors::{Look, standard};

/// How the inherited ones were before a jar had them.
#[derive(Debug, Default)]
pub(super) struct Lent([Option<State>; 3]);

/// What any holder of an open file can change.
#[derive(Clone, Copy, Debug)]
struct State {
    flags: OFlags,
    owner: Option<SignalOwner>,
}

impl Lent {
    pub(super) fn look(look: Look) -> Self {
        let mut bit = 1;
        Self(standard().map(|fd| {
            let is_lent = look.lent & bit != 0;
            bit <<= 1;
            is_lent.then(|| State::of(fd)).flatten()
        }))
    }

    pub(super) fn give_back(&self) {
        for (before, fd) in self.0.iter().zip(standard()) {
            before.iter().for_each(|before| before.restore(fd));
        }
    }
}

impl State {
    fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        Some(Self { flags: fcntl_getfl(fd).ok()?, owner: owned::signal_owner(fd).ok() })
    }

    /// The owner first: no signal goes to one of the jar's choice.
    fn restore(&self, fd: BorrowedFd<'_>) {
        let owner = self.owner.filter(|before| owned::signal_owner(fd).is_ok_and(|now| now != *before));
        if let Some(before) = owner {
            let done = owned::set_signal_owner(fd, before);
            tracing::debug!(?done, "a standard descriptor has its owner again");
        }
        if fcntl_getfl(fd).is_ok_and(|now| now != self.flags) {
            let done = fcntl_setfl(fd, self.flags);
            tracing::debug!(?done, "a standard descriptor is as it was");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn flags_and_owner_come_back() {
        let (read, _write) = rustix::pipe::pipe().unwrap();
        let own = SignalOwner { kind: 1, id: std::process::id().cast_signed() };
        let owner = || owned::signal_owner(read.as_fd()).unwrap();
        owned::set_signal_owner(read.as_fd(), own).unwrap();
        let before = State::of(read.as_fd()).unwrap();
        owned::set_signal_owner(read.as_fd(), SignalOwner { kind: 1, id: 0 }).unwrap();
        fcntl_setfl(&read, before.flags | OFlags::NONBLOCK).unwrap();
        assert_ne!(owner(), own);
        before.restore(read.as_fd());
        assert_eq!((owner(), fcntl_getfl(&read)), (own, Ok(before.flags)));
    }
}
