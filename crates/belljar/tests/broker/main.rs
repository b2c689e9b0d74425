//! The transparent broker: what a program does by name is answered by the supervisor, with the verdicts of the kernel. Each
//! script also runs without it, and outside of any jar.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

#[path = "../support/mod.rs"]
mod support;

mod alike;
mod dead;
mod fenced;
mod hostile;
mod hosts;
mod neither;
mod opening;
mod spy;
mod stalls;

use belljar::HostFacts;
use support::has;

/// The kernel hands calls over, and namespaces give the jar a root of its own.
fn has_broker() -> bool {
    let facts: HostFacts = belljar::probe::probe();
    has("notify", facts.seccomp_notify && facts.kernel >= (5, 19)) && support::has_userns()
}
