//! What the filter refuses is told, refused all the same, and the flag that is named lets it through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use seen::{Folder, belljar, json};
use serde_json::Value;

/// What it is, a program that makes the call and fails with its error number, the call, its object, its flag.
const CALLS: &[(&str, &str, &str, &str, Option<&str>)] = &[
    ("tracing", "syscall(101, 0, 0, 0, 0) == -1 and exit $!+0", "ptrace", "PTRACE_TRACEME", Some("--debug")),
    (
        "unix socket",
        "socket(S, 1, 1, 0) or exit $!+0",
        "socket",
        "AF_UNIX SOCK_STREAM",
        Some("--allow-syscall @socket-unix"),
    ),
    (
        "keyring",
        "syscall(250, 6, -3, 0, 0, 0) == -1 and $!+0 < 2 and exit $!+0",
        "keyctl",
        "",
        Some("--allow-syscall keyctl"),
    ),
    ("set-user-id", "chmod(04755, '/tmp') or exit $!+0", "chmod", "mode 4755", None),
    ("namespace", "syscall(272, 0x10000000) == -1 and exit $!+0", "unshare", "CLONE_NEWUSER", None),
];

fn run(folder: &Folder, more: &[&str], program: &str) -> (i32, Value) {
    let file = folder.path().join("r.json");
    let place = file.to_string_lossy().into_owned();
    let args = ["run", "--report", &place].into_iter().chain(more.iter().copied());
    let seen = belljar(args.chain(["--", "perl", "-e", program]));
    (seen.status, json(&file)["events"].clone())
}

fn find<'e>(events: &'e Value, call: &str) -> Option<&'e Value> {
    events.as_array().unwrap().iter().find(|event| event["call"] == call)
}

#[test]
fn the_flag_of_an_event_lets_the_call_through() {
    let folder = Folder::new("flags");
    for (what, program, call, object, flag) in CALLS {
        let (status, events) = run(&folder, &[], program);
        let event = find(&events, call).unwrap_or_else(|| panic!("{what}: {events}"));
        assert!(status == 1 || status == 13, "{what}: {status}");
        assert_eq!((&event["object"], &event["program"]), (&(*object).into(), &"perl".into()), "{what}");
        assert_eq!(event["flag"].as_str(), *flag, "{what}");
        let Some(flag) = flag else { continue };
        let (status, events) = run(&folder, &flag.split(' ').collect::<Vec<_>>(), program);
        assert_eq!((status, find(&events, call)), (0, None), "{what} with {flag}");
    }
}

#[test]
fn the_error_is_the_same_whether_somebody_hears_it_or_not() {
    for (what, program, ..) in CALLS {
        let [heard, unheard] = [&["run", "--"][..], &["run", "-q", "--"]]
            .map(|args| belljar(args.iter().copied().chain(["perl", "-e", program])).status);
        assert_eq!(heard, unheard, "{what}");
    }
}

#[test]
fn a_policy_that_denies_by_name_is_named_and_no_flag_is() {
    let folder = Folder::new("deny");
    let (_, events) = run(&folder, &["--deny-syscall", "ptrace"], CALLS[0].1);
    let event = find(&events, "ptrace").unwrap();
    assert_eq!(event["rule"], "syscalls.deny \"ptrace\"");
    assert_eq!((&event["origin"], &event["flag"]), (&"--deny-syscall ptrace".into(), &Value::Null));
}

#[test]
fn repeated_calls_of_many_processes_are_one_event() {
    let folder = Folder::new("many");
    let program = "for (1..20) { fork or last } for (1..50) { syscall(101, 0, 0, 0, 0) } 1 while wait != -1";
    let (status, events) = run(&folder, &[], program);
    assert_eq!(status, 0);
    let event = find(&events, "ptrace").unwrap();
    assert_eq!(event["count"], 50 * 21, "{events}");
}

#[test]
fn the_block_is_said_after_a_failure_and_not_when_quiet() {
    let program = "syscall(101, 0, 0, 0, 0); exit $ARGV[0]";
    let said = |args: &[&str], code: &str| {
        let all = args.iter().copied().chain(["--", "perl", "-e", program, code]);
        belljar(["run"].into_iter().chain(all)).err
    };
    assert_eq!(said(&[], "0"), "");
    assert_eq!(
        said(&[], "3"),
        "belljar: refused\n  ptrace PTRACE_TRACEME (perl): no system call passes that no rule names (default)\n    to allow: --debug\n"
    );
    assert_eq!(said(&["-q"], "3"), "");
}

#[test]
fn a_jar_without_sockets_starts_with_a_listener() {
    let folder = Folder::new("no-sockets");
    let (status, events) = run(&folder, &["-n", "off"], "socket(S, 2, 1, 0) or exit $!+0");
    assert_eq!(status, 13, "{events}");
    let sockets = events.as_array().unwrap().iter().filter(|event| event["call"] == "socket");
    let told: Vec<_> = sockets.map(|event| (&event["object"], &event["program"], &event["count"])).collect();
    assert_eq!(told, [(&"AF_INET SOCK_STREAM".into(), &"perl".into(), &1.into())]);
}
