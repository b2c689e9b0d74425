//! Test hook: a broker that is broken on purpose. Attacks that the broker alone holds must get out of it, or they prove nothing.
//!
//! - `BELLJAR_TEST_BROKER=continue`: calls that were granted go on in the kernel, which reads the jar's memory again.
//! - `BELLJAR_TEST_BROKER=stale`: nobody asks whether a call still waits once its caller was looked at.

use super::task::{Served, Task};

const FAULTS: [&str; 2] = ["continue", "stale"];

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
