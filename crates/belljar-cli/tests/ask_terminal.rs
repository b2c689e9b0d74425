//! What belljar says and asks on a terminal that a program wrote to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;
#[path = "seen/terminal.rs"]
mod terminal;

use std::io::Write as _;
use std::process::Child;

use seen::Folder;
use terminal::Terminal;

const BELLJAR: &str = env!("CARGO_BIN_EXE_belljar");

/// What brings a terminal to its senses, whatever the jar wrote before.
const PLAIN: &str = "\x18\x1b\\\x1b<\x1b7\x1b[?69l\x1b[r\x1b8\x1b[?2026l\x1b(B\x0f\x1b[0m\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b[?7h\x1b[4l";

fn asked(script: &str) -> (Terminal, Child) {
    Terminal::start(&[BELLJAR, "run", "-q", "--ask=tty", "--", "sh", "-c", script])
}

#[test]
fn the_terminal_asks_and_one_key_answers() {
    let folder = Folder::new("tty");
    let files = ["a", "b\u{1b}[2J"].map(|name| folder.write(name, "text\n"));
    let script =
        format!("cat '{}'; cat '{}'; stty -a | grep -c isig", files[0].display(), files[1].display());
    let (mut terminal, mut child) = asked(&script);
    terminal.until("n = never");
    // Typed before the question could be read: not for us.
    terminal.master.write_all(b"o").unwrap();
    terminal.type_later("o");
    terminal.until("-> granted once");
    terminal.until("b\\u{1b}[2J\"");
    terminal.type_later("\u{3}");
    terminal.until("-> refused by the user");
    assert!(child.wait().unwrap().success());
    terminal.until("1\r\n");
    assert!(terminal.shown.contains("text\r\n"), "{}", terminal.shown);
    let plain = terminal.shown.replace(&format!("{PLAIN}\x1b[J"), "");
    assert!(!plain.contains('\u{1b}') && plain != terminal.shown, "{}", terminal.shown.escape_debug());
}

#[test]
fn a_sequence_without_an_end_swallows_no_question() {
    let folder = Folder::new("swallow");
    let file = folder.write("a", "text\n");
    let (mut terminal, mut child) =
        asked(&format!("printf '\\033]0;your move: o or x?'; cat '{}'", file.display()));
    terminal.until("n = never");
    assert!(
        terminal.shown.contains(&format!("{PLAIN}\x1b[J\r\nbelljar: ")),
        "{}",
        terminal.shown.escape_debug()
    );
    terminal.type_later("n");
    terminal.until("-> refused by the user");
    assert!(!child.wait().unwrap().success());
}

#[test]
fn no_end_of_a_run_swallows_or_hides_the_last_words() {
    for left in ["\\033]0;", "\\033P1", "\\033[", "\\033[8m", "\\033[?1049h\\033[31;41m", "\\033[?2l"] {
        let script = format!("printf 'said {left}'; exit 3");
        let (mut terminal, mut child) =
            Terminal::start(&[BELLJAR, "run", "--verbose", "--", "sh", "-c", &script]);
        terminal.until("program exited with 3");
        let before = format!("\x18\x1b\\\x1b7\x1b[?1049l\x1b[?25h{PLAIN}belljar: the program exited with 3");
        assert!(terminal.shown.contains(&before), "{}", terminal.shown.escape_debug());
        assert!(!terminal.shown.contains("\x1b[J"), "nothing is cleared");
        terminal.until("exited with 3\x1b[K\r\n");
        assert_eq!(child.wait().unwrap().code(), Some(3));
    }
}

#[test]
fn without_last_words_a_terminal_is_left_as_the_program_left_it() {
    let (mut terminal, mut child) =
        Terminal::start(&[BELLJAR, "run", "--", "sh", "-c", "printf 'said\\033[1m'"]);
    assert!(child.wait().unwrap().success());
    terminal.until("said\x1b[1m");
    assert!(terminal.shown.ends_with("said\x1b[1m"), "{}", terminal.shown.escape_debug());
}

/// Both sides of a pipe ask on the terminal.
fn pipeline(first: &str, second: &str) -> (Terminal, Child) {
    let run = |script: &str| format!("'{BELLJAR}' run -q --ask=tty -- sh -c '{script}'");
    Terminal::start(&["sh", "-c", &format!("{} | {}", run(first), run(second))])
}

#[test]
fn two_runs_on_a_terminal_ask_one_after_the_other() {
    let folder = Folder::new("turns");
    let files = ["a", "b"].map(|name| folder.write(name, "text\n").display().to_string());
    let script = |file: &str| format!("cat {file} >/dev/null && echo got {file} >&2");
    let (mut terminal, mut child) = pipeline(&script(&files[0]), &(script(&files[1]) + "; cat >/dev/null"));
    terminal.until("n = never");
    terminal.type_later("o");
    terminal.until("-> granted once");
    // Typed before the other question could be read.
    terminal.master.write_all(b"o").unwrap();
    let (first, second) = terminal.shown.split_once("-> granted once").unwrap();
    assert_eq!(first.matches("n = never").count(), 1, "{}", terminal.shown.escape_debug());
    terminal.shown = second.to_owned();
    terminal.until("n = never");
    terminal.type_later("n");
    terminal.until("-> refused by the user");
    assert!(child.wait().unwrap().success());
}

#[test]
fn no_other_run_takes_the_key_of_an_answer() {
    let folder = Folder::new("keys");
    let file = folder.write("a", "text\n").display().to_string();
    let keys = "stty -icanon -echo; echo reads >&2; echo now; dd bs=1 count=1 2>/dev/null | od -An -c >&2";
    let asks = format!("read now; cat {file} >/dev/null && echo got it >&2; cat >/dev/null");
    let (mut terminal, mut child) = pipeline(keys, &asks);
    terminal.until("reads");
    terminal.until("n = never");
    terminal.type_later("o");
    terminal.until("-> granted once");
    terminal.until("got it");
    terminal.master.write_all(b"k").unwrap();
    terminal.until("   k");
    assert!(child.wait().unwrap().success());
}
