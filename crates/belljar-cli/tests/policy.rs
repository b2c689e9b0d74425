//! `belljar policy`, and what a wrong policy says everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use seen::{Folder, belljar};
use serde_json::Value;

#[test]
fn a_good_file_passes_in_silence() {
    let folder = Folder::new("good");
    let file = folder.write("jar.toml", "belljar = 1\n[net]\nmode = \"none\"\n");
    let seen = belljar(["policy", "check", &file.to_string_lossy()]);
    assert_eq!((seen.status, seen.out.as_str(), seen.err.as_str()), (0, "", ""));
}

/// Text, line and column of the mistake, a part of the message, a part of the remedy.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("belljar = 1\n[limits]\nmemroy = \"1G\"\n", ":3:1", "memroy", "memory"),
    ("belljar = 1\n[net]\nmode = \"nnoe\"\n", ":3:", "nnoe", "none"),
    ("[net]\nmode = \"none\"\n", ":1", "belljar = 1", ""),
    ("belljar = 1\n[limits]\npids = \"many\"\n", ":3:8", "many", ""),
    ("belljar = 1\n[fs\n", ":2", "", ""),
];

#[test]
fn a_mistake_is_shown_with_its_place_a_caret_and_a_remedy() {
    let folder = Folder::new("wrong");
    for (text, place, part, remedy) in WRONG {
        let file = folder.write("jar.toml", text);
        for args in [&["policy", "check"][..], &["policy", "show", "-p"]] {
            let file = file.to_string_lossy();
            let seen = belljar(args.iter().copied().chain([&*file]));
            assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{text:?}: {seen:?}");
            assert!(seen.err.contains(&format!("jar.toml{place}")), "{text:?}: {seen:?}");
            assert!(seen.err.contains('^') && seen.err.contains(part), "{text:?}: {seen:?}");
            assert!(seen.err.contains(remedy), "{text:?}: {seen:?}");
        }
    }
}

#[test]
fn a_grant_of_everything_names_its_line_and_the_long_word() {
    let folder = Folder::new("broad");
    let file = folder.write("jar.toml", "belljar = 1\n[fs]\n\"/\" = \"write\"\n");
    let seen = belljar(["policy", "check", &file.to_string_lossy()]);
    assert_eq!(seen.status, 125);
    for part in ["`/`", "jar.toml:3", "--dangerously-grant /"] {
        assert!(seen.err.contains(part), "no {part}: {seen:?}");
    }
}

#[test]
fn a_file_cannot_steer_the_terminal() {
    let folder = Folder::new("steer");
    let file = folder.write("jar.toml", "belljar = 1\n\"\\u001b[2J\\u202e\" = 1 # \u{1b}[31m\u{202e}\n");
    let seen = belljar(["policy", "check", &file.to_string_lossy()]);
    assert_eq!(seen.status, 125);
    assert!(!seen.err.contains(['\u{1b}', '\u{202e}']), "{seen:?}");
}

#[test]
fn what_is_shown_is_a_policy_again() {
    let folder = Folder::new("again");
    let shown = belljar(["policy", "show", "-m", "512M", "-r", "/usr/share", "-n", "off"]);
    assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{shown:?}");
    let file = folder.write("jar.toml", &shown.out);
    let place = file.to_string_lossy();
    assert_eq!(belljar(["policy", "check", &place]).status, 0, "{}", shown.out);
    let again = belljar(["policy", "show", "-p", &place]);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again.out), sorted(&shown.out));
}

#[test]
fn origins_name_flags_and_presets() {
    let seen = belljar(["policy", "show", "--origin", "-m", "512M"]);
    assert_eq!(seen.status, 0, "{seen:?}");
    let memory = seen.out.lines().find(|line| line.starts_with("memory")).expect("a memory line");
    assert!(memory.contains("512M\"  # -m 512M"), "{memory}");
    assert!(seen.out.contains("@strict:"), "{seen:?}");
}

#[test]
fn json_forms_are_json() {
    let shown = belljar(["policy", "show", "--json", "-n", "off"]);
    let policy: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(policy["net"]["mode"]["value"], "off", "{policy}");
    let schema: Value = serde_json::from_str(&belljar(["policy", "schema"]).out).expect("JSON");
    assert!(schema["properties"]["net"].is_object(), "{schema}");
}

#[test]
fn a_flag_that_is_wrong_is_shown_like_a_file() {
    let seen = belljar(["policy", "show", "-m", "lots"]);
    assert_eq!(seen.status, 125);
    assert!(seen.err.contains("lots") && seen.err.contains("-m lots"), "{seen:?}");
}
