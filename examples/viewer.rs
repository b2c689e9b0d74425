//! A viewer of documents that somebody sent, after Adobe Reader's protected mode: it sees one document and a private /tmp, and asks
//! for what is done outside by name (`save-as`, `open-url`).
//!
//! ```console
//! $ cargo run -p belljar --example viewer -- DOCUMENT FOLDER
//! ```
//!
//! FOLDER is where saved files go. The program below plays both parts: the one that the user starts, and the viewer in the jar, which
//! takes the text out of documents of PDF's kind (`(words) Tj`, `/URI (address)`). The viewer has a hole: a document may tell it which
//! other file to read.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows the document")]

use std::error::Error;
use std::fs;
use std::path::Path;

use belljar::action::client::request;
use belljar::policy::Policy;
use belljar::{Command, Stdio};

/// Tells the viewer that it is one.
const PART: &str = "VIEWER_PART";
/// What shows web addresses on this machine; a real program would take the desktop's `xdg-open`.
const BROWSER: &str = "/bin/true";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match (std::env::var_os(PART).is_some(), &words[..]) {
        (true, [document]) => view(document),
        (false, [document, folder]) => open(document, folder),
        _ => Err("viewer DOCUMENT FOLDER".into()),
    }
}

/// The user's part: what the viewer gets, in full.
fn open(document: &str, folder: &str) -> Result<(), Box<dyn Error>> {
    let (document, folder) = (fs::canonicalize(document)?, fs::canonicalize(folder)?);
    let policy = Policy::preset("@viewer")?
        .read_program()?
        .read_noexec(&document)?
        .env_pass(PART)?
        .set("actions", &format!("save-as={}", folder.display()))?
        .set("actions", &format!("open-url={BROWSER}"))?;
    let mut viewer = Command::new(std::env::current_exe()?);
    viewer.arg(&document).policy(policy).env(PART, "viewer").current_dir("/");
    viewer.stdin(Stdio::null());
    let report = viewer.status()?;
    if report.success() { Ok(()) } else { Err(report.reason.into()) }
}

/// The viewer's part: hostile bytes, and what they may lead to.
fn view(document: &str) -> Result<(), Box<dyn Error>> {
    let text = String::from_utf8_lossy(&fs::read(document)?).into_owned();
    for words in between(&text, "(", ") Tj") {
        println!("{words}");
    }
    for address in between(&text, "/URI (", ")") {
        asked("open-url", &[address], "");
    }
    for name in between(&text, "/SaveAs (", ")") {
        asked("save-as", &[name], &text);
    }
    for other in between(&text, "/Hole (", ")") {
        let read = fs::read(Path::new(other)).map(|bytes| bytes.len());
        println!(
            "reading {other}: {}",
            read.map_or_else(|error| error.kind().to_string(), |len| len.to_string())
        );
        let written =
            fs::write(document, "changed").map_or_else(|error| error.kind().to_string(), |()| "done".into());
        println!("writing the document: {written}");
        let connected = std::net::TcpStream::connect("127.0.0.1:80")
            .map_or_else(|error| error.kind().to_string(), |_| "done".into());
        println!("connecting: {connected}");
    }
    Ok(())
}

fn asked(action: &str, words: &[&str], data: &str) {
    let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    match request(action, words, data.as_bytes()) {
        Ok((outcome, _)) => println!("{action}: {}", outcome.text()),
        Err(error) => println!("{action}: {error}"),
    }
}

/// What stands between two marks, each time.
fn between<'t>(text: &'t str, first: &'t str, last: &'t str) -> impl Iterator<Item = &'t str> {
    let parts = text.split(first).skip(1);
    parts.filter_map(move |part| part.lines().next()?.split_once(last).map(|(words, _)| words))
}
