//! Test hook: a broker that is broken on purpose. Attacks that the broker alone holds must get out of it, or they prove nothing.
//!
//! `BELLJAR_TEST_BROKER=continue`: calls that were granted go on in the kernel, which reads the jar's memory again.

use super::task::{Served, Task};

/// Whether the fault has answered the call already.
pub(super) fn answers(task: &Task<'_>, served: &Served) -> bool {
    served.is_ok() && is("continue") && task.let_through()
}

#[expect(clippy::panic, reason = "compiled into tests only; a misspelt fault must not let a test pass")]
fn is(fault: &str) -> bool {
    match std::env::var("BELLJAR_TEST_BROKER") {
        Ok(named) if named == fault => true,
        Ok(named) => panic!("BELLJAR_TEST_BROKER: no fault is called {named:?}"),
        Err(_) => false,
    }
}
