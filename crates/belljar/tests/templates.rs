//! The demonstrations of the templates (`examples/`), each run as a user would and judged by what it shows and leaves.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An example, which cargo builds with the tests of this crate.
fn example(name: &str) -> Command {
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(fs::metadata(&built).is_ok(), "build it first: cargo build -p belljar --example {name}");
    Command::new(built)
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What became of each client of the server.
const CLIENTS: &[(&str, &str)] = &[
    (r#"client ["wonderland"]"#, "alice is in"),
    (r#"client ["guess", "wonderland"]"#, "alice is in"),
    (
        r#"client ["guess", "guess", "guess", "wonderland"]"#,
        "the worker asked for Verify more than 3 times in the phase Auth",
    ),
    ("reads-files []", "refused: Permission denied (os error 13)"),
    ("opens-sockets []", "the worker made a forbidden system call"),
    ("starts-programs []", "the worker made a forbidden system call"),
    ("signs-anything []", "the worker asked for Sign in the phase Version, where that is not permitted"),
];

#[test]
fn a_stranger_gets_in_by_password_and_in_no_other_way() {
    let shown = lines(&example("preauth").output().unwrap());
    assert_eq!(shown.len(), CLIENTS.len(), "{shown:#?}");
    for ((client, outcome), line) in CLIENTS.iter().zip(&shown) {
        assert!(line.starts_with(client) && line.contains(outcome), "{line}\n{outcome}");
    }
}

#[test]
fn threads_paint_what_no_file_socket_or_program_can_be_had_for() {
    let shown = lines(&example("renderer").output().unwrap());
    let (picture, rest) = shown.split_at(22);
    let inside: usize = picture.iter().map(|row| row.matches('#').count()).sum();
    assert!((200..400).contains(&inside), "{picture:#?}");
    // The set is the same above and below.
    assert_eq!(picture[1], picture[21]);
    assert_eq!(rest[0], "painted by more than one thread: true");
    assert_eq!(rest[1], "ReadFile: Operation not permitted (os error 1)");
    assert_eq!(rest[2], "Connect: Operation not permitted (os error 1)");
    assert!(rest[3].starts_with("StartProgram: the worker made a forbidden system call"), "{rest:?}");
}

#[test]
fn a_filter_gives_what_the_program_gives() {
    let text = "some words\n".repeat(5000);
    let mut pack =
        Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    pack.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let packed = pack.wait_with_output().unwrap().stdout;
    let run = |input: &[u8]| {
        let mut child = example("filter")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    };
    let whole = run(&packed);
    assert!(whole.status.success() && whole.stdout == text.as_bytes());
    let broken = run(&packed[..packed.len() / 2]);
    assert!(!broken.status.success(), "{broken:?}");
}

/// A folder with a document and a secret beside it.
fn desk() -> (tempfile::TempDir, PathBuf) {
    let at = tempfile::Builder::new().prefix("viewer").tempdir_in("/var/tmp").unwrap();
    let secret = at.path().join("secret");
    fs::write(&secret, "s3cret").unwrap();
    fs::create_dir(at.path().join("saved")).unwrap();
    let document = at.path().join("document");
    let text = format!(
        "(Hello world) Tj\n/URI (https://example.org/)\n/URI (file:///etc/passwd)\n/SaveAs (copy)\n/SaveAs (../escape)\n/Hole ({})\n",
        secret.display()
    );
    fs::write(&document, text).unwrap();
    (at, document)
}

#[test]
fn a_viewer_sees_its_document_and_asks_for_the_rest() {
    let (at, document) = desk();
    let shown = lines(&example("viewer").arg(&document).arg(at.path().join("saved")).output().unwrap());
    let expected = [
        "Hello world",
        "open-url: done",
        "open-url: refused",
        "save-as: done",
        "save-as: refused",
        &format!("reading {}: entity not found", at.path().join("secret").display()),
        "writing the document: read-only filesystem or storage medium",
        "connecting: permission denied",
    ];
    assert_eq!(shown, expected);
    let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!(fs::read(at.path().join("saved/copy")).unwrap(), fs::read(&document).unwrap());
    assert_eq!((names(&at.path().join("saved")), names(at.path())), (1, 3), "nothing else was written");
}
