//! The program of the tests of promises: one verb, or a whole story, in a process with one thread.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::exit,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    reason = "test program"
)]

#[allow(dead_code, reason = "the tests read what this program does not")]
mod verbs;

use std::fs::File;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;

use verbs::{Before, SCENES, VERBS};

/// NAME PROMISES FOLDER.
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, promises, at] = &words[..] else { std::process::exit(2) };
    let at = std::path::Path::new(at);
    if let Some((_, story)) = SCENES.iter().find(|(known, _)| known == name) {
        return story(at);
    }
    let act = VERBS.iter().find(|known| known.name == name).unwrap().act;
    let before = Before {
        file: File::open(at.join("file")).unwrap(),
        pair: UnixStream::pair().unwrap(),
        udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
    };
    belljar::pledge(promises).unwrap();
    if let Err(error) = act(at, &before) {
        std::process::exit(100 + error.raw_os_error().unwrap_or(99));
    }
}
