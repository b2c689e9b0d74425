//! Reports: written whatever happened, and only where the jar and other users cannot forge them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use seen::{Folder, belljar, command, json, see};

/// Arguments besides `--report`, the verdict.
const ENDS: &[(&[&str], &str)] = &[
    (&["--", "true"], "exited"),
    (&["--", "sh", "-c", "kill -9 $$"], "signaled"),
    (&["-t", "200ms", "--", "sleep", "9"], "timed-out"),
    (&["--no-such-flag", "--", "true"], "setup-failed"),
    (&["ls"], "setup-failed"),
    (&["-m", "lots", "--", "true"], "setup-failed"),
    (&["-p", "no-such-file.toml", "--", "true"], "setup-failed"),
    (&["-r", "/no/such/path", "--", "true"], "setup-failed"),
    (&["--", "no-such-program-anywhere"], "not-found"),
    (&["--", "/etc/passwd"], "not-runnable"),
];

#[test]
fn every_end_is_reported() {
    let folder = Folder::new("ends");
    for (index, (args, verdict)) in ENDS.iter().enumerate() {
        let file = folder.path().join(format!("{index}.json"));
        let place = file.to_string_lossy().into_owned();
        let seen = belljar(["run", "--report", &place].iter().chain(*args));
        let report = json(&file);
        assert_eq!(report["verdict"]["kind"], *verdict, "{args:?}: {seen:?}");
        assert_eq!(report["belljar"], 1);
        let failed = *verdict == "setup-failed";
        assert_eq!(failed, seen.status == 125, "{args:?}: {seen:?}");
        assert!(!failed || !report["reason"].as_str().expect("text").is_empty(), "{args:?}");
    }
}

#[test]
fn the_file_is_private() {
    let folder = Folder::new("private");
    let file = folder.path().join("r.json");
    belljar(["run", "--report", &file.to_string_lossy(), "--", "true"]);
    assert_eq!(std::fs::metadata(&file).expect("a report").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_symlink_is_not_followed_and_nothing_is_run() {
    let folder = Folder::new("symlink");
    let victim = folder.write("victim", "precious");
    let link = folder.path().join("r.json");
    symlink(&victim, &link).expect("a symlink");
    let seen = belljar(["run", "--report", &link.to_string_lossy(), "--", "echo", "ran"]);
    assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{seen:?}");
    assert!(seen.err.contains("hint: "), "{seen:?}");
    assert_eq!(std::fs::read_to_string(victim).expect("still there"), "precious");
}

#[test]
fn a_folder_behind_a_users_symlink_is_refused() {
    let folder = Folder::new("behind");
    std::fs::create_dir(folder.path().join("real")).expect("a folder");
    let link = folder.path().join("out");
    symlink(folder.path().join("real"), &link).expect("a symlink");
    let seen = belljar(["run", "--report", &link.join("r.json").to_string_lossy(), "--", "echo", "ran"]);
    assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{seen:?}");
    assert!(seen.err.contains("symlink that a jar may have made"), "{seen:?}");
    assert!(!folder.path().join("real/r.json").try_exists().expect("stat"));
    let direct = folder.path().join("real/r.json");
    assert_eq!(belljar(["run", "--report", &direct.to_string_lossy(), "--", "true"]).status, 0);
}

#[test]
fn devices_and_files_with_several_names_are_refused() {
    let folder = Folder::new("unfit");
    let file = folder.write("one", "kept");
    let other = folder.path().join("two");
    std::fs::hard_link(&file, &other).expect("a second name");
    for place in ["/dev/null", "/dev/full", &other.to_string_lossy()] {
        let seen = belljar(["run", "--report", place, "--", "echo", "ran"]);
        assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{place}: {seen:?}");
    }
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "kept");
}

#[test]
fn a_program_that_replaces_the_report_is_found_out() {
    let folder = Folder::new("replaced");
    let place = folder.path().to_string_lossy().into_owned();
    let script = "rm r.json; echo '{\"verdict\":\"fine\"}' > r.json";
    let args = ["run", "-w", &place, "--report", "r.json", "--", "sh", "-c", script];
    let seen = see(command(args).current_dir(folder.path()));
    assert_eq!(seen.status, 125, "{seen:?}");
    assert!(seen.err.contains("was replaced during the run"), "{seen:?}");
}

#[test]
fn a_program_that_writes_into_the_report_changes_nothing() {
    let folder = Folder::new("scribble");
    let place = folder.path().to_string_lossy().into_owned();
    let script = "head -c 100000 /dev/zero > r.json; exit 4";
    let args = ["run", "-w", &place, "--report", "r.json", "--", "sh", "-c", script];
    let seen = see(command(args).current_dir(folder.path()));
    assert_eq!(seen.status, 4, "{seen:?}");
    assert_eq!(json(&folder.path().join("r.json"))["verdict"]["code"], 4);
    assert!(std::fs::metadata(folder.path().join("r.json")).expect("it").size() < 100_000);
}

#[test]
fn an_open_descriptor_takes_the_report_and_the_program_does_not_have_it() {
    let folder = Folder::new("descriptor");
    let file = folder.path().join("r.json");
    let script = "exec \"$0\" run --report fd:7 -- sh -c 'ls /proc/self/fd' 7> \"$1\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_belljar")]).arg(&file);
    let seen = see(&mut shell);
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(!seen.out.lines().any(|line| line == "7"), "{seen:?}");
    assert_eq!(json(&file)["verdict"]["code"], 0);
}

#[test]
fn a_descriptor_that_is_not_open_stops_the_run() {
    let seen = belljar(["run", "--report", "fd:91", "--", "echo", "ran"]);
    assert_eq!((seen.status, seen.out.as_str()), (125, ""));
    assert!(seen.err.contains("report descriptor 91 cannot be written"), "{seen:?}");
}

#[test]
fn events_end_with_a_line_of_their_own_whatever_happened() {
    let folder = Folder::new("events");
    for (args, status) in [(&["--", "true"][..], 0), (&["-m", "lots", "--", "true"][..], 125)] {
        let file = folder.write("events", "left over\n");
        let seen = belljar(["run", "--events", &file.to_string_lossy()].iter().chain(args));
        assert_eq!(seen.status, status, "{seen:?}");
        let end = json(&file);
        assert_eq!(end["end"], serde_json::json!({"events": 0, "more_events": 0, "unsent": 0}), "{seen:?}");
    }
}

#[test]
fn what_a_program_scribbles_into_the_events_is_gone() {
    let folder = Folder::new("events-scribble");
    let place = folder.path().to_string_lossy().into_owned();
    let script = "echo '{\"verdict\":\"granted\"}' > e.json; exit 4";
    let args = ["run", "-w", &place, "--events", "e.json", "--", "sh", "-c", script];
    let seen = see(command(args).current_dir(folder.path()));
    assert_eq!(seen.status, 4, "{seen:?}");
    assert_eq!(json(&folder.path().join("e.json"))["end"]["events"], 0);
}

#[test]
fn report_and_events_cannot_share_a_place() {
    let seen = belljar(["run", "--report", "fd:2", "--events", "fd:2", "--", "echo", "ran"]);
    assert_eq!((seen.status, seen.out.as_str()), (125, ""));
    assert!(seen.err.contains("name the same place") && seen.err.contains("hint: "), "{seen:?}");
}

#[test]
fn nobody_can_want_silence_and_many_words() {
    for words in [&["-q", "-v"][..], &["-vq"], &["--verbose", "--quiet"]] {
        let seen = belljar(["run"].iter().chain(words).chain(&["--", "echo", "ran"]));
        assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{words:?}");
        assert!(
            seen.err.contains("--quiet and --verbose contradict") && seen.err.contains("hint: "),
            "{seen:?}"
        );
    }
}
