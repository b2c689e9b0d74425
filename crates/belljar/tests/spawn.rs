//! What the library leaves in its caller's process.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use belljar::policy::{FlagValue, Policy, Request, load};
use belljar::{Command, Stdio};

fn strict() -> Policy {
    let request =
        Request { flags: vec![FlagValue::new("-p", "@strict")], cwd: "/usr".into(), ..Request::default() };
    load(&request, &|_| Err(std::io::ErrorKind::NotFound.into())).unwrap()
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.policy(strict()).stdin(Stdio::Null).stdout(Stdio::Null).stderr(Stdio::Null);
    command
}

fn children() -> String {
    std::fs::read_to_string("/proc/thread-self/children").unwrap()
}

#[test]
fn a_start_that_fails_leaves_no_child() {
    assert!(command("/no/such/program").spawn().is_err());
    assert_eq!(children(), "");
    assert_eq!(command("/bin/true").spawn().unwrap().wait().unwrap().verdict.exit_code(), 0);
    assert_eq!(children(), "");
}
