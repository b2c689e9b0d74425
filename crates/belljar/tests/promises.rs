//! Promises and unveiled paths that a process takes upon itself. Each verb runs in a process of its own, `promise_acts`, and
//! what became of it is judged from outside.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "test program"
)]

#[allow(dead_code, reason = "the program does what these tests only read")]
#[path = "promise_acts/verbs.rs"]
mod verbs;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use verbs::{VERBS, Verb};

const SIGSYS: i32 = 31;
const ENOSYS: i32 = 38;

/// The program, which cargo builds with the tests of this crate.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(std::path::Path::parent).unwrap().join("examples/promise_acts");
    assert!(fs::metadata(&built).is_ok(), "build it first: cargo build -p belljar --example promise_acts");
    built
}

/// One verb or story under one set of promises.
fn child(name: &str, promises: &str) -> Output {
    let at = tempfile::tempdir().unwrap();
    fs::write(at.path().join("file"), "text").unwrap();
    Command::new(program()).args([name, promises]).arg(at.path()).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_promise_allows_what_the_same_set_without_it_ends_for() {
    for Verb { name, with, without, told: word, .. } in VERBS {
        let allowed = child(name, with);
        assert_eq!(allowed.status.code(), Some(0), "{name} under {with}: {}", told(&allowed));
        let refused = child(name, without);
        assert_eq!(refused.status.signal(), Some(SIGSYS), "{name} under {without}: {}", told(&refused));
        let line = told(&refused);
        let expected = format!("refused: not promised: {word}\n");
        assert!(
            word.is_empty() || (line.starts_with("belljar: ") && line.ends_with(&expected)),
            "{name}: {line:?}"
        );
    }
    let tried = |promise: &str| VERBS.iter().any(|verb| verb.with.split(' ').any(|word| word == promise));
    let untried: Vec<&str> =
        belljar::bpf::promises().map(belljar::bpf::Promise::name).filter(|name| !tried(name)).collect();
    assert_eq!(untried, ["error"], "no verb shows what these allow");
}

#[test]
fn the_error_promise_answers_instead() {
    for Verb { name, without, told, .. } in VERBS.iter().filter(|verb| !verb.told.is_empty()) {
        let done = child(name, &format!("{without} error"));
        assert_eq!(done.status.code(), Some(100 + ENOSYS), "{name} ({told}): {done:?}");
    }
}

#[test]
fn stories_hold_in_processes_of_their_own() {
    for name in [
        "veiled",
        "locked",
        "below",
        "later",
        "fewer",
        "bound",
        "threads",
        "policy",
        "policy and threads",
        "open folder",
    ] {
        let done = child(name, "");
        assert_eq!(done.status.code(), Some(0), "{name}: {}", told(&done));
    }
}

#[test]
fn a_folder_that_arrives_leads_nowhere_and_goes_no_further() {
    let done = child("received folder", "");
    assert_eq!(done.status.signal(), Some(SIGSYS), "{done:?}");
    assert_eq!(told(&done), "belljar: openat refused: not promised: rpath\n");
}

#[test]
fn all_threads_keep_the_promise_and_an_abort_stays_one() {
    let other = child("other thread", "");
    assert_eq!(other.status.signal(), Some(SIGSYS), "{other:?}");
    assert!(told(&other).contains("not promised: rpath"), "{other:?}");
    assert_eq!(child("abort", "").status.signal(), Some(6));
    let nothing = child("nothing", "");
    assert_eq!(nothing.status.signal(), Some(SIGSYS), "{nothing:?}");
    assert!(!String::from_utf8_lossy(&nothing.stdout).contains("never"), "{nothing:?}");
}
