//! Opening files through the broker.

use std::path::Path;

use belljar::Command;
use belljar::broker::Wanted;

use super::spy::Spy;
use super::support::jars::{self, Place, SECRET};
use super::support::{has, has_python};

const TRACE: &[(&str, &str)] = &[("-p", "@strict"), ("-w", "."), ("--trace", "")];

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

/// Scripts with the same output with and without the broker, whatever it is.
const ALIKE: &[&str] = &[
    "cat $O/secret 2>/dev/null || echo refused",
    "ln -s $O/secret link; cat link 2>/dev/null || echo refused",
    "ln -s ../granted/victim link; cat link",
    "echo more >> victim; cat victim",
    "echo new > fresh; cat fresh; stat -c %a fresh",
    "umask 027; echo new > fresh; stat -c %a fresh",
    "set -C; echo again 2>/dev/null > victim || echo exists",
    "mkdir -p a/b; cd a/b; echo deep > ../../top; cat ../../top ../../a/../top",
    "cat < . 2>/dev/null || echo folder",
    "echo x 2>/dev/null > /usr/x || echo refused",
    "echo x 2>/dev/null > /etc/hostname || echo refused",
    "cat /etc/shadow 2>/dev/null || echo refused",
    "cat /proc/self/comm /proc/thread-self/comm",
    "exec 3< victim; cat /dev/fd/3 /proc/self/fd/3",
    "cat victim | cat /dev/stdin",
    "cat < /proc/self/root/etc/hostname > /dev/null; echo $?",
    "cat /proc/1/environ 2>/dev/null || echo refused",
    "cat /proc/1/root/etc/hostname 2>/dev/null || echo refused",
    "cat /dev/tty 2>/dev/null || echo none",
    "head -c 4 /dev/zero | od -An -tx1; echo gone > /dev/null",
    "ln -s loop loop; cat loop 2>&1",
    "cat victim/ 2>&1; cat victim/x 2>&1; cat none/x 2>&1; cat '' 2>&1",
    "ln -s made dangling; echo through > dangling; cat made",
    "mkfifo f; (echo through > f) & cat f; wait",
    "ls / /proc/self/fd/ | grep -v '^[0-9]*$' | sort",
    "cd /; cat usr/../etc/../..$G/victim",
];

#[test]
fn verdicts_are_those_of_the_kernel() {
    if !super::has_broker() {
        return;
    }
    for script in ALIKE {
        let native = jars::finish(&mut alike(&Place::new(), script, &TRACE[..2])).unwrap();
        let place = Place::new();
        let brokered = jars::finish(&mut alike(&place, script, TRACE)).unwrap();
        assert_eq!(brokered.out, native.out, "{script}\n{}", brokered.err);
        assert!(!brokered.out.contains(SECRET), "{script}");
        assert!(!native.out.is_empty(), "{script} shows something: {}", native.err);
    }
}

fn alike(place: &Place, script: &str, flags: &[(&str, &str)]) -> Command {
    jars::shell(place, flags, script)
}

#[test]
fn the_secret_can_be_read_without_a_jar() {
    assert_eq!(jars::control(&Place::new(), ALIKE[0]), SECRET);
}
