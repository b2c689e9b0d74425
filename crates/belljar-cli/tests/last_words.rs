//! What is said after a run: nothing where all went well; after a failure what the jar had to do with it, as far as that is known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::os::unix::fs::PermissionsExt;

use seen::{Folder, Seen, belljar, command, is_ready, see};

const EXPLAIN: &str =
    "hint: belljar run --explain says which paths of the host it lacked or could not write\n";
const NOT_STARTED: &str = "hint: a program that it wanted to start is not in the jar, or not to be run there: grant its folder with -r\n";

fn run(options: &[&str], words: &[&str]) -> Seen {
    belljar(["run"].iter().chain(options).chain(&["--"]).chain(words))
}

#[test]
fn a_path_of_the_command_line_is_told_with_the_flag_that_grants_it() {
    let folder = Folder::new("named");
    let file = folder.write("data.csv", "1,2\n").to_string_lossy().into_owned();
    let value = format!("--file={file}");
    let script = format!("cat '{file}'");
    let said = format!(
        "belljar: named on the command line, and not in the jar\n  {file}: nothing is granted that no rule names (default)\n    to allow: --read {file}\n{EXPLAIN}"
    );
    for words in
        [&["cat", &file][..], &["sh", "-c", "exec cat \"${1#*=}\"", "sh", &value], &["sh", "-c", &script]]
    {
        let seen = run(&[], words);
        assert!(seen.status == 1 && seen.err.ends_with(&said), "{words:?}: {seen:?}");
        let granted = run(&["--read", &file], words);
        assert_eq!(
            (granted.status, granted.out.as_str(), granted.err.as_str()),
            (0, "1,2\n", ""),
            "{words:?}"
        );
    }
    let well = run(&[], &["true", &file]);
    assert_eq!((well.status, well.err.as_str()), (0, ""));
    assert_eq!(run(&["-q"], &["sh", "-c", "exit 3", &file]).err, "");
}

#[test]
fn a_failure_leads_to_the_explanation_unless_its_status_is_an_answer() {
    let said = |words: &[&str]| run(&[], words).err;
    assert_eq!(said(&["sh", "-c", "exit 3"]), EXPLAIN);
    assert_eq!(said(&["grep", "-q", "nobody-has-this", "/etc/passwd"]), "");
    assert_eq!(said(&["test", "-e", "/no/such"]), "");
    let explained = run(&["--explain"], &["sh", "-c", "exit 3"]);
    assert_eq!((explained.status, explained.err.as_str()), (3, ""));
}

#[test]
fn a_program_of_the_callers_search_path_is_told_where_it_is() {
    let folder = Folder::new("tool");
    let tool = folder.write("belljar-test-tool", "#!/bin/sh\necho tool\n");
    std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
    let tool = tool.to_string_lossy().into_owned();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let seen = see(command(["run", "--", "belljar-test-tool"]).env("PATH", &path));
    let hint = format!("hint: outside the jar it is {tool}: grant that with -r, and name it by that path\n");
    assert!(seen.status == 127 && seen.err.ends_with(&hint), "{seen:?}");
    assert_eq!(run(&["-r", &tool], &[&tool]).out, "tool\n");
    let inside = see(command(["run", "--", "sh", "-c", "belljar-test-tool"]).env("PATH", &path));
    assert!(inside.status == 127 && inside.err.ends_with(NOT_STARTED), "{inside:?}");
}

#[test]
fn a_granted_server_that_is_not_there_is_told() {
    if !is_ready(&["--", "true"]) {
        return;
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let connects = format!(
        "use Socket; socket(S, 2, 1, 0); connect(S, sockaddr_in({closed}, inet_aton('127.0.0.1'))); sysread(S, $x, 1) or exit 9"
    );
    let reach = format!("--reach=localhost:{closed}");
    let seen = run(&[&reach], &["perl", "-e", &connects]);
    let line = format!("connect 127.0.0.1:{closed} (perl): refuses connections (outside the jar)\n");
    assert_eq!(seen.status, 9, "{seen:?}");
    assert!(seen.err.starts_with(&format!("belljar: granted, and not reached\n  {line}")), "{seen:?}");
}

#[test]
fn a_socket_that_libraries_only_try_is_a_hint_with_its_flag() {
    let server = "socket(S, 1, 1 | 2048, 0) or exit 3";
    let seen = run(&[], &["perl", "-e", server]);
    let hint = "hint: a unix socket was refused, which libraries only try; if it needs one: --allow-syscall @socket-unix\n";
    assert_eq!((seen.status, seen.err), (3, format!("{hint}{EXPLAIN}")));
    let granted = run(&["--allow-syscall", "@socket-unix"], &["perl", "-e", server]);
    assert_eq!((granted.status, granted.err.as_str()), (0, ""));
}

/// Options, a script, how what is said begins.
const LIMITS: &[(&[&str], &str, &str)] = &[
    (
        &["--fsize", "1M"],
        "head -c 3000000 /dev/zero > /tmp/x; exit $?",
        "belljar: a limit was reached: --fsize 1.0 MiB\n",
    ),
    (
        &["--pids", "5", "-m", "1G"],
        "exit 3",
        "hint: nothing tells whether it came to a limit: --memory 1.0 GiB, --pids 5\n",
    ),
    (&["-t", "200ms"], "sleep 60", "belljar: the time limit was reached\nhint: -t 200ms set it; --wall "),
    (
        &["--otherwise", "kill"],
        "exec perl -e 'syscall(101, 0, 0, 0, 0)'",
        "belljar: the system call filter ended the program\nhint: --otherwise refuse ",
    ),
];

#[test]
fn each_end_by_a_limit_names_it_and_its_flag() {
    for (options, script, said) in LIMITS {
        let seen = run(options, &["sh", "-c", script]);
        let words = seen.err.find("belljar: ").or(seen.err.find("hint: ")).unwrap_or_default();
        assert!(seen.status != 0 && seen.err[words..].starts_with(said), "{options:?}: {seen:?}");
    }
}
