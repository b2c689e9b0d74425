//! The two streams of the person at the terminal. Each text is written once, whole and safe.

use std::io::{self, Write};

use crate::text;

/// Writes what was asked for to standard output. `false` when it could not be written.
#[must_use]
pub(crate) fn answer(text: &str) -> bool {
    told(put(io::stdout().lock(), &text::lines(text)))
}

/// Writes JSON to standard output. `false` when it could not be written.
#[must_use]
pub(crate) fn answer_json(text: &str) -> bool {
    told(put(io::stdout().lock(), &text::json(text)))
}

/// Says something beside the answer. A closed standard error changes nothing about the run.
pub(crate) fn say(text: &str) {
    if !text.is_empty() && put(io::stderr().lock(), &text::lines(text)).is_err() {
        // Nobody is listening.
    }
}

/// Whether the answer is out. A reader who left knows; of a full disk the caller is told.
fn told(written: io::Result<()>) -> bool {
    match &written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("belljar: standard output cannot be written: {error}\n"));
        }
        _ => {}
    }
    written.is_ok()
}

fn put(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
}
