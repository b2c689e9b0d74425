//! Callers in a state that few processes are in: without a folder, with limits that are low already, with an input that
//! cannot be read, with code of their own that panics. Each is a process of its own.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "test program")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use belljar::event::{Event, Observer};
use belljar::report::Verdict;
use belljar::{Command, Stdio, policy::Policy};
use rustix::fs::OFlags;
use rustix::process::{Resource, Rlimit, setrlimit};
use support::has_userns;

/// Runs one of the callers below in a process of its own.
fn holds(caller: &str) {
    if !has_userns() {
        return;
    }
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args([caller, "--exact", "--ignored", "--test-threads", "1"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

fn quiet(program: &str) -> Command {
    let mut command = Command::new(program);
    command.policy(Policy::preset("@strict").unwrap());
    command.stdin(Stdio::Null).stdout(Stdio::Null).stderr(Stdio::Null);
    command
}

fn ends_well(command: &mut Command) {
    let report = command.status().unwrap();
    assert_eq!(report.verdict, Verdict::Exited { code: 0 }, "{}", report.reason);
}

/// Children of every thread of this process, ended ones too. A thread that has ended meanwhile has none.
fn children() -> String {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok()).collect()
}

#[test]
#[ignore = "a caller"]
fn whose_folder_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(&folder).unwrap();
    folder.close().unwrap();
    ends_well(&mut quiet("/bin/true"));
    ends_well(&mut quiet("true"));
    assert!(quiet("./true").status().is_err());
}

#[test]
fn a_folder_that_was_removed_is_no_hindrance() {
    holds("whose_folder_was_removed");
}

#[test]
#[ignore = "a caller"]
fn whose_limits_are_lower_than_those_of_jars() {
    let most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    for resource in [Resource::Sigpending, Resource::Core] {
        setrlimit(resource, most(0)).unwrap();
    }
    setrlimit(Resource::Nofile, most(60)).unwrap();
    let policy = Policy::preset("@strict").unwrap().set("limits.files", "64").unwrap();
    let mut command = Command::new("/bin/sh");
    let output = command.args(["-c", "ulimit -n; ulimit -Hn"]).policy(policy).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "60\n60\n", "{}", output.report.reason);
}

#[test]
fn limits_that_are_lower_already_stay() {
    holds("whose_limits_are_lower_than_those_of_jars");
}

/// The kernel says of such a descriptor what it says of one that is closed.
#[test]
#[ignore = "a caller"]
fn whose_input_is_open_for_its_path_alone() {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let path = rustix::fs::open("/etc/passwd", flags, rustix::fs::Mode::empty()).unwrap();
    rustix::stdio::dup2_stdin(&path).unwrap();
    ends_well(&mut quiet("/bin/true"));
    ends_well(quiet("/bin/true").stdin(Stdio::Inherit));
}

#[test]
fn an_input_that_is_open_for_its_path_alone_is_no_hindrance() {
    holds("whose_input_is_open_for_its_path_alone");
}

#[derive(Debug)]
struct Panics;

impl Observer for Panics {
    fn event(&self, _: Event) {
        panic!("of its own will");
    }
}

#[test]
#[ignore = "a caller"]
fn whose_code_panics() {
    let mut command = quiet("/bin/true");
    command.explain().judge(|_| panic!("of its own will"));
    assert!(catch_unwind(AssertUnwindSafe(|| command.status().map(drop))).is_err());
    assert_eq!(children(), "");
    // A file of the host that nobody grants.
    let file = std::env::current_exe().unwrap();
    let mut command = quiet("/bin/cat");
    command.arg(file).explain().observe(Arc::new(Panics));
    assert!(command.status().is_err());
    assert_eq!(children(), "");
    ends_well(&mut quiet("/bin/true"));
}

#[test]
fn code_of_the_caller_that_panics_leaves_nothing_of_the_jar() {
    holds("whose_code_panics");
}
