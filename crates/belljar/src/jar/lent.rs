//! Standard descriptors are shared with the jar as they are, and with whoever of the caller's uses them next: how they are
//! waited for and written to is a matter of the open file, and comes back.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::descriptors::{Look, standard};

/// How the inherited ones were before a jar had them.
#[derive(Debug, Default)]
pub(super) struct Lent([Option<OFlags>; 3]);

impl Lent {
    pub(super) fn look(look: Look) -> Self {
        let mut bit = 1;
        Self(standard().map(|fd| {
            let is_lent = look.lent & bit != 0;
            bit <<= 1;
            is_lent.then(|| fcntl_getfl(fd).ok()).flatten()
        }))
    }

    pub(super) fn give_back(&self) {
        for (before, fd) in self.0.iter().zip(standard()) {
            let changed = before.filter(|before| fcntl_getfl(fd).is_ok_and(|now| now != *before));
            if let Some(before) = changed {
                let done = fcntl_setfl(fd, before);
                tracing::debug!(?done, "a standard descriptor is as it was");
            }
        }
    }
}
