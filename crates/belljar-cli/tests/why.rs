//! `belljar why` and `belljar explain`: answers from the policy, without running anything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use belljar::event::{Access, Event, Verdict};
use belljar::report::{self, Report};
use seen::{Folder, belljar, see};
use serde_json::Value;

/// Arguments, exit status, parts of the answer.
const QUESTIONS: &[(&[&str], i32, &[&str])] = &[
    (&["/usr/bin/env"], 0, &["allowed", "read", "/usr"]),
    (&["/root/.ssh/id_ed25519"], 1, &["denied", "--read /root/.ssh/id_ed25519"]),
    (&["-w", "/srv", "/srv/x"], 0, &["allowed (write)", "(-w /srv)"]),
    (&["example.org:443"], 1, &["denied", "to allow: --net example.org:443"]),
    (&["-n", "host", "example.org:443"], 0, &["allowed", "host"]),
    (&["[::1]:80"], 1, &["denied"]),
    (&["read"], 0, &["allowed"]),
    (&["ptrace"], 1, &["denied"]),
    (&["SECRET_TOKEN"], 1, &["denied", "--env SECRET_TOKEN"]),
    (&["-e", "LANG=C", "LANG"], 0, &["allowed"]),
    (
        &["--promise", "stdio rpath", "openat"],
        0,
        &["allowed", "promises = \"rpath stdio\"", "in promise rpath"],
    ),
    (&["--promise", "stdio", "read"], 0, &["allowed", "in promise stdio"]),
    (
        &["--promise", "stdio rpath", "connect"],
        1,
        &["denied", "to allow: --promise \"rpath stdio ", "ends the program (SIGSYS)"],
    ),
    (&["--promise", "stdio error", "socket"], 1, &["denied", "fails with ENOSYS"]),
    (&["--promise", "stdio", "ptrace"], 1, &["denied"]),
    (&["--promise", "stdio rpath", "/usr/bin/env"], 0, &["rpath: promised", "wpath: not promised"]),
    (&["--promise", "stdio", "example.org:443"], 1, &["the promise inet: not promised"]),
    (&["/root/.ssh/id_ed25519"], 1, &["with --ask: never asked, "]),
    (&["example.org:443"], 1, &["with --ask: asked when the program comes to it"]),
    (&["169.254.169.254:80"], 1, &["with --ask: never asked, link-local (machine metadata)"]),
    (&["-n", "none", "example.org:443"], 1, &["with --ask: never asked, the policy says"]),
    (&["-n", "a.org", "--deny-net", "b.org", "b.org:443"], 1, &["with --ask: never asked, the rule says so"]),
    (&["--deny-syscall", "getrandom", "getrandom"], 1, &["denied", "(--deny-syscall getrandom)"]),
];

#[test]
fn each_question_has_its_answer() {
    for (args, status, parts) in QUESTIONS {
        let seen = belljar(["why"].iter().chain(*args));
        assert_eq!((seen.status, seen.err.as_str()), (*status, ""), "{args:?}: {seen:?}");
        for part in *parts {
            assert!(seen.out.contains(part), "{args:?} lacks {part:?}: {seen:?}");
        }
    }
}

#[test]
fn a_word_that_is_a_file_too_is_said_to_be_read_as_something_else() {
    let folder = Folder::new("why-word");
    for (word, kind) in [("out.txt", "a host"), ("Makefile", "a variable")] {
        let asked = || see(seen::command(["why", word]).current_dir(folder.path())).out;
        assert!(!asked().contains("note: read as"), "{word}");
        folder.write(word, "");
        let note = format!("note: read as {kind}; for the file write ./{word}\n");
        assert!(asked().contains(&note), "{word}: {}", asked());
    }
}

#[test]
fn a_unix_socket_is_no_file() {
    let folder = Folder::new("why-socket");
    let path = folder.path().join("s");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let path = path.to_str().unwrap();
    let plain = belljar(["why", "-w", folder.path().to_str().unwrap(), path]);
    assert!(plain.status == 1 && plain.out.contains(&format!("to allow: --socket {path}")), "{plain:?}");
    let listed = belljar(["why", "--socket", path, path]);
    assert!(listed.status == 0 && listed.out.contains("net.sockets"), "{listed:?}");
}

#[test]
fn the_log_of_programs_is_no_file_of_the_host() {
    let plain = belljar(["why", "/dev/log"]);
    assert!(plain.status == 1 && plain.out.contains("to allow: --service log=FILE"), "{plain:?}");
    let kept = belljar(["why", "--service", "log=/srv/x.log", "/dev/log"]);
    assert!(kept.status == 0 && kept.out.contains("services log=/srv/x.log"), "{kept:?}");
}

#[test]
fn services_of_the_host_are_asked_about_by_word_and_by_path() {
    let folder = Folder::new("why-services");
    let home = folder.path().to_str().unwrap();
    let agent = format!("{home}/S.gpg-agent");
    let _listener = std::os::unix::net::UnixListener::bind(&agent).unwrap();
    let why = |args: &[&str], ssh: &str| {
        let mut command = seen::command(["why"].iter().chain(args));
        see(command.env("GNUPGHOME", home).env("SSH_AUTH_SOCK", ssh))
    };
    for (args, ssh, status, parts) in [
        (
            &["ssh-agent"][..],
            "/run/a",
            1,
            &["ssh-agent: denied", "--socket ssh-agent", "listens at /run/a"][..],
        ),
        (&["ssh-agent"], "", 1, &["nothing says where it listens"]),
        (
            &["--socket", "ssh-agent", "ssh-agent"],
            "/run/a",
            0,
            &["ssh-agent: allowed", "(--socket ssh-agent)"],
        ),
        (&["--socket", "ssh-agent", "/run/a"], "/run/a", 0, &["/run/a: allowed", "net.sockets"]),
        (&["--socket", "/run/a", "ssh-agent"], "/run/a", 0, &["ssh-agent: allowed"]),
        (&["--socket", "ssh-agent", "gpg-agent"], "/run/a", 1, &["--socket gpg-agent", "exports no key"]),
        (&[agent.as_str()], "", 1, &["to allow: --socket gpg-agent"]),
        (&["--socket", "gpg-agent", agent.as_str()], "", 0, &["allowed"]),
    ] {
        let seen = why(args, ssh);
        assert_eq!(seen.status, status, "{args:?}: {seen:?}");
        for part in parts {
            assert!(seen.out.contains(part), "{args:?} lacks {part:?}: {seen:?}");
        }
    }
}

#[test]
fn words_that_are_no_promises_are_an_error() {
    let seen = belljar(["why", "--promise", "stdio tape", "read"]);
    assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{seen:?}");
}

#[test]
fn what_is_nothing_is_an_error() {
    let seen = belljar(["why", "flurbl"]);
    assert_eq!((seen.status, seen.out.as_str()), (125, ""));
    assert!(seen.err.contains("flurbl") && seen.err.contains("hint: "), "{seen:?}");
}

#[test]
fn the_answer_as_json() {
    let seen = belljar(["why", "--json", "/usr/bin/env"]);
    let answer: Value = serde_json::from_str(&seen.out).expect("JSON");
    assert_eq!(answer["allowed"], true, "{answer}");
}

/// A report of a run that was refused two things.
fn report() -> String {
    let event = |call, object: &str, flag: &str| {
        Event::new(Verdict::Denied, call, object.as_ref()).flag(flag).rule("no rule", "default")
    };
    let mut report = Report::new(report::Verdict::Exited { code: 1 });
    report.events = vec![
        event("openat", "/srv/data/a\u{1b}[2J", "--read /srv/data").access(Access::Read),
        event("connect", "example.org:443", "--net example.org:443").access(Access::Connect),
    ];
    serde_json::to_string(&report).unwrap()
}

#[test]
fn a_report_answers_what_its_run_was_refused() {
    let folder = Folder::new("why-report");
    let file = folder.write("r.json", &report()).to_string_lossy().into_owned();
    let read = "read /srv/data/a\\x1b[2J: no rule (default)\n    to allow: --read /srv/data\n";
    let connect =
        "connect example.org:443 (unknown program): no rule (default)\n    to allow: --net example.org:443\n";
    for (object, status, parts) in [
        (None, 1, [read, connect]),
        (Some("/srv/data"), 1, [read, read]),
        (Some("example.org:443"), 1, [connect, connect]),
        (Some("/srv/other"), 0, ["/srv/other: no event", "belljar why /srv/other"]),
    ] {
        let seen = belljar(["why", "--report", &file].into_iter().chain(object));
        assert_eq!((seen.status, seen.err.as_str()), (status, ""), "{object:?}: {seen:?}");
        for part in parts {
            assert!(seen.out.contains(part), "{object:?} lacks {part:?}: {seen:?}");
        }
        assert!(object.is_none() || !(seen.out.contains(read) && seen.out.contains(connect)), "{seen:?}");
    }
    let seen = belljar(["why", "--json", "--report", &file, "openat"]);
    let events: Value = serde_json::from_str(&seen.out).expect("JSON");
    assert_eq!(events[0]["flag"], "--read /srv/data", "{events}");
}

#[test]
fn what_is_no_report_is_an_error() {
    let folder = Folder::new("why-no-report");
    let file = folder.write("r.json", "{}").to_string_lossy().into_owned();
    for place in [file.as_str(), "/dev/null", "/no/such/report"] {
        let seen = belljar(["why", "--report", place]);
        assert_eq!((seen.status, seen.out.as_str()), (125, ""), "{seen:?}");
        assert!(seen.err.contains(place) && seen.err.contains("hint: "), "{seen:?}");
    }
}

#[test]
fn every_key_is_explained() {
    for key in belljar::policy::KEYS {
        let seen = belljar(["explain", key.name]);
        assert_eq!(seen.status, 0, "{}: {seen:?}", key.name);
        assert!(seen.out.contains(key.short) && seen.out.contains(key.long.trim()), "{}", key.name);
        assert!(belljar(["explain"]).out.contains(key.name));
    }
}

#[test]
fn flags_and_last_parts_name_a_key() {
    let whole = belljar(["explain", "limits.memory"]).out;
    for word in ["--memory", "-m", "memory"] {
        assert_eq!(belljar(["explain", "--", word]).out, whole, "{word}");
    }
    let seen = belljar(["explain", "flurbl"]);
    assert_eq!(seen.status, 125);
    assert!(seen.err.contains("hint: "), "{seen:?}");
}
