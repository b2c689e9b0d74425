//! The library's door: a jar started from a program with threads, descriptors, pipes and variables of its own.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use belljar::report::{Layer, Report, Verdict};
use belljar::{Command, Stdio};
use support::jars::{self, Done, Place};
use support::{has_python, has_userns, watch};

/// Every test here needs a jar with namespaces of its own.
fn place() -> Option<Place> {
    has_userns().then(Place::new)
}

fn run(place: &Place, flags: &[(&str, &str)], script: &str) -> Done {
    jars::finish(&mut jars::shell(place, flags, script)).unwrap()
}

fn exited(done: &Done, code: u8) {
    assert_eq!(done.report.verdict, Verdict::Exited { code }, "{done:?}");
}

#[test]
fn two_hundred_starts_among_busy_threads_all_end() {
    let Some(place) = place() else { return };
    static STOP: AtomicBool = AtomicBool::new(false);
    let busy = || {
        let mut kept = Vec::new();
        while !STOP.load(Ordering::Relaxed) {
            kept.push(format!("{:?}", vec![0_u8; 1 + kept.len() * 7 % 5000]));
            print!("");
            kept.truncate(100);
        }
    };
    let busy: Vec<_> = (0..3).map(|_| std::thread::spawn(busy)).collect();
    let (tell, told) = mpsc::channel();
    for worker in 0..8 {
        let (tell, flags) = (tell.clone(), jars::policy(&place.granted(), &[]));
        std::thread::spawn(move || {
            for turn in 0..25 {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", &format!("echo {worker}.{turn}; exit 7")]).policy(flags.clone());
                tell.send((format!("{worker}.{turn}\n"), jars::finish(&mut command))).unwrap();
            }
        });
    }
    for _ in 0..200 {
        let (said, done) = told.recv_timeout(Duration::from_secs(100)).expect("no start hangs");
        let done = done.unwrap();
        exited(&done, 7);
        assert_eq!(done.out, said);
    }
    STOP.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn pipes_null_and_files_are_the_three_standard_descriptors() {
    let Some(place) = place() else { return };
    let mut command = jars::shell(&place, &[], "cat; echo told >&2");
    let mut child = command.stdin(Stdio::Piped).stdout(Stdio::Piped).stderr(Stdio::Piped).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"through").unwrap();
    let mut text = [String::new(), String::new()];
    child.stdout.take().unwrap().read_to_string(&mut text[0]).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut text[1]).unwrap();
    assert_eq!(text, ["through", "told\n"]);
    assert_eq!(child.wait().unwrap().verdict, Verdict::Exited { code: 0 });

    let mut command = jars::shell(&place, &[], "cat; echo lost; echo lost >&2; readlink /proc/self/fd/0");
    let null = command.stdin(Stdio::Null).stdout(Stdio::Null).stderr(Stdio::Null);
    assert_eq!(null.spawn().unwrap().wait().unwrap().verdict, Verdict::Exited { code: 0 });

    let out = place.outside().join("out");
    let input = OwnedFd::from(File::open(place.outside().join("secret")).unwrap());
    let mut command = jars::shell(&place, &[], "cat; echo; echo both >&2");
    let made = File::create(&out).unwrap();
    let streams = command.stdin(Stdio::From(input)).stdout(Stdio::From(made.try_clone().unwrap().into()));
    streams.stderr(Stdio::From(made.into())).spawn().unwrap().wait().unwrap();
    assert_eq!(std::fs::read_to_string(out).unwrap(), format!("{}\nboth\n", jars::SECRET));
}

#[test]
fn codes_and_signals_are_the_programs_own() {
    let Some(place) = place() else { return };
    for code in [0, 1, 7, 124, 125, 255] {
        exited(&run(&place, &[], &format!("exit {code}")), code);
    }
    for (signal, name) in [(1, "HUP"), (6, "ABRT"), (9, "KILL"), (11, "SEGV"), (15, "TERM")] {
        let report = run(&place, &[], &format!("kill -{signal} $$")).report;
        assert_eq!(report.verdict, Verdict::Signaled { signal });
        assert_eq!(i32::from(report.verdict.exit_code()), 128 + signal);
        assert_eq!(report.reason, format!("signal {signal} (SIG{name}) ended the program"));
    }
}

#[test]
fn a_call_of_another_architecture_is_a_violation() {
    let Some(place) = place() else { return };
    if !has_python() {
        return;
    }
    // mov eax, 20 (getpid of i386); int 0x80; ret
    let script = "exec python3 -c 'import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
at = ctypes.addressof(ctypes.c_char.from_buffer(code))
print(\"pid\" if ctypes.CFUNCTYPE(ctypes.c_int)(at)() > 0 else \"none\")'";
    assert_eq!(jars::control(&place, script), "pid\n", "it works without a jar");
    let done = run(&place, &[], script);
    assert_eq!((done.report.verdict, done.report.verdict.exit_code()), (Verdict::Violation, 159), "{done:?}");
    assert_eq!(done.out, "");
}

#[test]
fn dropping_and_killing_end_every_process() {
    let Some(place) = place() else { return };
    for way in ["drop", "kill"] {
        let mark = watch::mark();
        let script = format!("trap '' TERM HUP; setsid sleep {mark} & (sleep {mark} &) ; sleep {mark}");
        let mut child = jars::shell(&place, &[], &script).spawn().unwrap();
        assert!(watch::within(watch::LONG, || watch::marked(&mark).len() == 3));
        assert!(watch::status(child.id().try_into().unwrap(), "NSpid").ends_with("\t1"), "id() is init's");
        if way == "kill" {
            child.kill().unwrap();
            assert!(watch::marked(&mark).is_empty());
            assert_eq!(child.wait().unwrap().verdict, Verdict::Signaled { signal: 9 });
        } else {
            drop(child);
            assert!(watch::marked(&mark).is_empty());
        }
    }
}

#[test]
fn the_init_of_a_jar_that_was_waited_for_leaves_no_entry_behind() {
    let Some(place) = place() else { return };
    let entry = |id: u32| std::fs::read_to_string(format!("/proc/{id}/stat"));
    for _ in 0..5 {
        let mut child = jars::shell(&place, &[], "exit 7").stdin(Stdio::null()).spawn().unwrap();
        let id = child.id();
        assert_eq!(child.wait().unwrap().verdict, Verdict::Exited { code: 7 });
        drop(child);
        assert!(entry(id).is_err());
    }
}

#[test]
fn daemons_end_with_the_program_and_do_not_hold_its_end_up() {
    let Some(place) = place() else { return };
    let mark = watch::mark();
    let script = format!("setsid sleep {mark} & (sleep {mark} &) ; sleep 0.2; echo done; exit 3");
    let start = Instant::now();
    let done = run(&place, &[], &script);
    exited(&done, 3);
    assert_eq!(done.out, "done\n");
    assert!(watch::marked(&mark).is_empty());
    assert!(start.elapsed() < watch::LONG);
}

#[test]
fn a_jar_outlives_the_thread_that_started_it() {
    let Some(place) = place() else { return };
    let mark = watch::mark();
    let script = format!("sleep {mark} & read line; exit 5");
    let mut command = jars::shell(&place, &[], &script);
    command.stdin(Stdio::Piped);
    let mut child = std::thread::spawn(move || command.spawn().unwrap()).join().unwrap();
    assert!(watch::within(watch::LONG, || watch::marked(&mark).len() == 1));
    assert!(!watch::within(Duration::from_millis(200), || watch::marked(&mark).is_empty()));
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert_eq!(child.wait().unwrap().verdict, Verdict::Exited { code: 5 });
    assert!(watch::marked(&mark).is_empty());
}

/// Not a test: a program with a jar, to be killed.
#[test]
#[ignore = "started by the other tests"]
fn supervise() {
    let mark = std::env::var("BELLJAR_MARK").expect("started by the other tests");
    let script = format!("trap '' TERM; setsid sleep {mark} & (sleep {mark} &) ; sleep {mark}");
    drop(run(&Place::new(), &[], &script));
}

#[test]
fn nothing_outlives_a_killed_supervisor() {
    let Some(place) = place() else { return };
    let mark = watch::mark();
    let mut supervisor = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["supervise", "--exact", "--ignored"])
        .env("BELLJAR_MARK", &mark)
        .env(jars::PLACES, place.outside())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert!(watch::within(watch::LONG, || watch::marked(&mark).len() == 3));
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    assert!(watch::within(watch::LONG, || watch::marked(&mark).is_empty()));
}

#[test]
fn only_three_descriptors_reach_the_program() {
    let Some(place) = place() else { return };
    let mark = watch::mark();
    let leaked: Vec<File> = (0..40).map(|_| File::open(place.outside().join("secret")).unwrap()).collect();
    for file in &leaked {
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).unwrap();
    }
    let passed = leaked[7].as_raw_fd().to_string();
    let sleep = format!("exec sleep {mark}");
    for (flags, expected) in [
        (vec![], vec!["0", "1", "2"]),
        (vec![("--pass-fd", passed.as_str())], vec!["0", "1", "2", passed.as_str()]),
    ] {
        let mut expected = expected;
        expected.sort_unstable();
        let mut child = jars::shell(&place, &flags, &sleep).spawn().unwrap();
        assert!(watch::within(watch::LONG, || watch::marked(&mark).len() == 1));
        let folder = format!("/proc/{}/fd", watch::marked(&mark)[0]);
        // The loader opens libraries for a moment.
        watch::within(watch::LONG, || Place::names(folder.as_ref()) == expected);
        assert_eq!(Place::names(folder.as_ref()), expected);
        child.kill().unwrap();
    }
}

#[test]
fn a_passed_descriptor_gives_no_more_than_its_mode() {
    let Some(place) = place() else { return };
    if !has_python() {
        return;
    }
    let path = place.outside().join("victim");
    let read = File::open(&path).unwrap();
    let write = File::options().append(true).open(&path).unwrap();
    let (r, w) = (read.as_raw_fd(), write.as_raw_fd());
    let flags = [("--pass-fd", &*format!("{r}:read")), ("--pass-fd", &*format!("{w}:write"))];
    let script = format!(
        "exec python3 -c 'import os
print(os.read({r}, 99)); os.write({w}, b\"+\")
def no(what):
    try: what(); print(\"harm\")
    except OSError as error: print(error.errno)
no(lambda: os.write({r}, b\"x\"))
no(lambda: os.read({w}, 1))
no(lambda: os.open(\"/proc/self/fd/{r}\", os.O_WRONLY))
no(lambda: os.fchmod({r}, 0o777))'"
    );
    let done = run(&place, &flags, &script);
    exited(&done, 0);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "b'unharmed'"), "{done:?}");
    assert!(lines[1..].iter().all(|line| *line != "harm"), "{done:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "unharmed+");
}

#[test]
fn a_wider_or_closed_descriptor_is_refused_by_number() {
    let Some(place) = place() else { return };
    let path = place.outside().join("victim");
    let both = File::options().read(true).write(true).open(&path).unwrap();
    let only_read = File::open(&path).unwrap();
    let of = |file: &File, mode: &str| format!("{}{mode}", file.as_raw_fd());
    for (word, why) in [
        (of(&both, ":read"), "more than its mode allows"),
        (of(&both, ":write"), "more than its mode allows"),
        (of(&only_read, ":write"), "more than its mode allows"),
        ("999:read".to_owned(), "is not open"),
    ] {
        let mut command = jars::shell(&place, &[("--pass-fd", &word), ("-w", ".")], "touch $G/run");
        let refused = command.spawn().unwrap_err().to_string();
        let number = word.split(':').next().unwrap();
        assert!(refused.starts_with(&format!("descriptor {number} ")) && refused.contains(why), "{refused}");
        assert_eq!(Place::names(&place.granted()), ["victim"], "nothing was run");
    }
}

#[test]
fn the_environment_is_made_from_nothing() {
    let Some(place) = place() else { return };
    let caller = [
        ("PATH", "/usr/bin:/bin"),
        ("LD_PRELOAD", "/x.so"),
        ("TOKEN", "secret"),
        ("LC_ALL", "C"),
        ("A", "0"),
    ];
    let mut command = Command::new("/usr/bin/env");
    command.policy(jars::policy(&place.granted(), &[("-e", "A=1"), ("-e", "B=two words")]));
    command.caller_env(caller.map(|(name, value)| (name.into(), value.into())));
    let done = jars::finish(&mut command).unwrap();
    let mut lines: Vec<&str> = done.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["A=1", "B=two words", "LC_ALL=C", "PATH=/usr/bin:/bin"], "{done:?}");
    let mut command = Command::new("/usr/bin/env");
    command.policy(jars::policy(&place.granted(), &[("-p", "@base")]));
    assert_eq!(jars::finish(&mut command).unwrap().out, "", "a preset without variables passes none");
}

#[test]
fn folder_and_mask_are_as_asked() {
    let Some(place) = place() else { return };
    let granted = place.granted();
    let folder = |flags: &[(&str, &str)], start: &str| {
        let mut command = jars::shell(&place, flags, "/bin/pwd");
        jars::finish(command.current_dir(start)).unwrap().out
    };
    let here = format!("{}\n", granted.display());
    assert_eq!(folder(&[], granted.to_str().unwrap()), here);
    assert_eq!(folder(&[], place.outside().to_str().unwrap()), "/\n", "a folder that the jar does not have");
    assert_eq!(folder(&[("--cwd", "/usr/lib")], "/"), "/usr/lib\n");
    let below_tmp = tempfile::tempdir_in("/tmp").unwrap();
    assert_eq!(folder(&[], below_tmp.path().to_str().unwrap()), "/\n", "the jar's /tmp is another");
    let moved = format!("{}:/usr/local/lib", place.outside().display());
    assert_eq!(folder(&[("-r", &moved)], "/usr/local/lib"), "/\n", "another folder of that name");
    for (mask, mode) in [("027", 0o640), ("077", 0o600), ("000", 0o666)] {
        exited(&run(&place, &[("-w", "."), ("--umask", mask)], "rm -f $G/new; echo > $G/new"), 0);
        let made = std::fs::metadata(granted.join("new")).unwrap();
        assert_eq!(made.mode() & 0o7777, mode, "umask {mask}");
        let folder = std::fs::metadata(&granted).unwrap();
        assert_eq!(
            (made.uid(), made.gid()),
            (folder.uid(), folder.gid()),
            "what is made belongs to the caller"
        );
    }
}

#[test]
fn the_report_tells_what_held_and_what_was_used() {
    let Some(place) = place() else { return };
    let done = run(&place, &[], "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 4");
    let report = &done.report;
    assert_eq!((report.belljar, report.reason.as_str(), report.hint.as_str()), (Report::FORMAT, "", ""));
    assert!(report.usage.wall > Duration::ZERO && report.usage.user + report.usage.system > Duration::ZERO);
    assert!((500_000..500_000_000).contains(&report.usage.peak_memory), "{:?}", report.usage);
    assert!(report.usage.user < report.usage.wall * 4);
    let row = |words: &str| report.enforced.iter().find(|row| row.rule.contains(words)).expect(words);
    assert!(
        row("read /usr").layers.contains(&Layer::Namespaces)
            && row("read /usr").layers.contains(&Layer::Landlock)
    );
    assert_eq!(row("descriptors").layers, [Layer::Descriptors]);
    assert!(row("reachable").layers.contains(&Layer::Seccomp));
    assert!(report.enforced.iter().all(|row| row.gap.is_none()), "{report:?}");
    let text = serde_json::to_string(report).unwrap();
    assert_eq!(&Report::from_json(&text).unwrap(), report);
}

#[test]
fn nothing_is_made_on_the_host_for_a_jar() {
    let Some(place) = place() else { return };
    let all = place.path().to_str().unwrap();
    let (inner, other) = (format!("{all}/granted"), format!("{all}/outside:/usr/local/elsewhere/deep"));
    let flags = [("-r", all), ("-w", inner.as_str()), ("-r", other.as_str()), ("--hide", "/usr/share")];
    let refused = jars::finish(&mut jars::shell(&place, &flags, "true")).unwrap_err();
    assert!(refused.to_string().contains("/usr/local/elsewhere/deep cannot be placed"), "{refused}");
    std::fs::metadata("/usr/local/elsewhere").expect_err("it was not made");
    let flags = [
        ("-r", all),
        ("-w", inner.as_str()),
        ("-r", &*format!("{all}/outside:/else/deep")),
        ("--hide", "/usr/share"),
    ];
    let done =
        run(&place, &flags, "cat /else/deep/victim $G/victim; ls -A /usr/share; touch $G/new; touch $O/new");
    assert_eq!(done.out, "unharmedunharmed", "{done:?}");
    assert_eq!(Place::names(&place.granted()), ["new", "victim"]);
    assert_eq!(Place::names(&place.outside()), ["secret", "victim"]);
    std::fs::metadata("/else").expect_err("nothing is made in the host's root");
}
