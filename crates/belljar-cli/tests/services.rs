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
    let script = "cat /etc/passwd- /etc/group- /etc/subuid /etc/subgid 2>/dev/null; :";
    let copies = within(&folder, &["run", "--service", "users=root", "--", "sh", "-c", script]);
    assert_eq!((copies.status, copies.out.as_str()), (0, ""), "{copies:?}");
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

/// A folder for logs beside the one that the jar sees, and a script that logs.
fn logged(test: &str, limit: &str, script: &str) -> (Seen, String) {
    let (folder, logs) = (files(test), Folder::new(&format!("logs-{test}")));
    logs.write("jar.log", "before\n");
    let service = format!("log={}{limit}", logs.path().join("jar.log").display());
    let seen =
        within(&folder, &["run", "--hostname", "parser", "--service", &service, "--", "sh", "-c", script]);
    (seen, std::fs::read_to_string(logs.path().join("jar.log")).unwrap())
}

#[test]
fn what_programs_log_is_added_to_the_file_and_nothing_of_it_steers() {
    let script = "logger -t me -p auth.emerg \"$(printf 'odd \\033[2J thing')\"; logger -t me -p 7 last";
    let (seen, log) = logged("log1", "", script);
    assert_eq!((seen.status, seen.err.as_str()), (0, ""), "{seen:?}");
    let lines: Vec<&str> = log.lines().collect();
    let [before, odd, last] = lines.as_slice() else { panic!("{log}") };
    assert_eq!(*before, "before");
    for (line, ends) in [(odd, "] error: me: odd \\u{1b}[2J thing"), (last, "] debug: me: last")] {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == 20 && time.ends_with('Z'), "{line}");
        let (who, _) = rest.strip_prefix("parser[").unwrap().split_once(']').unwrap();
        assert!(who.parse::<u32>().unwrap() > 2, "a number of the host: {line}");
        assert!(line.ends_with(ends), "{line}");
    }
}

#[test]
fn a_log_has_no_more_than_the_policy_says() {
    let (seen, log) = logged("log2", ",30", "logger -t a 'twenty bytes of text'; logger -t a 'too much now'");
    assert_eq!(seen.status, 0, "{seen:?}");
    assert!(seen.err.contains("no more of the log than the policy says"), "{seen:?}");
    assert!(log.contains("a: twenty bytes of text\n") && !log.contains("too much now"), "{log}");
    assert!(log.contains("1 lines are missing"), "{log}");
}

#[test]
fn a_log_that_the_program_could_write_itself_stops_the_start() {
    let folder = files("log3");
    let words = ["run", "-w", ".", "--service", "log=jar.log", "--", "true"];
    let seen = within(&folder, &words);
    assert!(seen.status == 125 && seen.err.contains("may write that file itself"), "{seen:?}");
    std::fs::metadata(folder.path().join("jar.log")).unwrap_err();
    let beside = Folder::new("logs-log3");
    symlink(folder.path(), beside.path().join("a")).unwrap();
    let service = format!("log={}/a/jar.log", beside.path().display());
    let seen = within(&folder, &["run", "-w", ".", "--service", &service, "--", "true"]);
    assert!(seen.status == 125 && seen.err.contains("may write that file itself"), "{seen:?}");
    let link = folder.path().join("link");
    symlink("jar.log", &link).unwrap();
    let seen = within(&folder, &["run", "--service", "log=link", "--", "true"]);
    assert_eq!(seen.status, 125, "a symlink is not followed: {seen:?}");
}

#[test]
fn nobody_logs_where_the_policy_names_no_log() {
    let folder = files("log4");
    let seen = within(&folder, &["run", "--", "logger", "--socket-errors=on", "x"]);
    assert_ne!(seen.status, 0, "{seen:?}");
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
        ("random", "programs have getrandom"),
        ("log", "--service log=FILE"),
        ("log=a,1M,2M", "--service log=FILE"),
        ("log=fd:x", "fd:3"),
        ("log=a,much", "a size such as"),
    ] {
        let seen = within(&folder, &["run", "--service", word, "--", "true"]);
        assert!(seen.status == 125 && seen.err.contains(remedy), "{word}: {seen:?}");
    }
}
