//! Test hook: a broker that is broken on purpose. Attacks that the broker alone holds must get out of it, or they prove nothing.
//!
//! - `BELLJAR_TEST_BROKER=continue`: calls that were granted go on in the kernel, which reads the jar's memory again.
//! - `BELLJAR_TEST_BROKER=stale`: nobody asks whether a call still waits once its caller was looked at.
//! - `BELLJAR_TEST_BROKER=hasty`: no fault; calls are carried out within seconds, so that a test need not wait for the deadline.

use std::time::Duration;

use super::task::{Served, Task};

const FAULTS: [&str; 3] = ["continue", "stale", "hasty"];
/// Enough for a busy machine to carry out any call that can be.
const HASTE: Duration = Duration::from_secs(5);

/// How long carrying out a call may take, where that is not the usual time.
pub(super) fn acting() -> Option<Duration> {
    is("hasty").then_some(HASTE)
}

/// Whether the fault has answered the call already.
pub(super) fn answers(task: &Task<'_>, served: &Served) -> bool {
    served.is_ok() && is("continue") && task.let_through()
}

/// Whether every call passes for one that still waits.
pub(super) fn forgets_the_dead() -> bool {
    is("stale")
}

#[expect(clippy::panic, reason = "compiled into tests only; a misspelt fault must not let a test pass")]
fn is(fault: &str) -> bool {
    match std::env::var("BELLJAR_TEST_BROKER") {
        Ok(named) if FAULTS.contains(&named.as_str()) => named == fault,
        Ok(named) => panic!("BELLJAR_TEST_BROKER: no fault is called {named:?}"),
        Err(_) => false,
    }
}
