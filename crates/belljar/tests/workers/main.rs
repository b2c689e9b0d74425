//! Workers: what they answer, how they end, what they cannot do. The workers are those of the program `worker_acts`.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::exit,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "test program"
)]

#[allow(dead_code, reason = "the program does what these tests only ask for")]
#[path = "../worker_acts/acts.rs"]
mod acts;
mod asks;
mod attacks;
mod cycles;
mod endings;
mod forgeries;
mod hosts;
mod messages;
mod nonsense;
mod pools;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Duration;

use belljar::policy::Policy;
use belljar::worker::{Builder, Entry, Limits, Needs, Worker, WorkerError, Zygote};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Long enough for any call here, on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// The program, which cargo builds with the tests of this crate.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(std::path::Path::parent).unwrap().join("examples").join(name);
    assert!(std::fs::metadata(&built).is_ok(), "build it first: cargo build -p belljar --example {name}");
    built
}

/// Every test here needs a jar with namespaces of its own.
fn able() -> bool {
    support::has_userns()
}

fn builder<Q, A, N>(entry: &'static Entry<Q, A, N>) -> Builder<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    Zygote::builder(&Policy::none(), entry).program(program("worker_acts"))
}

fn zygote<Q, A, N>(entry: &'static Entry<Q, A, N>) -> Zygote<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    builder(entry).start().unwrap()
}

type Acting = Worker<acts::Act, acts::Outcome, acts::Questions>;

fn small() -> Zygote<acts::Act, acts::Outcome, acts::Questions> {
    builder(&acts::ACTS).limits(Limits::memory(64 << 20)).start().unwrap()
}

fn text(worker: &mut Acting, act: acts::Act) -> String {
    match worker.call(&act, LONG).unwrap() {
        acts::Outcome::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn number(worker: &mut Acting, act: acts::Act) -> u64 {
    match worker.call(&act, LONG).unwrap() {
        acts::Outcome::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

fn bytes(worker: &mut Acting, act: acts::Act) -> Vec<u8> {
    match worker.call(&act, LONG).unwrap() {
        acts::Outcome::Bytes(bytes) => bytes.0,
        other => panic!("{other:?}"),
    }
}

/// A worker that failed is gone, and says so.
fn gone(worker: &mut Acting) {
    let again = worker.call(&acts::Act::Pid, LONG);
    assert!(matches!(again, Err(WorkerError::Gone)), "{again:?}");
}
