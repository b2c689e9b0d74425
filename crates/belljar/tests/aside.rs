//! Copy-on-write that is thrown away: the jar sees its changes, the host never does.
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

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use belljar::error::StartError;
use belljar::report::Verdict;
use rustix::fs::{Mode, OFlags};
use support::jars::{self, Done, Place};
use support::{has_userns, watch};

const SIZE: (&str, &str) = ("--throw-away", "8M");

/// A place whose granted folder holds a tree that its owner may change.
fn place() -> Option<Place> {
    has_userns().then(|| {
        let place = Place::new();
        for folder in ["sub", "sub/deep", "sub/own"] {
            let folder = place.granted().join(folder);
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(folder, PermissionsExt::from_mode(0o777)).unwrap();
        }
        for (name, text) in [("sub/deep/x", "old\n"), ("sub/key", "private\n"), ("sub/fixed", "fixed\n")] {
            jars::file(&place.granted().join(name), text);
        }
        place
    })
}

fn run(place: &Place, flags: &[(&str, &str)], script: &str) -> Done {
    jars::finish(&mut jars::shell(place, flags, script)).unwrap()
}

/// Every path below a folder with what it holds.
fn tree(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        let text = fs::read_to_string(&path).unwrap_or_default();
        found.push((path.display().to_string(), format!("{mode:o} {text}")));
        if path.is_dir() {
            found.extend(tree(&path));
        }
    }
    found.sort();
    found
}

const CHANGES: &str = "echo more >> victim; echo new > made; mkdir folder; echo in > folder/file
rm sub/deep/x; rmdir sub/deep; mkdir sub/deep; mv sub/key sub/moved; chmod 600 sub/fixed; ln -s /etc/passwd link
cat victim made folder/file sub/moved; ls -d sub/deep/x sub/key link 2>/dev/null; stat -c %a sub/fixed";

#[test]
fn the_jar_sees_its_changes_and_the_host_does_not() {
    let Some(place) = place() else { return };
    let before = tree(&place.granted());
    let done = run(&place, &[("--cow", "."), SIZE], CHANGES);
    assert_eq!(done.out, "unharmedmore\nnew\nin\nprivate\nlink\n600\n", "{done:?}");
    assert_eq!(tree(&place.granted()), before);
    // The same with a grant for writing: the host sees what copy-on-write kept from it.
    let done = run(&place, &[("--write", ".")], CHANGES);
    assert_eq!(done.out, "unharmedmore\nnew\nin\nprivate\nlink\n600\n", "{done:?}");
    assert_ne!(tree(&place.granted()), before);
}

#[test]
fn a_second_run_starts_from_the_host_again() {
    let Some(place) = place() else { return };
    for _ in 0..2 {
        let done = run(&place, &[("--cow", "."), SIZE], "cat made; echo x > made; cat made");
        assert_eq!(done.out, "x\n", "{done:?}");
    }
}

#[test]
fn hidden_and_narrower_paths_inside_stay_what_they_are() {
    let Some(place) = place() else { return };
    let flags = [("--cow", "."), SIZE, ("--hide", "sub/key"), ("--read", "sub/deep"), ("--write", "sub/own")];
    let script = "cat sub/key; echo a > sub/deep/x; rm -rf sub; mv sub other; ln sub/key named; cat named
echo kept > sub/own/made; echo lost > sub/made; cat sub/deep/x sub/made";
    let done = run(&place, &flags, script);
    assert_eq!(done.out, "old\nlost\n", "{done:?}");
    assert_eq!(fs::read_to_string(place.granted().join("sub/own/made")).unwrap(), "kept\n");
    assert_eq!(Place::names(&place.granted().join("sub")), ["deep", "fixed", "key", "own"]);
    let done = run(&place, &[("--cow", "."), SIZE], "cat sub/key");
    assert_eq!(done.out, "private\n", "it is there where nothing hides it");
}

/// No read-only mount keeps a FIFO from being written to.
#[test]
fn fifos_inside_are_the_jars_own() {
    let Some(place) = place() else { return };
    let fifo = place.granted().join("sub/deep/fifo");
    assert!(std::process::Command::new("mkfifo").args(["-m", "666"]).arg(&fifo).status().unwrap().success());
    let how = OFlags::RDONLY | OFlags::NONBLOCK;
    let mut heard = fs::File::from(rustix::fs::open(&fifo, how, Mode::empty()).unwrap());
    let script = "exec 3<> sub/deep/fifo && echo harm >&3; echo end";
    for flags in [&[("--cow", "."), SIZE, ("--read", "sub/deep")][..], &[("--cow", "."), SIZE]] {
        let done = run(&place, flags, script);
        assert_eq!(done.out, "end\n", "{done:?}");
        let mut text = String::new();
        heard.read_to_string(&mut text).unwrap();
        assert_eq!(text, "", "{flags:?}");
    }
    assert_eq!(run(&place, &[("--write", ".")], script).out, "end\n");
    let mut byte = [0];
    heard.read_exact(&mut byte).expect("a grant for writing reaches it");
}

#[test]
fn the_size_bounds_all_overlays_together() {
    let Some(place) = place() else { return };
    let flags = [("--cow", "."), ("--write", "sub"), ("--cow", "sub/deep"), ("--throw-away", "2M")];
    let write =
        "head -c 1500000 /dev/zero > big && echo one; head -c 1500000 /dev/zero > sub/deep/big || echo full";
    let done = run(&place, &flags, write);
    assert_eq!(done.out, "one\nfull\n", "{done:?}");
    let roomy = [("--cow", "."), ("--write", "sub"), ("--cow", "sub/deep"), ("--throw-away", "8M")];
    assert_eq!(run(&place, &roomy, write).out, "one\n");
}

#[test]
fn where_the_changes_lie_is_out_of_reach() {
    let Some(place) = place() else { return };
    let script = "echo x > made; ls -a / | grep -c aside; ls /.belljar-aside /proc/.belljar-aside 2>/dev/null; echo end";
    assert_eq!(run(&place, &[("--cow", "."), SIZE], script).out, "0\nend\n");
}

#[test]
fn a_killed_run_leaves_nothing() {
    let Some(place) = place() else { return };
    let before = tree(&place.granted());
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounted = mounts();
    let mark = watch::mark();
    let script = format!("echo x > made; rm victim; sleep {mark}");
    let mut child = jars::shell(&place, &[("--cow", "."), SIZE], &script).spawn().unwrap();
    assert!(watch::within(watch::LONG, || !watch::marked(&mark).is_empty()));
    child.kill().unwrap();
    assert!(watch::within(watch::LONG, || watch::marked(&mark).is_empty()));
    assert_eq!(tree(&place.granted()), before);
    assert_eq!(mounts(), mounted);
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let Some(place) = place() else { return };
    let refused = |flags: &[(&str, &str)]| {
        let error = jars::finish(&mut jars::shell(&place, flags, "true")).unwrap_err();
        (belljar::Report::failed(&error, &belljar::probe::probe()), error)
    };
    let (report, error) = refused(&[("--cow", ".")]);
    assert!(matches!(error, StartError::Plan(_)), "{error:?}");
    assert_eq!((report.verdict, report.verdict.exit_code()), (Verdict::SetupFailed, 125));
    assert!(report.hint.contains("--throw-away"), "{report:?}");
    let (report, error) = refused(&[("--cow", "sub/key"), SIZE]);
    assert!(matches!(error, StartError::NotAFolder { .. }), "{error:?}");
    assert_eq!((report.verdict.exit_code(), report.hint.is_empty()), (125, false));
    let root = place.outside().display().to_string();
    let (report, _) = refused(&[("--cow", "."), SIZE, ("--root", &root)]);
    assert_eq!(report.verdict.exit_code(), 125, "{report:?}");
}
