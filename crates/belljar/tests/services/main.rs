//! Services as processes: what they answer, to whom, and what neither clients nor a service that was taken over can do. The services are
//! those of the program `service_acts`.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

#[path = "../service_acts/acts.rs"]
mod acts;
mod answers;
mod attacks;
mod clients;
mod hosts;
mod replies;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;

use belljar::service::{Only, Users};

/// A program that cargo builds with the tests of this crate.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(std::path::Path::parent).unwrap().join("examples").join(name);
    assert!(std::fs::metadata(&built).is_ok(), "build it first: cargo build -p belljar --example {name}");
    built
}

fn program() -> PathBuf {
    example("service_acts")
}

/// Every test here needs a jar with namespaces of its own.
fn able() -> bool {
    support::has_userns()
}

fn users(limit: Only) -> Users {
    Users::builder(limit).program(program()).start().unwrap()
}
