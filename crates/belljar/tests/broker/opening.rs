//! Opening files through the broker.

use std::path::Path;

use belljar::Command;
use belljar::broker::Wanted;

use super::alike::TRACE;
use super::spy::Spy;
use super::support::jars::{self, Place};
use super::support::{has, has_python};

fn run(command: &mut Command) -> (String, String, u8) {
    let done = jars::finish(command).unwrap();
    (done.out, done.err, done.report.verdict.exit_code())
}

/// A reader of one file, on a policy of its own.
fn reader(place: &Place, argv: &[&str]) -> Command {
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).policy(jars::policy(&place.granted(), TRACE)).current_dir(place.granted());
    command
}

/// What reads "victim" in the current folder: a dynamic program, an interpreter, a static program.
fn readers() -> Vec<Vec<&'static str>> {
    let mut readers = vec![vec!["/bin/cat", "victim"]];
    if has_python() {
        readers.push(vec!["/usr/bin/python3", "-c", "print(open('victim').read(), end='')"]);
    }
    if has("busybox", std::fs::metadata("/bin/busybox").is_ok()) {
        readers.push(vec!["/bin/busybox", "cat", "victim"]);
    }
    readers
}

#[test]
fn programs_of_every_kind_open_files_through_the_broker() {
    if !super::has_broker() {
        return;
    }
    for argv in readers() {
        let place = Place::new();
        let victim = place.granted().join("victim");
        let spy = Spy::default();
        let mut command = reader(&place, &argv);
        spy.on(&mut command, Path::new("/nothing"));
        assert_eq!(run(&mut command), ("unharmed".into(), String::new(), 0), "{argv:?}");
        assert_eq!(spy.asked(Wanted::Read, &victim), 1, "{argv:?}");
    }
}

/// Whoever has a file open for writing keeps everybody from running it.
#[test]
fn what_was_just_written_can_be_run() {
    if !super::has_broker() {
        return;
    }
    let script = "for at in $(seq 100); do
        printf '#!/bin/sh\\n' > made && chmod 755 made && ./made || exit 9
    done";
    let place = Place::new();
    assert_eq!(run(&mut jars::shell(&place, TRACE, script)), (String::new(), String::new(), 0));
}

#[test]
fn what_the_judge_refuses_fails_with_its_error_although_the_kernel_would_allow_it() {
    if !super::has_broker() {
        return;
    }
    for argv in readers() {
        let place = Place::new();
        let spy = Spy::default();
        let mut command = reader(&place, &argv);
        spy.on(&mut command, &place.granted().join("victim"));
        let (out, err, code) = run(&mut command);
        assert_eq!((out.as_str(), code), ("", 1), "{argv:?}");
        // 71 is EPROTO, which no file system answers here.
        assert!(err.contains("Protocol error"), "{argv:?}: {err}");
    }
}
