//! `belljar decode`: the command carries no decoder, and hands over to the program beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use seen::{Folder, belljar, see};

/// A copy of the command in a folder of its own.
fn copy(folder: &Folder) -> PathBuf {
    let own = folder.path().join("belljar");
    std::fs::copy(env!("CARGO_BIN_EXE_belljar"), &own).unwrap();
    own
}

#[test]
fn without_the_program_beside_it_the_command_says_what_is_missing() {
    let folder = Folder::new("decode-absent");
    let seen = see(Command::new(copy(&folder)).args(["decode", "--image", "--out", "o", "a.png"]));
    assert_eq!(seen.status, 125, "{seen:?}");
    assert!(seen.err.contains("belljar-decode is not there") && seen.err.contains("hint: "), "{seen:?}");
}

#[test]
fn the_program_beside_it_gets_the_words_and_its_status_is_the_commands() {
    let folder = Folder::new("decode-words");
    let own = copy(&folder);
    let beside = folder.write("belljar-decode", "#!/bin/sh\nfor word; do echo \"$word\"; done\nexit 7\n");
    std::fs::set_permissions(beside, PermissionsExt::from_mode(0o755)).unwrap();
    let words =
        ["decode", "a.png", "--thumbnail=64", "--image", "--overwrite", "-q", "--out", "o", "--", "-b.png"];
    let seen = see(Command::new(own).args(words));
    assert_eq!(seen.status, 7, "{seen:?}");
    let handed: Vec<&str> = seen.out.lines().collect();
    let (options, files) = handed.split_at(handed.iter().position(|word| *word == "--").unwrap());
    assert_eq!(files, ["--", "a.png", "-b.png"]);
    for option in ["--image", "--overwrite", "--quiet"] {
        assert!(options.contains(&option), "{options:?}");
    }
    for pair in [["--thumbnail", "64"], ["--out", "o"]] {
        assert!(options.windows(2).any(|window| window == pair), "{options:?}");
    }
}

#[test]
fn what_must_be_said_is_asked_for() {
    for (words, missing) in
        [(&["decode", "--out", "o", "a"][..], "--image"), (&["decode", "--image", "a"], "--out")]
    {
        let seen = belljar(words);
        assert_eq!(seen.status, 125, "{seen:?}");
        assert!(seen.err.contains(&format!("{missing} is missing")), "{seen:?}");
    }
}
