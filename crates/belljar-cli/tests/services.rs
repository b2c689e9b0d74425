//! Services for programs that know nothing of them: what is looked up at the start, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they skip"
)]

mod seen;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::symlink;

use seen::{Folder, Seen, command, see};

/// `belljar` in this folder.
fn within(folder: &Folder, words: &[&str]) -> Seen {
    see(command(words).current_dir(folder.path()))
}

fn files(test: &str) -> Folder {
    let folder = Folder::new(&format!("services-{test}"));
    folder.write("a", "one\ntwo\n");
    folder.write("b", "three\n");
    folder.write("c", "s3cret\n");
    folder
}

#[test]
fn the_files_among_the_words_are_read_and_no_other() {
    let folder = files("1");
    let counted = within(&folder, &["run", "--service", "fileargs", "--", "wc", "-l", "a", "b"]);
    assert_eq!((counted.status, counted.err.as_str()), (0, ""), "{counted:?}");
    assert!(counted.out.contains("2 a") && counted.out.contains("1 b"), "{counted:?}");
    let script = ["--", "sh", "-c", "cat a c; cat ./c ../*/c", "sh", "a"];
    let with = |options: &[&'static str]| [&["run"], options, &script].concat();
    assert!(within(&folder, &with(&[])).out.contains("s3cret"), "without the service the folder is there");
    let held = within(&folder, &with(&["--service", "fileargs"]));
    assert!(held.status != 0 && held.out.starts_with("one") && !held.out.contains("s3cret"), "{held:?}");
    let listed = within(&folder, &["run", "--service", "fileargs", "--", "sh", "-c", "ls", "sh", "a"]);
    assert_eq!(listed.out, "a\n", "not even names: {listed:?}");
}

#[test]
fn a_file_that_is_named_is_read_only() {
    let folder = files("2");
    let written =
        within(&folder, &["run", "--service", "fileargs", "--", "sh", "-c", "echo x > a; rm a", "sh", "a"]);
    assert_ne!(written.status, 0, "{written:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "one\ntwo\n");
}

#[test]
fn what_a_name_means_is_decided_at_the_start() {
    let folder = files("3");
    symlink("a", folder.path().join("link")).unwrap();
    let script = "echo started; read line; exec cat link";
    let mut child = command(["run", "--service", "fileargs", "--", "sh", "-c", script, "sh", "link"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    std::fs::remove_file(folder.path().join("link")).unwrap();
    symlink("c", folder.path().join("link")).unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "one\ntwo\n", "the file that was meant at the start");
    assert!(child.wait().unwrap().success());
}

#[test]
fn names_that_are_listed_have_addresses_and_others_have_none() {
    let folder = files("4");
    let run = |name: &'static str| {
        within(
            &folder,
            &["run", "--net", "off", "--service", "dns=localhost", "--", "getent", "ahosts", name],
        )
    };
    let known = run("localhost");
    assert!(known.status == 0 && known.out.contains("127.0.0.1"), "{known:?}");
    let other = run("www.example.org");
    assert!(other.status != 0 && other.out.is_empty(), "{other:?}");
    let absent = within(&folder, &["run", "--service", "dns=no-such-name.invalid", "--", "true"]);
    assert_eq!(absent.status, 125, "{absent:?}");
    assert!(absent.err.contains("no-such-name.invalid"), "{absent:?}");
}

#[test]
fn accounts_that_are_listed_are_there_and_others_are_not() {
    let folder = files("5");
    let run = |service: &'static str, name: &'static str| {
        within(&folder, &["run", "--service", service, "--", "getent", "passwd", name])
    };
    assert_eq!(run("users=root", "root").status, 0);
    assert_ne!(run("users=root", "daemon").status, 0);
    assert_eq!(run("users", "daemon").status, 0);
    let whole =
        within(&folder, &["run", "--service", "users=root", "--", "cat", "/etc/passwd", "/etc/group"]);
    assert!(whole.out.lines().all(|line| line.starts_with("root:")), "{whole:?}");
}

#[test]
fn zones_are_there_for_programs_that_see_nothing_else() {
    let folder = files("6");
    let zone = "/usr/share/zoneinfo/UTC";
    if std::fs::metadata(zone).is_err() {
        println!("SKIP: needs tzdata");
        return;
    }
    let words = ["filter", "--service", "time", "--", "cat", zone];
    assert_eq!(within(&folder, &words).status, 0);
    assert_ne!(within(&folder, &["filter", "--", "cat", zone]).status, 0);
}

#[test]
fn a_service_without_its_limits_is_a_mistake() {
    let folder = files("7");
    for (word, remedy) in [
        ("dns", "--service dns=NAME"),
        ("net", "--service net=NAME"),
        ("fileargs=a", "--service fileargs"),
        ("dns=a,", "--service dns=NAME"),
        ("files", "fileargs"),
        ("users=a:b", "a name of an account"),
    ] {
        let seen = within(&folder, &["run", "--service", word, "--", "true"]);
        assert!(seen.status == 125 && seen.err.contains(remedy), "{word}: {seen:?}");
    }
}
