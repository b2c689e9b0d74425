//! Promises that programs know nothing of: `--promise` and `--unveil`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use seen::{Folder, Seen, belljar};

/// What any program with libraries needs.
const START: &str = "stdio rpath prot_exec";
/// 128 and SIGSYS.
const VIOLATION: i32 = 159;

fn promised(words: &str, script: &str) -> Seen {
    belljar(["run", "--promise", words, "--", "/bin/sh", "-c", script])
}

/// Promises beside those of the start; what they allow; what a run without them says is missing.
const SCRIPTS: &[(&str, &str, &str)] = &[
    ("wpath cpath", "echo x > /tmp/file", "it takes wpath cpath"),
    ("wpath cpath rpath", ": 3<> /tmp/file", "it takes rpath wpath cpath"),
    ("exec", "exec mkdir --version", "execve is not promised: it takes exec"),
    ("proc", "(exit 0) && echo $?", "it takes proc"),
    ("exec cpath", "exec mkdir /tmp/folder", "it takes exec"),
    ("exec dpath", "exec mkfifo /tmp/pipe", "it takes exec"),
    ("exec fattr", "exec chmod 700 /tmp", "it takes exec"),
];

#[test]
fn a_program_does_what_is_promised_and_is_ended_for_anything_else() {
    for (words, script, missing) in SCRIPTS {
        let done = promised(&format!("{START} {words}"), script);
        assert_eq!(done.status, 0, "{words}: {done:?}");
        let ended = promised(START, script);
        assert_eq!(ended.status, VIOLATION, "{words}: {ended:?}");
        assert!(ended.err.contains(missing), "{words}: {ended:?}");
    }
}

/// Each program is there; one promise is not.
const LACKING: &[(&str, &[&str], &str)] = &[
    ("stdio", &["cat", "/dev/null"], "it takes rpath"),
    ("stdio rpath", &["cat", "/dev/null"], "mmap is not promised: it takes prot_exec"),
    (START, &["mkdir", "/tmp/folder"], "mkdir is not promised: it takes cpath"),
    (START, &["mkfifo", "/tmp/pipe"], "it takes dpath"),
    (START, &["chmod", "700", "/tmp"], "it takes fattr"),
    ("stdio rpath prot_exec cpath", &["touch", "/tmp/file"], "it takes wpath cpath"),
];

#[test]
fn the_report_names_the_call_and_its_promise() {
    for (words, command, missing) in LACKING {
        let options = ["run", "--promise", words, "--"];
        let ended = belljar(options.iter().chain(command.iter()));
        assert_eq!(ended.status, VIOLATION, "{words} {command:?}: {ended:?}");
        assert!(ended.err.contains(missing), "{words} {command:?}: {ended:?}");
        assert!(ended.err.contains("--promise '"), "a flag that helps: {ended:?}");
    }
}

#[test]
fn beside_a_broker_a_broken_promise_is_told_without_the_call() {
    if !seen::is_ready(&["--trace", "--", "true"]) {
        return;
    }
    let ended = belljar(["run", "--trace", "--promise", "stdio", "--", "cat", "/dev/null"]);
    assert_eq!(ended.status, VIOLATION, "{ended:?}");
    for told in ["made a call that is not promised", "only what is promised: stdio", "without --ask, --trace"]
    {
        assert!(ended.err.contains(told), "{told}: {ended:?}");
    }
}

#[test]
fn with_error_the_call_fails_and_the_program_goes_on() {
    let done = promised(&format!("{START} error"), "echo x > /tmp/file; echo on");
    assert!(done.status == 0 && done.out == "on\n", "{done:?}");
    assert!(done.err.contains("Function not implemented") || done.err.contains("cannot create"), "{done:?}");
}

#[test]
fn words_are_refused_with_a_remedy_before_anything_runs() {
    let rows = [
        ("rpath", "cannot start without stdio"),
        ("stdio stdoi", "did you mean stdio"),
        ("stdio tape", "open the device before promising"),
        ("stdio rpath sendfd", "cannot be kept together"),
        ("stdio;rpath", "words such as"),
    ];
    for (words, said) in rows {
        let refused = promised(words, "echo ran");
        assert!(refused.status != 0 && refused.out.is_empty(), "{words}: {refused:?}");
        assert!(refused.err.contains(said), "{words}: {refused:?}");
    }
}

#[test]
fn a_handler_of_the_signal_saves_nobody() {
    // The shell handles SIGSYS, and a subshell of it does what was not promised.
    let script = "trap 'echo handled' SYS; echo x > /tmp/file; echo on";
    let ended = promised(START, script);
    assert_eq!(ended.status, VIOLATION, "{ended:?}");
    assert!(ended.out.is_empty() && ended.err.contains("it takes wpath cpath"), "{ended:?}");
}

#[test]
fn what_is_not_unveiled_is_not_there() {
    let folder = Folder::new("unveiled");
    folder.write("words", "seen\n");
    let base = folder.path().display().to_string();
    let run = |veil: &str, script: &str| {
        belljar([
            "run",
            "--promise",
            "stdio rpath wpath cpath prot_exec",
            "--unveil",
            veil,
            "--",
            "/bin/sh",
            "-c",
            script,
        ])
    };
    let script = format!("read word < {base}/words && echo $word; read line < /etc/passwd || echo hidden");
    let seen = run(&format!("{base}:r"), &script);
    assert_eq!(seen.out, "seen\nhidden\n", "{seen:?}");
    let written = run(&format!("{base}:r"), &format!("echo new > {base}/words"));
    assert!(written.status != 0 && written.err.contains("Read-only"), "{written:?}");
    let done = run(&format!("{base}:rwxc"), &format!("echo new > {base}/words"));
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("words")).unwrap(), "new\n");
    for letters in ["", "w", "rw", "rwx", "q"] {
        let refused = run(&format!("{base}:{letters}"), "echo ran");
        assert!(refused.status != 0 && refused.err.contains("rwxc"), "{letters}: {refused:?}");
    }
}

#[test]
fn promises_are_held_where_sockets_are_only_filtered() {
    let seen = belljar(["run", "--net", "off", "--promise", START, "--", "/bin/echo", "done"]);
    assert_eq!((seen.status, seen.out.as_str()), (0, "done\n"), "{seen:?}");
}
