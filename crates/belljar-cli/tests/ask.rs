//! Questions to the user: what an answer grants, and what it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;
#[path = "seen/stage.rs"]
mod stage;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use seen::{Folder, belljar, json};
use serde_json::Value;
use stage::Stage;

#[test]
fn an_answer_opens_the_file_for_this_run() {
    let stage = Stage::new("once", &["once", "never"]);
    let seen = stage.run(&[], "cat $DIR/host/a $DIR/host/a; cat $DIR/host/b; cat $DIR/host/b");
    assert_eq!(seen.out, "text of a\ntext of a\n", "{seen:?}");
    let questions = stage.questions();
    let kinds: Vec<&str> = questions.iter().map(|asked| asked["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["read", "read"], "each object once");
    assert!(questions[0]["program"].as_str().unwrap().ends_with("/cat"), "{questions:?}");
    let report = json(&stage.path("report"));
    let verdicts: Vec<&str> =
        report["events"].as_array().unwrap().iter().map(|event| event["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["granted", "denied"], "{report}");
    assert!(!stage.path("mine.toml").try_exists().unwrap());
}

#[test]
fn what_is_always_granted_is_a_line_that_later_runs_read() {
    let stage = Stage::new("always", &["always"]);
    let seen = stage.run(&[], "cat $DIR/host/a");
    assert_eq!(seen.out, "text of a\n", "{seen:?}");
    let text = fs::read_to_string(stage.path("mine.toml")).unwrap();
    assert!(text.contains("# allowed when asked, 20") && text.contains("/cat\"\n"), "{text}");
    let policy = format!("--policy={}", stage.path("mine.toml").display());
    let file = stage.path("host/a");
    let later = belljar(["run", &policy, "--", "cat", file.to_str().unwrap()]);
    assert_eq!((later.status, later.out.as_str()), (0, "text of a\n"), "{later:?}");
}

#[test]
fn reading_gives_a_copy_and_nothing_else_of_the_file() {
    let stage = Stage::new("copy", &["once"]);
    let script = "exec 3< $DIR/host/a; chmod 600 /proc/self/fd/3; touch -d 1999-01-01 /proc/self/fd/3; \
        echo evil > /proc/self/fd/3; cat /proc/self/fd/3/../b; ls /proc/self/fd/3/; cat <&3";
    let before = fs::metadata(stage.path("host/a")).unwrap();
    let seen = stage.run(&[], script);
    assert_eq!(seen.out, "text of a\n", "{seen:?}");
    let after = fs::metadata(stage.path("host/a")).unwrap();
    assert_eq!(fs::read_to_string(stage.path("host/a")).unwrap(), "text of a\n");
    assert_eq!(before.permissions().mode(), after.permissions().mode());
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn writing_is_a_question_of_its_own() {
    let stage = Stage::new("write", &["once", "once", "never"]);
    let seen =
        stage.run(&[], "cat $DIR/host/a; echo new > $DIR/host/a; cat $DIR/host/a; echo new > $DIR/host/b");
    let kinds: Vec<String> =
        stage.questions().iter().map(|asked| asked["kind"].as_str().unwrap().into()).collect();
    assert_eq!(kinds, ["read", "write", "write"], "{seen:?}");
    assert_eq!(seen.out, "text of a\nnew\n", "{seen:?}");
    let held = ["host/a", "host/b"].map(|name| fs::read_to_string(stage.path(name)).unwrap());
    assert_eq!(held, ["new\n", "text of b\n"]);
}

#[test]
fn no_answer_can_grant_what_is_hidden_or_never_granted_or_no_plain_file() {
    let stage = Stage::new("never", &["always"; 20]);
    std::os::unix::fs::symlink(stage.path("host/a"), stage.path("link")).unwrap();
    fs::write(stage.path("mine.toml"), "belljar = 1\n").unwrap();
    fs::write(stage.path("by link"), "text\n").unwrap();
    std::os::unix::fs::symlink(stage.path("by link"), stage.path("hidden")).unwrap();
    let hide = format!("--hide={}", stage.path("host/b").display());
    let link = format!("--hide={}", stage.path("hidden").display());
    let script = "cat $DIR/host/b \"$DIR/by link\" $DIR/link $DIR/host $DIR/mine.toml $DIR/host/../host/a /root/.ssh/id_rsa \
        /etc/shadow /proc/1/environ /sys/kernel/notes /dev/sda $DIR/none; ls $DIR/host; cd $DIR; exec 3< $DIR/host";
    let seen = stage.run(&[&hide, &link], script);
    assert_eq!(seen.out, "", "{seen:?}");
    assert_eq!(stage.questions(), Vec::<Value>::new());
}

#[test]
fn without_somebody_to_ask_nothing_runs() {
    let folder = Folder::new("nobody");
    let missing = format!("--ask=socket:{}", folder.path().join("none").display());
    for (words, said) in [
        (vec![missing.as_str()], "cannot be reached"),
        (vec!["--ask=mail"], "no way to ask"),
        (vec!["--ask-save=x"], "--ask-save without --ask"),
    ] {
        let seen = belljar(["run"].into_iter().chain(words).chain(["--", "echo", "ran"]));
        assert!(seen.status == 125 && seen.out.is_empty() && seen.err.contains(said), "{seen:?}");
    }
    // A session of its own has no terminal.
    let alone = Command::new("setsid")
        .args(["--wait", env!("CARGO_BIN_EXE_belljar"), "run", "--ask=tty", "--", "echo", "ran"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((alone.status.code(), alone.stdout.as_slice()), (Some(125), &b""[..]));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("no terminal"), "{alone:?}");
}

/// Listens, greets, and says that it did.
const LISTENS: &str = "import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
print('listens', flush=True)
c, _ = s.accept(); c.recv(4096); c.sendall(b'{\"type\":\"hello\",\"belljar\":1}\\n'); c.recv(4096)";

#[test]
fn no_program_of_a_jar_answers_for_the_user() {
    let needs = ["--allow-syscall=@socket-unix", "--", "python3", "-c", "1"];
    if !seen::is_ready(&needs) {
        return;
    }
    let folder = Folder::new("poses");
    let at = folder.path().join("ask").display().to_string();
    let write = format!("--write={}", folder.path().display());
    let jar = [env!("CARGO_BIN_EXE_belljar"), "run", &write, "--allow-syscall=@socket-unix", "--"];
    for (who, status, said) in [(&[][..], 0, ""), (&jar, 125, "listened on by")] {
        let words = [who, &["python3", "-c", LISTENS, &at]].concat();
        let mut listener = Command::new(words[0]).args(&words[1..]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = [0; 8];
        std::io::Read::read_exact(listener.stdout.as_mut().unwrap(), &mut line).unwrap();
        let seen = belljar(["run", &format!("--ask=socket:{at}"), "--", "true"]);
        assert!(seen.status == status && seen.err.contains(said), "{seen:?}");
        if status != 0 {
            listener.kill().unwrap();
        }
        listener.wait().unwrap();
        fs::remove_file(&at).unwrap();
    }
    let seen = belljar(["run", &write, &format!("--ask=socket:{at}"), "--", "true"]);
    assert!(seen.status == 125 && seen.err.contains("can be written by the program itself"), "{seen:?}");
}
