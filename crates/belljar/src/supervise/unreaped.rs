//! Jars that have said their last word. The kernel takes longer to take a jar apart than anybody has to wait: nothing of it runs
//! any more. Each init is reaped when the library is next called, never by the caller's own waiting, which cannot find it.

use std::sync::{Arc, Mutex, PoisonError};

use belljar_sys::owned;

use crate::spawn::Started;

static UNREAPED: Mutex<Vec<Arc<Started>>> = Mutex::new(Vec::new());

/// Leaves the init of a jar to be reaped.
pub(crate) fn leave(started: &Arc<Started>) {
    if !is_over(started) {
        with(|unreaped| unreaped.push(Arc::clone(started)));
    }
}

/// Reaps those that have ended by now.
pub(crate) fn sweep() {
    with(|unreaped| unreaped.retain(|started| !is_over(started)));
}

fn with(then: impl FnOnce(&mut Vec<Arc<Started>>)) {
    then(&mut UNREAPED.lock().unwrap_or_else(PoisonError::into_inner));
}

/// An error means that somebody else has reaped it.
fn is_over(started: &Started) -> bool {
    owned::has_ended(&started.child.pidfd).unwrap_or(true)
}
