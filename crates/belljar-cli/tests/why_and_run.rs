//! What `belljar why` answers is what a run under the same policy does, judged by doing it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;
#[path = "../../belljar/tests/support/server.rs"]
mod server;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use seen::{Folder, is_ready, see};
use serde_json::Value;
use server::Server;

/// Policies about files. `{}` is a folder of the host, `{}/here` the current one.
const FILES: &[&[&str]] = &[
    &[],
    &["-r", "{}/a"],
    &["-w", "{}/a"],
    &["--read-noexec", "{}/a"],
    &["--cow", "{}/a", "--throw-away", "16M"],
    &["-r", "{}/a/f"],
    &["-w", "{}/a/f"],
    &["-r", "{}/a", "-w", "{}/a/sub"],
    &["-w", "{}/a", "-r", "{}/a/sub"],
    &["-w", "{}/a", "--read-noexec", "{}/a/sub"],
    &["-w", "{}/a", "--hide", "{}/a/sub"],
    &["-r", "{}/a", "--hide", "{}/a/f"],
    &["-r", "{}/a", "--hide", "{}/a/sub", "-r", "{}/a/sub/g"],
    &["-r", "?{}/none", "-r", "{}/a/sub"],
    &["-r", "{}/link"],
    &["-w", "."],
    &["-r", "{}/a", "--hide", "{}/link"],
    &["-p", "@dev", "-r", "{}/a"],
];

/// What is asked about each of them.
const OBJECTS: &[&str] = &[
    "{}/a/f",
    "{}/a/x",
    "{}/a/sub/g",
    "{}/a/sub/x",
    "{}/link/g",
    "{}/here/h",
    "{}/other/o",
    "/usr/bin/true",
    "/etc/passwd",
    "/etc/shadow",
    "/dev/null",
];

/// Reads, writes and runs each argument, and says which of it worked.
const TRY: &str = "for at; do
    said=
    head -c 1 \"$at\" > /dev/null && said=r
    true >> \"$at\" && said=${said}w
    case $at in */x|*/true) \"$at\" && said=${said}x;; esac
    echo \"$said\"
done 2> /dev/null";

/// What each access lets be done; where a policy says nothing there is none.
const ACCESSES: &[(&str, &str)] = &[("read", "rx"), ("read-noexec", "r"), ("write", "rwx"), ("cow", "rwx")];

fn place(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    let top = folder.path().to_str().unwrap().to_owned();
    for dir in ["", "a", "a/sub", "here", "other"] {
        let at = folder.path().join(dir);
        fs::create_dir_all(&at).unwrap();
        fs::set_permissions(&at, Permissions::from_mode(0o777)).unwrap();
    }
    for file in ["a/f", "a/x", "a/sub/g", "a/sub/x", "here/h", "other/o"] {
        let at = folder.write(file, "#!/bin/sh\n");
        fs::set_permissions(at, Permissions::from_mode(0o777)).unwrap();
    }
    symlink("a/sub", folder.path().join("link")).unwrap();
    (folder, top)
}

fn fill(words: &[&str], top: &str) -> Vec<String> {
    words.iter().map(|word| word.replace("{}", top)).collect()
}

fn why(flags: &[String], object: &str, top: &str) -> Value {
    let mut command = seen::command(["why", "--json"]);
    let seen = see(command.args(flags).arg(object).current_dir(format!("{top}/here")));
    let answer: Value = serde_json::from_str(&seen.out).unwrap_or_else(|_| panic!("{object}: {seen:?}"));
    assert_eq!(seen.status, i32::from(answer["allowed"] == false), "{object}: {seen:?}");
    answer
}

/// What the answer says can be done with the object.
fn promised(answer: &Value, object: &str) -> String {
    let access = answer["access"].as_str().filter(|_| answer["allowed"] == true);
    let does = access.map_or("", |access| ACCESSES.iter().find(|row| row.0 == access).expect(access).1);
    let runs = ["/x", "/true"].iter().any(|end| object.ends_with(end));
    does.chars().filter(|sign| *sign != 'x' || runs).collect()
}

#[test]
fn about_files() {
    if !is_ready(&["--", "true"]) {
        return;
    }
    let (_folder, top) = place("why-files");
    let mut wrong = Vec::new();
    for policy in FILES {
        let (flags, objects) = (fill(policy, &top), fill(OBJECTS, &top));
        let mut command = seen::command(["run"]);
        command.args(&flags).args(["--", "sh", "-c", TRY, "sh"]).args(&objects);
        let run = see(command.current_dir(format!("{top}/here")));
        let done: Vec<&str> = run.out.lines().collect();
        assert_eq!(done.len(), objects.len(), "{policy:?}: {run:?}");
        for (object, done) in objects.iter().zip(done) {
            let answer = why(&flags, object, &top);
            let promised = promised(&answer, object);
            if promised != done {
                wrong.push(format!("{policy:?} {object}: promised {promised:?}, done {done:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Policies about the network. `{}` is the port of a server on the host's loopback.
const HOSTS: &[&[&str]] = &[
    &[],
    &["-n", "off"],
    &["-n", "none"],
    &["-n", "host"],
    &["-n", "127.0.0.1:{}"],
    &["-n", "127.0.0.1"],
    &["-n", "127.0.0.0/8:{}"],
    &["-n", "127.0.0.0/8"],
    &["-n", "127.0.0.1:1"],
    &["-n", "example.org"],
    &["-n", "127.0.0.0/8", "--deny-net", "127.0.0.1"],
    &["-n", "127.0.0.0/8", "--deny-net", "127.0.0.1:{}"],
    &["-n", "127.0.0.0/8", "--deny-net", "127.0.0.1:1"],
];

#[test]
fn about_hosts() {
    if !is_ready(&["--", "perl", "-MIO::Socket", "-e1"]) {
        return;
    }
    let server = Server::start("hello");
    let (_folder, top) = place("why-hosts");
    let object = format!("127.0.0.1:{}", server.port);
    let ask = format!(
        "my $s = IO::Socket::INET->new(PeerAddr => '{object}') or exit 1; print $s qq(GET / HTTP/1.0\\n\\n); exit !(join '', <$s>) =~ /hello/"
    );
    for policy in HOSTS {
        let flags: Vec<String> =
            policy.iter().map(|word| word.replace("{}", &server.port.to_string())).collect();
        let run = see(seen::command(["run"]).args(&flags).args(["--", "perl", "-MIO::Socket", "-e", &ask]));
        assert_ne!(run.status, 125, "{policy:?}: {run:?}");
        let answer = why(&flags, &object, &top);
        assert_eq!(answer["allowed"], run.status == 0, "{policy:?}: {answer} {run:?}");
    }
}

/// Policies about variables, and a variable of the caller's.
const VARIABLES: &[(&[&str], &str)] = &[
    (&[], "PATH"),
    (&[], "SECRET_TOKEN"),
    (&[], "LC_TIME"),
    (&["-e", "SECRET_TOKEN"], "SECRET_TOKEN"),
    (&["-e", "SECRET_*"], "SECRET_TOKEN"),
    (&["-e", "SECRET_TOKEN=x"], "SECRET_TOKEN"),
    (&["-e", "SECRET"], "SECRET_TOKEN"),
    (&["-p", "@system", "-e", "LC_*"], "LC_TIME"),
];

#[test]
fn about_variables() {
    if !is_ready(&["--", "true"]) {
        return;
    }
    let (_folder, top) = place("why-variables");
    for (policy, variable) in VARIABLES {
        let flags = fill(policy, &top);
        let mut command = seen::command(["run"]);
        command.args(&flags).args(["--", "/usr/bin/printenv", variable]);
        let run = see(command.env("SECRET_TOKEN", "x").env("LC_TIME", "C"));
        assert_ne!(run.status, 125, "{policy:?}: {run:?}");
        assert_eq!(why(&flags, variable, &top)["allowed"], run.status == 0, "{policy:?} {variable}: {run:?}");
    }
}

/// Policies about system calls, a call, its number, and arguments for which the kernel neither does anything nor answers as the
/// filter does (`EPERM`, `EACCES`, `ENOSYS`).
const CALLS: &[(&[&str], &str, &str)] = &[
    (&[], "getpid", "39"),
    (&[], "ptrace", "101, 0, 0, 0, 0"),
    (&["--debug"], "ptrace", "101, 0, 0, 0, 0"),
    (&["--allow-syscall", "ptrace"], "ptrace", "101, 0, 0, 0, 0"),
    (&[], "keyctl", "250, 99, 0, 0, 0, 0"),
    (&["--allow-syscall", "keyctl"], "keyctl", "250, 99, 0, 0, 0, 0"),
    (&[], "io_uring_setup", "425, 0, 0"),
    (&[], "bpf", "321, 99, 0, 0"),
    (&[], "userfaultfd", "323, 99"),
    (&[], "perf_event_open", "298, 0, 0, 0, 0, 0"),
    (&[], "add_key", "248, 0, 0, 0, 0, 0"),
    (&[], "getrandom", "318, 0, 0, 99"),
    (&["--deny-syscall", "getrandom"], "getrandom", "318, 0, 0, 99"),
    (&["--deny-syscall", "getpriority"], "getpriority", "140, 99, 0"),
    (&[], "getpriority", "140, 99, 0"),
    (&[], "mincore", "27, 1, 1, 0"),
    (&[], "socket", "41, 2, 1, 0"),
    (&["-n", "off"], "socket", "41, 2, 1, 0"),
    (&["-n", "off"], "bind", "49, -1, 0, 0"),
    (&[], "openat2", "437, -100, 0, 0, 0"),
    (&["--allow-syscall", "openat2"], "openat2", "437, -100, 0, 0, 0"),
];

#[test]
fn about_calls() {
    if !is_ready(&["--", "perl", "-e1"]) {
        return;
    }
    let (_folder, top) = place("why-calls");
    for (policy, call, words) in CALLS {
        let flags = fill(policy, &top);
        let makes = format!("$! = 0; syscall({words}); exit($! == 1 || $! == 13 || $! == 38)");
        let run = see(seen::command(["run"]).args(&flags).args(["--", "perl", "-e", &makes]));
        assert!([0, 1].contains(&run.status), "{policy:?} {call}: {run:?}");
        let answer = why(&flags, call, &top);
        assert_eq!(answer["allowed"], run.status == 0, "{policy:?} {call}: {answer} {run:?}");
    }
}
