//! Mistakes on the command line: status 125, what is wrong, what to type instead, nothing on standard output.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use seen::belljar;

/// Arguments, a part of the message, a part of the remedy.
const MISTAKES: &[(&[&str], &str, &str)] = &[
    (&[], "no subcommand", "belljar run -- COMMAND"),
    (&["doctr"], "unknown subcommand `doctr`", "did you mean doctor?"),
    (&["python3", "x.py"], "unknown subcommand `python3`", "belljar run -- python3"),
    (&["--frobnicate"], "unknown option --frobnicate", "--help"),
    (&["run"], "no command after --", "belljar run [options] -- COMMAND"),
    (&["run", "--"], "no command after --", "belljar run [options] -- COMMAND"),
    (&["run", "ls", "-l"], "`ls` stands before --", "belljar run [options] -- ls"),
    (&["run", "--raed", "/usr", "--", "ls"], "unknown option --raed", "did you mean --read?"),
    (&["run", "--read"], "option --read needs a value", "belljar run --help"),
    (&["run", "--verbose=2", "--", "ls"], "option --verbose takes no value", "belljar run --help"),
    (
        &["run", "--report", "/dev/null", "--report", "/dev/null", "--", "ls"],
        "option --report given twice",
        "belljar run --help",
    ),
    (&["run", "--engine", "kvm", "--", "ls"], "unknown engine `kvm`", "one of: auto, process"),
    (&["why"], "OBJECT is missing", "belljar why"),
    (&["policy"], "policy needs one of: check, show, schema", "belljar policy --help"),
    (&["policy", "chck"], "unknown subcommand `chck`", "did you mean check?"),
    (&["policy", "check"], "FILE is missing", "belljar policy check belljar.toml"),
    (&["doctor", "now"], "unknown argument now", "belljar doctor --help"),
];

#[test]
fn each_mistake_is_named_with_its_remedy() {
    for (args, reason, hint) in MISTAKES {
        let seen = belljar(*args);
        assert_eq!(seen.status, 125, "{args:?}: {seen:?}");
        assert_eq!(seen.out, "", "{args:?}");
        let (said, advised) = seen.err.split_once("\nhint: ").unwrap_or_else(|| panic!("{args:?}: {seen:?}"));
        assert!(said.starts_with("belljar: ") && said.contains(reason), "{args:?}: {seen:?}");
        assert!(advised.contains(hint), "{args:?}: {seen:?}");
    }
}

#[test]
fn help_and_version_are_answers() {
    let help = belljar(["--help"]);
    assert_eq!((help.status, help.err.as_str()), (0, ""));
    for sub in belljar_cli::SUBCOMMANDS {
        assert!(help.out.contains(sub.name), "{}", sub.name);
    }
    let version = belljar(["--version"]);
    assert_eq!(version.out, format!("belljar {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(belljar(["help"]).out, help.out);
    assert!(belljar(["run", "--help"]).out.contains("Usage: belljar run"));
    assert!(belljar(["policy", "show", "--help"]).out.contains("Usage: belljar policy show"));
}

#[test]
fn what_was_typed_cannot_steer_the_terminal() {
    let hostile = OsStr::from_bytes(b"--\x1b[2J\xe2\x80\xaex\xff");
    let seen = belljar(["run".as_ref(), hostile, "--".as_ref(), "ls".as_ref()]);
    assert_eq!(seen.status, 125);
    assert!(!seen.err.contains(['\u{1b}', '\u{202e}']), "{seen:?}");
}

/// Names that are no text, and names that begin a line of their own: each mistake shows every byte, on one line.
#[test]
fn a_name_that_is_no_text_is_shown_with_every_byte() {
    let odd = OsStr::from_bytes(b"no\xff\x1b[2J\nhint: all is well");
    let path = OsStr::from_bytes(b"/none/no\xff\x1b[2J\nhint: all is well");
    let word = OsStr::new;
    for argv in [
        &[word("why"), odd][..],
        &[word("why"), path],
        &[word("explain"), odd],
        &[word("run"), word("--"), odd],
        &[word("run"), word("--"), path],
        &[word("run"), word("-r"), path, word("--"), word("true")],
        &[word("run"), word("--report"), path, word("--"), word("true")],
        &[word("run"), word("-p"), path, word("--"), word("true")],
        &[word("why"), word("--report"), path],
        &[word("learn"), word("--"), odd],
        &[word("policy"), word("check"), path],
    ] {
        let seen = belljar(argv);
        let said = seen.out + &seen.err;
        assert!([1, 125, 127].contains(&seen.status), "{argv:?}: {said}");
        assert!(said.contains("no\\xff\\x1b[2J"), "{argv:?}: {said}");
        assert!(!said.contains(|sign| "\u{1b}\u{fffd}".contains(sign)), "{argv:?}: {said}");
        assert!(!said.contains("\nhint: all is well"), "{argv:?}: {said}");
    }
    let seen = belljar([odd]);
    assert!(seen.status == 125 && !seen.err.contains("\nhint: all"), "{seen:?}");
}

#[test]
fn the_tree_is_sound() {
    belljar_cli::command().debug_assert();
}

#[test]
fn half_an_answer_is_a_failure() {
    let full = std::fs::File::create("/dev/full").expect("the device");
    let seen = seen::see(seen::command(["explain"]).stdout(full));
    assert_eq!(seen.status, 125);
    assert!(seen.err.starts_with("belljar: standard output cannot be written"), "{seen:?}");
}

#[test]
fn a_flag_is_explained_as_it_is_typed() {
    for words in [["explain", "-m"], ["explain", "--memory"], ["explain", "memory"]] {
        let seen = belljar(words);
        assert!(seen.status == 0 && seen.out.starts_with("limits.memory\n"), "{seen:?}");
    }
    for (wrong, near) in [("--memroy", "--memory"), ("memroy", "memory")] {
        let seen = belljar(["explain", wrong]);
        let hint = format!("did you mean {near}?");
        assert!(seen.status == 125 && seen.err.contains(wrong) && seen.err.contains(&hint), "{seen:?}");
    }
}

#[test]
fn what_there_is_of_a_kind_is_listed() {
    for (kind, name, about) in [
        ("limits", "limits.memory", "Memory of the whole process tree."),
        ("presets", "@dev", "Building and testing the project"),
        ("groups", "@default", " "),
    ] {
        let seen = belljar(["explain", kind]);
        let line = seen.out.lines().find(|line| line.trim_start().starts_with(name));
        assert!(seen.status == 0 && line.is_some_and(|line| line.contains(about)), "{seen:?}");
    }
}
