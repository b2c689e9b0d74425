//! The two streams of the person at the terminal. Each text is written once, whole and safe.

use std::io::{self, Write};

use crate::text;

/// Writes what was asked for to standard output. `false` when it could not be written.
#[must_use]
pub(crate) fn answer(text: &str) -> bool {
    put(io::stdout().lock(), &text::lines(text))
}

/// Writes JSON to standard output. `false` when it could not be written.
#[must_use]
pub(crate) fn answer_json(text: &str) -> bool {
    put(io::stdout().lock(), &text::json(text))
}

/// Says something beside the answer. A closed standard error changes nothing about the run.
pub(crate) fn say(text: &str) {
    if !text.is_empty() && !put(io::stderr().lock(), &text::lines(text)) {
        // Nobody is listening.
    }
}

fn put(mut stream: impl Write, text: &str) -> bool {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).is_ok()
}
