//! Inside another supervisor that answers system calls: a process can have one listener only. What needs none runs and is
//! contained as ever; what needs one is not run, and says why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::process::Command;

use seen::Seen;

/// Puts a listener on a call that nobody makes, keeps it, and runs the words in a child.
const OUTER: &str = r#"
my $code = pack('SCCL' x 4, 0x20, 0, 0, 0,  0x15, 0, 1, 9999,  6, 0, 0, 0x7fc00000,  6, 0, 0, 0x7fff0000);
my $program = pack('Sx6J', 4, unpack('J', pack('p', $code)));
syscall(157, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
syscall(317, 1, 8, $program) >= 0 or die "listener: $!";
system(@ARGV);
exit($? >> 8);
"#;

fn inside(words: &[&str]) -> Seen {
    seen::see(Command::new("perl").args(["-e", OUTER, env!("CARGO_BIN_EXE_belljar"), "run"]).args(words))
}

#[test]
fn a_plain_run_is_contained() {
    let seen = inside(&["--", "perl", "-e", "syscall(101, 0, 0, 0, 0) == 0 and print 'traced'; print 'ran'"]);
    assert_eq!((seen.status, seen.out.as_str()), (0, "ran"), "{}", seen.err);
}

#[test]
fn what_needs_a_listener_is_not_run_and_says_why() {
    for words in [&["--trace"][..], &["--promise", "stdio rpath prot_exec exec"]] {
        let seen = inside(&[words, &["--", "echo", "ran"]].concat());
        assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{words:?}: {}", seen.err);
        let why = "hint: this is inside another supervisor that uses notifications";
        assert!(seen.err.contains(why) && !seen.err.contains(" :"), "{words:?}: {}", seen.err);
    }
}
