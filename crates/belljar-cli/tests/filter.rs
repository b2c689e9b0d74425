//! `belljar filter`, and filters that end what they refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::io::Write;
use std::process::{Command, Stdio};

use seen::{Folder, belljar, command};

/// 128 and SIGSYS.
const VIOLATION: i32 = 159;

/// What `program` makes of `input`.
fn piped(mut program: Command, input: &[u8]) -> Vec<u8> {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("room in the pipe");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program:?}");
    output.stdout
}

#[test]
fn what_comes_out_of_a_filter_is_what_comes_out_without_it() {
    let text: Vec<u8> = (0..9000_u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    let mut gzip = Command::new("gzip");
    gzip.arg("-c");
    let packed = piped(gzip, &text);
    assert!(packed.len() < text.len());
    assert_eq!(piped(command(["filter", "--", "gzip", "-dc"]), &packed), text);
    assert_eq!(piped(command(["filter", "--", "tr", "a-z", "A-Z"]), b"abc"), b"ABC");
}

#[test]
fn a_filter_opens_starts_and_reaches_nothing() {
    let folder = Folder::new("filter");
    let secret = folder.write("secret", "s3cret\n");
    let secret = secret.to_str().unwrap();
    assert_eq!(belljar(["run", "-r", secret, "--", "cat", secret]).out, "s3cret\n");
    for words in [&["cat", secret][..], &["cp", "/proc/self/status", "/tmp/x"], &["ls", "/"]] {
        let seen = belljar(["filter", "--"].iter().chain(words));
        assert!(seen.status != 0 && seen.out.is_empty(), "{words:?}: {seen:?}");
    }
    let granted = belljar(["filter", "--read-noexec", secret, "--", "cat", secret]);
    assert_eq!((granted.status, granted.out.as_str()), (0, "s3cret\n"), "options add: {granted:?}");
    let shell = belljar(["filter", "--", "/bin/sh", "-c", "(echo child); echo $?"]);
    assert!(!shell.out.contains("child"), "{shell:?}");
}

#[test]
fn a_call_that_nothing_lets_through_ends_its_process() {
    let script = ["--", "/bin/sh", "-c", "mkdir /tmp/folder; echo went on"];
    let refused =
        belljar(["run", "--deny-syscall", "mkdir", "--deny-syscall", "mkdirat"].iter().chain(&script));
    assert!(refused.out.contains("went on"), "{refused:?}");
    // What a rule denies by name fails; what no rule mentions kills.
    let words = ["run", "-p", "@filter", "--otherwise", "kill", "--read", "/bin"];
    let ended = belljar(words.iter().chain(&["--", "/bin/mkdir", "/tmp/folder"]));
    assert_eq!(ended.status, VIOLATION, "{ended:?}");
    let alive = belljar(words.iter().chain(&["--", "/bin/cat"]));
    assert_eq!((alive.status, alive.err.as_str()), (0, ""), "the program's own start passes");
}

#[test]
fn no_program_starts_under_the_policy_of_a_worker() {
    for preset in ["@preauth", "@decoder", "@renderer"] {
        let seen =
            belljar(["run", "-p", preset, "-r", "/bin", "-r", "/usr", "-r", "/lib", "--", "/bin/true"]);
        assert_ne!(seen.status, 0, "{preset}: {seen:?}");
    }
}
