//! Starts that are refused: nothing is run, nothing is left, and the error says which rule and what helps.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::ffi::CString;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use belljar::error::{PlanError, StartError};
use belljar::probe::Userns;
use belljar::report::Verdict;
use belljar::{Command, Report};
use belljar_sys::abi::SockFilter;
use belljar_sys::child::{Forbidden, Network};
use belljar_sys::wire::{self, Event};
use belljar_sys::{Errno, Op, owned};
use support::has_userns;
use support::jars::{self, Place};
use support::poorer;

/// A script that would show that it was run.
const RUN: &str = "touch $G/run";

fn refused(command: &mut Command, place: &Place) -> (StartError, Report) {
    let error = command.spawn().unwrap_err();
    assert_eq!(std::fs::read_to_string("/proc/thread-self/children").unwrap(), "", "nothing is left");
    let report = command.run();
    assert_eq!(report.reason, error.to_string(), "both doors say the same");
    assert_eq!(Place::names(&place.granted()), ["victim"], "nothing was run");
    (error, report)
}

fn with(place: &Place, flags: &[(&str, &str)]) -> (StartError, Report) {
    let flags: Vec<_> = [("-w", ".")].iter().chain(flags).copied().collect();
    refused(&mut jars::shell(place, &flags, RUN), place)
}

#[test]
fn the_script_of_these_tests_shows_that_it_was_run() {
    if has_userns() {
        let place = Place::new();
        jars::finish(&mut jars::shell(&place, &[("-w", ".")], RUN)).unwrap();
        assert_eq!(Place::names(&place.granted()), ["run", "victim"]);
    }
}

#[test]
fn a_missing_path_is_named_with_its_rule_unless_it_may_be_absent() {
    let place = Place::new();
    for flag in ["-r", "-w", "--read-noexec"] {
        let (error, report) = with(&place, &[(flag, "/no/such/folder")]);
        assert!(matches!(error, StartError::Path { .. }), "{error}");
        assert!(report.reason.contains(&format!("/no/such/folder ({flag} /no/such/folder)")), "{report:?}");
        assert!(
            report.hint.contains("?/no/such/folder") && report.verdict == Verdict::SetupFailed,
            "{report:?}"
        );
    }
    if has_userns() {
        let optional = [("-r", "?/no/such/folder"), ("--hide", "/no/such/folder")];
        jars::finish(&mut jars::shell(&place, &optional, "true")).unwrap();
        std::fs::metadata("/no").expect_err("not made either");
    }
}

#[test]
fn a_symlink_to_a_dangerous_place_needs_the_long_word() {
    let place = Place::new();
    let home = PathBuf::from(std::env::var_os("HOME").expect("tests have a home"));
    let above = home.parent().expect("no test is at home in /");
    let what = if above == Path::new("/") { "the root of the host" } else { "the home folder" };
    for (target, what) in [
        (Path::new("/"), "the root of the host"),
        (Path::new("/proc"), "the host's processes"),
        (Path::new("/proc/1"), "the host's processes"),
        (above, what),
        (&home, "the home folder"),
    ] {
        let link = place.outside().join("link");
        symlink(target, &link).unwrap();
        for flag in ["-r", "-w"] {
            let flags = [("-w", "."), (flag, link.to_str().unwrap())];
            let (error, report) = refused(&mut jars::shell(&place, &flags, RUN), &place);
            assert!(matches!(error, StartError::Dangerous { .. }), "{target:?}: {error}");
            assert!(
                report.reason.contains(what) && report.hint.contains("--dangerously-grant"),
                "{report:?}"
            );
        }
        std::fs::remove_file(link).unwrap();
    }
}

#[test]
fn a_symlink_that_an_earlier_run_may_have_made_leads_nowhere() {
    let place = Place::new();
    symlink(place.outside(), place.granted().join("vendor")).unwrap();
    let at = |rest: &str| format!("{}/{rest}", place.granted().display());
    for rule in [at("vendor"), at("vendor/victim"), format!("?{}", at("vendor")), at("vendor:/elsewhere")] {
        let error = jars::shell(&place, &[("-w", "."), ("-r", &rule)], RUN).spawn().unwrap_err();
        assert!(matches!(error, StartError::Planted { .. }), "{rule}: {error}");
        let report = jars::shell(&place, &[("-w", "."), ("-r", &rule)], RUN).run();
        assert!(report.reason.contains("an earlier run"), "{report:?}");
        assert!(report.hint.contains(place.outside().to_str().unwrap()), "{report:?}");
    }
}

#[test]
fn symlinks_that_no_run_can_have_made_are_followed() {
    if !has_userns() {
        return;
    }
    let place = Place::new();
    symlink(place.outside(), place.granted().join("vendor")).unwrap();
    symlink(place.granted().join("victim"), place.granted().join("inner")).unwrap();
    symlink(place.outside(), place.path().join("alias")).unwrap();
    let at = |rest: &str| place.path().join(rest).to_str().unwrap().to_owned();
    let [vendor, inner, alias] = [at("granted/vendor"), at("granted/inner"), at("alias")];
    for flags in [
        vec![("-r", vendor.as_str())],
        vec![("-w", "."), ("-r", &inner)],
        vec![("-w", "."), ("-r", &alias)],
        vec![("-w", "."), ("--hide", &vendor)],
    ] {
        jars::finish(&mut jars::shell(&place, &flags, "true")).unwrap();
    }
}

#[test]
fn nothing_is_placed_where_nothing_is() {
    let place = Place::new();
    let inside = format!("{}:{}/new", place.outside().display(), place.granted().display());
    let (error, report) = with(&place, &[("-r", &inside)]);
    assert!(matches!(error, StartError::NoMountPoint { .. }), "{error}");
    assert!(report.hint.contains("create") && report.hint.contains("granted/new"), "{report:?}");
}

/// Files that cannot be run, with the verdict and a word of the reason.
#[test]
fn what_cannot_be_run_is_told_from_what_is_not_there() {
    if !has_userns() {
        return;
    }
    let place = Place::new();
    // Head of a 32-bit program for i386, type "executable".
    let mut small = b"\x7fELF\x01\x01\x01".to_vec();
    small.resize(16, 0);
    small.extend([2, 0, 3, 0, 1, 0, 0, 0]);
    small.resize(84, 0);
    let files: [(&str, &[u8], u32, Verdict, &str); 5] = [
        ("plain", b"#!/bin/sh\n", 0o644, Verdict::NotRunnable, "Permission denied"),
        ("orphan", b"#!/no/such/interpreter\n", 0o755, Verdict::NotRunnable, "/no/such/interpreter"),
        ("text", b"\0\0 no program\n", 0o755, Verdict::NotRunnable, "Exec format error"),
        ("small", &small, 0o755, Verdict::NotRunnable, "32-bit"),
        ("empty", b"", 0o755, Verdict::NotRunnable, "Exec format error"),
    ];
    for (name, bytes, mode, verdict, why) in files {
        let path = place.outside().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let mut command = Command::new(&path);
        command.policy(jars::policy(&place.outside(), &[])).current_dir(place.outside());
        let (error, report) = refused(&mut command, &place);
        assert_eq!((report.verdict, report.verdict.exit_code()), (verdict, 126), "{name}: {error}");
        assert!(report.reason.contains(why), "{name}: {report:?}");
    }
    for program in ["no-such-program", "/usr/bin/no-such-program", "./no-such-program"] {
        let mut command = Command::new(program);
        command.policy(jars::policy(&place.granted(), &[])).current_dir(place.granted());
        let (error, report) = refused(&mut command, &place);
        assert!(matches!(error, StartError::NotFound { .. }), "{error}");
        assert_eq!((report.verdict, report.verdict.exit_code()), (Verdict::NotFound, 127));
        assert!(report.reason.contains("no-such-program") && !report.hint.is_empty(), "{report:?}");
    }
    let (error, _) =
        refused(Command::new(place.granted()).policy(jars::policy(&place.granted(), &[])), &place);
    assert!(matches!(error, StartError::NotRunnable { .. } | StartError::NotFound { .. }), "{error}");
}

#[test]
fn a_zero_byte_is_an_error_and_no_shortened_word() {
    let place = Place::new();
    for word in 0..2 {
        let mut command = jars::shell(&place, &[("-w", ".")], RUN);
        if word == 0 {
            command.arg("a\0b");
        } else {
            command
                .policy(jars::policy(&place.granted(), &[("-w", ".")]))
                .caller_env([("PATH".into(), "/bin\0/x".into())]);
        }
        let (error, report) = refused(&mut command, &place);
        assert!(matches!(error, StartError::ZeroByte { .. }), "{error}");
        assert_eq!(report.verdict, Verdict::SetupFailed);
    }
}

/// A fact that is taken away, and what the start must say. Nothing may be run with less than was asked for.
#[test]
fn each_missing_fact_is_a_refusal_or_the_same_walls() {
    if !has_userns() {
        return;
    }
    type Row = (&'static str, fn(&mut belljar::HostFacts), Option<fn(&PlanError) -> bool>);
    let rows: [Row; 7] = [
        ("seccomp", |facts| facts.seccomp = false, Some(|error| matches!(error, PlanError::NoSeccomp))),
        ("landlock", |facts| facts.landlock = 0, None),
        ("landlock abi 1", |facts| facts.landlock = facts.landlock.min(1), None),
        (
            "userns",
            |facts| facts.userns = Userns::Refused,
            Some(|error| matches!(error, PlanError::NotEnforceable { .. })),
        ),
        (
            "mount calls",
            |facts| facts.mount_fds = false,
            Some(|error| matches!(error, PlanError::NotEnforceable { .. })),
        ),
        (
            "userns and landlock",
            |facts| (facts.userns, facts.landlock) = (Userns::Limit, 0),
            Some(|error| matches!(error, PlanError::NotEnforceable { .. })),
        ),
        (
            "userns, landlock and notify",
            |facts| (facts.userns, facts.landlock, facts.seccomp_notify) = (Userns::Limit, 0, false),
            Some(|error| matches!(error, PlanError::NoEngine { .. })),
        ),
    ];
    for (name, take, refusal) in rows {
        let place = Place::new();
        let mut facts = belljar::probe::probe();
        take(&mut facts);
        let Some(expected) = refusal else {
            let attack = "cat $O/secret; echo harm > $O/victim; cat $G/victim";
            let done = jars::finish(jars::shell(&place, &[("-w", ".")], attack).host(facts)).unwrap();
            assert_eq!(done.out, "unharmed", "{name}: {done:?}");
            assert_eq!(
                std::fs::read_to_string(place.outside().join("victim")).unwrap(),
                "unharmed",
                "{name}"
            );
            continue;
        };
        let (error, report) = refused(jars::shell(&place, &[("-w", ".")], RUN).host(facts), &place);
        let StartError::Plan(error) = error else { panic!("{name}: {error}") };
        assert!(expected(&error), "{name}: {error}");
        assert!(report.verdict.exit_code() == 125 && !report.hint.is_empty(), "{name}: {report:?}");
    }
}

/// A child that is confined by `steps` and then probes for `forbidden`; the program would make a file.
fn probed(steps: &[Op<'_>], forbidden: Forbidden<'_>, made: &Path) -> Event {
    let [touch, made] = [Path::new("/usr/bin/touch"), made]
        .map(|path| CString::new(path.as_os_str().as_encoded_bytes()).unwrap());
    let argv = [touch.as_ptr().cast(), made.as_ptr().cast(), std::ptr::null()];
    let candidates = [touch.as_c_str()];
    let exec = Op::Exec { candidates: &candidates, argv: &argv, envp: &[std::ptr::null()] };
    let program: Vec<Op<'_>> = steps.iter().copied().chain([Op::SelfProbe(forbidden), exec]).collect();
    let (child, ours) = poorer::child(&[], &program, 0);
    let mut bytes = [0_u8; wire::SIZE];
    assert_eq!(rustix::io::read(&ours, &mut bytes).unwrap(), wire::SIZE);
    owned::reap(&child.pidfd).unwrap();
    Event::decode(&bytes).unwrap()
}

#[test]
fn a_forbidden_action_that_succeeds_means_that_nothing_is_run() {
    let place = Place::new();
    let made = place.granted().join("made");
    let nothing = Forbidden { open: None, network: Network::Unasked, call: false };
    assert!(matches!(probed(&[], nothing, &made), Event::Ended(ended) if ended.status == 0));
    std::fs::remove_file(&made).expect("the program runs where nothing is forbidden");
    let allow = [SockFilter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 }];
    let loose = [Op::NoNewPrivs, Op::Seccomp(&allow)];
    let open = Forbidden { open: Some(c"/etc/passwd"), ..nothing };
    let call = Forbidden { call: true, ..nothing };
    for (forbidden, what) in [(open, "open"), (call, "call")] {
        match probed(&loose, forbidden, &made) {
            Event::Failed(failure) => {
                assert_eq!((failure.phase, failure.at, failure.errno), (1, 2, Errno::NOT_CONFINED), "{what}");
            }
            other => panic!("{what}: {other:?}"),
        }
        std::fs::metadata(&made).expect_err("nothing was run");
    }
    // A path that is not there to be opened proves nothing against the jar.
    let absent = Forbidden { open: Some(c"/no/such/file"), ..nothing };
    assert!(matches!(probed(&loose, absent, &made), Event::Ended(ended) if ended.status == 0));
}

#[test]
fn a_network_that_is_reached_means_that_nothing_is_run() {
    let routes = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let reaches = routes.lines().any(|line| line.split_whitespace().nth(1) == Some("00000000"));
    if !support::has("a default route", reaches) {
        return;
    }
    let place = Place::new();
    let made = place.granted().join("made");
    let forbidden = Forbidden { open: None, network: Network::NoRoute, call: false };
    match probed(&[], forbidden, &made) {
        Event::Failed(failure) => assert_eq!(failure.errno, Errno::NOT_CONFINED),
        other => panic!("{other:?}"),
    }
    std::fs::metadata(&made).expect_err("nothing was run");
}

/// Not a test: root of a user namespace in which nobody else exists.
#[test]
#[ignore = "started by the other tests"]
fn lonely_root() {
    let place = Place::new();
    let (error, report) = with(&place, &[]);
    assert!(matches!(error, StartError::Step { step: "id-maps", .. }), "{error}");
    assert!(
        report.reason.contains("uid 65534") && report.hint.contains("surrounding user namespace"),
        "{report:?}"
    );
}

#[test]
fn a_root_who_cannot_become_nobody_is_told_so() {
    if has_userns() {
        let mut command = std::process::Command::new("unshare");
        command.arg("-r").arg(std::env::current_exe().unwrap()).args(["lonely_root", "--exact", "--ignored"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
