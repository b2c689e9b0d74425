//! `belljar::Command` as a program uses it: descriptors, variables, waiting, and what is watched while nobody waits.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "test program")]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, chown};
use std::sync::Barrier;
use std::time::Duration;

use belljar::report::{LimitKind, Verdict};
use belljar::{Child, Command, Killer, Output, Stdio};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use support::jars::{self, Place};
use support::{has_userns, watch};

const LONG: Duration = Duration::from_secs(60);

fn place() -> Option<Place> {
    has_userns().then(Place::new)
}

/// Waits for the end as a program with a loop of its own does.
fn polled(child: &Child) {
    let most = Timespec::try_from(LONG).unwrap();
    let ready = poll(&mut [PollFd::from_borrowed_fd(child.as_fd(), PollFlags::IN)], Some(&most)).unwrap();
    assert_eq!(ready, 1, "the jar ends while nobody waits for it");
}

#[test]
fn limits_act_while_the_caller_does_something_else() {
    let Some(place) = place() else { return };
    let mark = watch::mark();
    let script = format!("setsid sleep {mark} & sleep {mark}");
    let mut command = jars::shell(&place, &[], &script);
    let mut child = command.timeout(Duration::from_millis(300)).spawn().unwrap();
    assert!(child.try_wait().unwrap().is_none());
    assert!(watch::within(LONG, || watch::marked(&mark).is_empty()), "nobody waits for it");
    polled(&child);
    assert_eq!(child.try_wait().unwrap().unwrap().verdict, Verdict::TimedOut);
    assert_eq!(child.wait().unwrap().verdict, Verdict::TimedOut, "the report stays");

    let mut command = jars::shell(&place, &[("--output", "1000")], "while :; do echo 0123456789; done");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    polled(&child);
    let verdict = child.try_wait().unwrap().unwrap().verdict;
    assert_eq!(verdict, Verdict::LimitHit { limit: LimitKind::Output });
}

#[test]
fn calls_are_answered_while_the_caller_does_something_else() {
    let Some(place) = place() else { return };
    let script = "cat $G/victim; unshare -U true 2>&1 || echo refused; echo end";
    let mut command = jars::shell(&place, &[], script);
    // The broker sees every call with a path, and the filter's refusals are told.
    let mut child = command.explain().stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.starts_with("unharmed") && said.ends_with("refused\nend\n"), "{said}");
    assert!(child.wait().unwrap().success());

    let mut command = jars::shell(&place, &[], "unshare -U true; echo end");
    let mut child = command.tell_refusals(true).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    polled(&child);
    let report = child.wait().unwrap();
    assert!(report.denials().any(|event| event.call == "unshare"), "{report:?}");
}

#[test]
fn a_child_is_waited_for_polled_and_killed_from_any_thread() {
    let Some(place) = place() else { return };
    for limit in [None, Some(Duration::from_secs(600))] {
        let mark = watch::mark();
        let mut command = jars::shell(&place, &[], &format!("sleep {mark} & sleep {mark}"));
        limit.map(|limit| command.timeout(limit));
        let mut child = command.spawn().unwrap();
        assert!(watch::within(LONG, || watch::marked(&mark).len() == 2));
        assert!(child.try_wait().unwrap().is_none());
        let killer = child.killer();
        let waits = std::thread::spawn(move || child.wait().unwrap());
        killer.kill().unwrap();
        assert!(watch::marked(&mark).is_empty());
        assert_eq!(waits.join().unwrap().signal(), Some(9));
        killer.kill().unwrap();
    }
}

#[test]
fn dropping_ends_a_jar_that_a_thread_attends_even_if_nobody_reads_its_output() {
    let Some(place) = place() else { return };
    let mark = watch::mark();
    let (reader, writer) = std::io::pipe().unwrap();
    let script = format!("(setsid sleep {mark} &); while :; do echo 0123456789; done");
    let mut command = jars::shell(&place, &[("--output", "1G")], &script);
    let child = command.stdout(writer).spawn().unwrap();
    assert!(watch::within(LONG, || watch::marked(&mark).len() == 1));
    // The supervisor's pipe is full for good.
    assert!(!watch::within(Duration::from_millis(100), || watch::marked(&mark).is_empty()));
    drop(child);
    assert!(watch::marked(&mark).is_empty());
    drop(reader);
}

#[test]
fn output_status_and_pipelines_are_those_of_std() {
    let Some(place) = place() else { return };
    let mut command = jars::shell(&place, &[], "cat; echo out; echo err >&2; exit 3");
    for _ in 0..2 {
        let Output { report, stdout, stderr, .. } = command.output().unwrap();
        assert_eq!((report.code(), &*stdout, &*stderr), (Some(3), &b"out\n"[..], &b"err\n"[..]));
    }
    let mut left = jars::shell(&place, &[], "printf 'b\\na\\n'").stdout(Stdio::piped()).spawn().unwrap();
    let mut sort = jars::shell(&place, &[], "sort");
    let sorted = sort.stdin(left.stdout.take().unwrap()).output().unwrap();
    assert_eq!(sorted.stdout, b"a\nb\n");
    assert!(left.wait().unwrap().success() && sorted.report.success());
    let mut cat =
        jars::shell(&place, &[], "cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cat.stdin.as_mut().unwrap().write_all(b"kept open").unwrap();
    assert_eq!(cat.wait_with_output().unwrap().stdout, b"kept open", "standard input is closed for the wait");
    let missing = Command::new("/no/such/program").policy(jars::policy(&place.granted(), &[])).status();
    assert!(matches!(missing, Err(belljar::error::StartError::NotFound { .. })), "{missing:?}");
}

#[test]
fn variables_are_set_removed_and_cleared() {
    let Some(place) = place() else { return };
    let env = |change: &dyn Fn(&mut Command)| {
        let mut command = Command::new("/usr/bin/env");
        command.policy(jars::policy(&place.granted(), &[("-e", "FIXED=1"), ("-e", "OTHER=2")]));
        command.caller_env([("LC_ALL".into(), "C".into()), ("SECRET".into(), "x".into())]);
        change(&mut command);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines.join(" ")
    };
    assert_eq!(env(&|_| {}), "FIXED=1 LC_ALL=C OTHER=2");
    assert_eq!(
        env(&|c| {
            c.env("MINE", "m").env("OTHER", "3");
        }),
        "FIXED=1 LC_ALL=C MINE=m OTHER=3"
    );
    assert_eq!(
        env(&|c| {
            c.env_remove("FIXED").env_remove("LC_ALL");
        }),
        "OTHER=2"
    );
    assert_eq!(
        env(&|c| {
            c.env("A", "1").env_clear().envs([("B", "2")]);
        }),
        "B=2 FIXED=1 OTHER=2"
    );
}

#[test]
fn descriptors_reach_the_program_by_name_and_nobody_else() {
    let Some(place) = place() else { return };
    let input = File::open(place.outside().join("secret")).unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (read, write) = (input.as_raw_fd(), writer.as_raw_fd());
    let script = "exec /bin/bash -c 'cat <&$BELLJAR_FD_words; echo told >&$BELLJAR_FD_log; ls /proc/$$/fd'";
    let mut command = jars::shell(&place, &[], script);
    command.pass("words", input).pass("log", writer);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let listed: Vec<i32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(text.starts_with(jars::SECRET), "{text} {:?}", output.report);
    assert!([read, write].iter().all(|fd| listed.contains(fd)), "{text}");
    drop(command);
    let mut told = String::new();
    reader.read_to_string(&mut told).unwrap();
    assert_eq!(told, "told\n");

    let mut command = jars::shell(&place, &[], "exit 0");
    let refused = command.pass("two words", File::open("/dev/null").unwrap()).spawn().unwrap_err();
    assert!(refused.to_string().contains("letters, digits"), "{refused}");
    let mut command = jars::shell(&place, &[], "echo ${BELLJAR_FD_again-none}");
    let said = command.output().unwrap().stdout;
    assert_eq!(said, b"none\n");
}

#[test]
fn a_host_program_keeps_its_threads_descriptors_and_signals() {
    if !has_userns() {
        return;
    }
    // A shell leaves an ignored signal ignored for what it replaces itself by.
    let this = std::env::current_exe().unwrap();
    let script = "trap '' CHLD; exec \"$0\" host_program --exact --ignored --nocapture";
    let done = std::process::Command::new("/bin/sh").args(["-c", script]).arg(&this).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done =
        std::process::Command::new(this).args(["host_program", "--exact", "--ignored"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

const THREADS: usize = 64;

/// Not a test: a program of its own, which 64 threads start jars in at once.
#[test]
#[ignore = "started by the other tests"]
fn host_program() {
    let place = Place::new();
    let (before, inherited) = (state(), descriptors_of_a_plain_child());
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (place, start) = (&place, &start);
            scope.spawn(move || {
                start.wait();
                let script = format!("echo {number}; ls /proc/self/fd; read never; exit 9");
                let mut command = jars::shell(place, &[], &script);
                if number % 2 == 0 {
                    command.timeout(LONG * 10);
                }
                command.pass("own", File::open(place.outside().join("secret")).unwrap());
                let output = command.output().unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                let numbers: Vec<&str> = text.lines().collect();
                // Its own three, the named one, and the folder that `ls` reads.
                assert_eq!(numbers.len(), 6, "{text}");
                assert_eq!((numbers[0], output.report.code()), (&*number.to_string(), Some(9)));
            });
        }
        // Programs that std starts meanwhile get nothing of a jar.
        for _ in 0..20 {
            assert_eq!(descriptors_of_a_plain_child(), inherited);
        }
    });
    // The command is dropped: one that root starts keeps what it translates owners by.
    let traced = {
        let mut traced = jars::shell(&place, &[("-n", "example.org")], "read line");
        traced.explain().stdin(Stdio::piped()).spawn().unwrap()
    };
    // Each names itself when it first runs.
    let has = |name: &str| threads().iter().any(|(own, _)| own == name);
    assert!(
        watch::within(LONG, || ["jar", "broker", "belljar-net"].into_iter().all(has)),
        "{:x?}",
        threads()
    );
    assert!(threads().iter().all(|(_, mask)| mask & TAKEN == TAKEN), "{:x?}", threads());
    drop(traced);
    let mut jars: Vec<Child> = (0..50)
        .map(|_| {
            let mut command = jars::shell(&place, &[], "exec sleep 600");
            command.timeout(LONG * 10).stdin(Stdio::null()).spawn().unwrap()
        })
        .collect();
    assert!(threads().iter().all(|(_, mask)| mask & TAKEN == TAKEN), "{:x?}", threads());
    // Nobody who waits for just any child finds one of a jar.
    let any = rustix::process::waitpid(None, rustix::process::WaitOptions::NOHANG);
    assert!(matches!(any, Err(rustix::io::Errno::CHILD)), "{any:?}");
    assert!(jars.iter_mut().all(|jar| jar.try_wait().unwrap().is_none()));
    assert_eq!(state().1.len(), before.1.len() + 2 * jars.len(), "a status socket and a pidfd for each");
    drop(jars);
    // The kernel lists a thread for a moment after whoever joins it goes on.
    watch::within(LONG, || state() == before);
    assert_eq!(state(), before);
}

/// Those of a program that std starts, its reading of the folder included.
fn descriptors_of_a_plain_child() -> String {
    let plain = std::process::Command::new("/bin/ls").arg("/proc/self/fd").output().unwrap();
    String::from_utf8(plain.stdout).unwrap()
}

/// Signals that a program handles, or must not be ended by: INT, PIPE, TERM, CHLD.
const TAKEN: u64 = 1 << 1 | 1 << 12 | 1 << 14 | 1 << 16;

/// Threads of the library by name, and what signals they block.
fn threads() -> Vec<(String, u64)> {
    let text = |thread: &std::fs::DirEntry, file| std::fs::read_to_string(thread.path().join(file)).ok();
    let look = |thread: std::fs::DirEntry| {
        let (name, status) = (text(&thread, "comm")?, text(&thread, "status")?);
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"))?.trim().to_owned();
        Some((name.trim().to_owned(), u64::from_str_radix(&mask, 16).unwrap()))
    };
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten().filter_map(look);
    tasks
        .filter(|(name, _)| !["command", "host_program", "main"].iter().any(|own| name.starts_with(own)))
        .collect()
}

/// What a library must leave as it was: signals, open descriptors, threads.
fn state() -> (Vec<String>, Vec<String>, usize) {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let kept = ["SigBlk", "SigIgn", "SigCgt"];
    let lines = status.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    (lines.map(str::to_owned).collect(), Place::names("/proc/self/fd".as_ref()), threads)
}

#[test]
fn the_types_cross_threads() {
    fn both<T: Send + Sync>() {}
    both::<Command>();
    both::<Child>();
    both::<Killer>();
    both::<Output>();
    both::<Stdio>();
    both::<belljar::policy::Policy>();
    both::<belljar::HostFacts>();
    both::<belljar::Report>();
    both::<belljar::error::StartError>();
}

/// A test program's own descriptors are no terminal: one is made, and this program started on it.
#[test]
fn the_size_of_a_jars_terminal_is_the_callers_to_change() {
    let Some(place) = place() else { return };
    let mut command = jars::shell(&place, &[], "true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.spawn().unwrap().terminal().is_none(), "there is no terminal");
    let (_master, program) = support::terminal(30, 100);
    let own = std::env::current_exe().unwrap();
    let mut inner = std::process::Command::new(own);
    inner.args(["--exact", "on_a_terminal", "--ignored", "--nocapture"]);
    let ends = inner.stdin(program.try_clone().unwrap()).stdout(program).stderr(std::process::Stdio::piped());
    let done = ends.spawn().unwrap().wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "runs on a terminal: the_size_of_a_jars_terminal_is_the_callers_to_change"]
fn on_a_terminal() {
    let place = Place::new();
    let script = "trap 'stty size > $G/new; mv $G/new $G/size' WINCH; stty size > $G/new; mv $G/new $G/size; \
                  while :; do sleep 0.02; done";
    let mut command = jars::shell(&place, &[("-w", place.granted().to_str().unwrap())], script);
    let mut child = command.spawn().unwrap();
    let is = |size: &str| {
        let told = || std::fs::read_to_string(place.granted().join("size")).unwrap_or_default();
        assert!(watch::within(LONG, || told().trim() == size), "{} in place of {size}", told());
    };
    let terminal = child.terminal().expect("a terminal");
    is("30 100");
    terminal.resize(11, 22).unwrap();
    is("11 22");
    rustix::termios::tcsetwinsize(std::io::stdin(), support::size(33, 44)).unwrap();
    std::thread::spawn(move || terminal.follow().unwrap()).join().unwrap();
    is("33 44");
    let terminal = child.terminal().expect("a terminal");
    child.kill().unwrap();
    child.wait().unwrap();
    terminal.resize(1, 1).unwrap();
}

/// What a command keeps from one start to the next is what it was made from and what it has looked at before: neither decides
/// about a start for which something else was said, or where something else lies there now.
#[test]
fn each_start_of_a_command_follows_what_is_said_and_there_by_then() {
    let Some(place) = place() else { return };
    let mut command = jars::shell(&place, &[], "cat $G/victim && echo x > $G/made && cat $G/made");
    let run = |command: &mut Command| {
        let output =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let granted = place.granted();
    let shown = granted.display().to_string();
    let wide = jars::policy(&granted, &[("--write", &shown)]);
    let narrow = jars::policy(&granted, &[("--read", &shown)]);
    for _ in 0..2 {
        assert_eq!(run(command.policy(wide.clone())), "unharmedx\n");
        std::fs::remove_file(granted.join("made")).unwrap();
        assert_eq!(run(command.policy(narrow.clone())), "unharmed");
        assert_eq!(Place::names(&granted), ["victim"], "the narrow policy lets nothing be written");
    }
    // Another folder stands there, of another owner where this user can give it one.
    command.policy(wide);
    assert_eq!(run(&mut command), "unharmedx\n");
    std::fs::rename(&granted, place.path().join("before")).unwrap();
    std::fs::create_dir(&granted).unwrap();
    std::fs::write(granted.join("victim"), "another").unwrap();
    let given =
        [granted.clone(), granted.join("victim")].map(|path| chown(path, Some(1234), Some(1234)).is_ok());
    assert_eq!(run(&mut command), "anotherx\n");
    let owner = std::fs::metadata(granted.join("made")).unwrap().uid();
    assert!(!given[0] || owner == 1234, "what is made belongs to the folder's owner: {owner}");
}
