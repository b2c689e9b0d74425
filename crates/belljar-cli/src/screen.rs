//! The two streams of the person at the terminal. Each text is written once, whole and safe.

use std::io::{self, IsTerminal as _, Write};

use belljar::ask::plain;

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

/// Leaves the screen that a program drew on beside the caller's. The cursor is kept first: on the caller's own screen that is
/// where it goes back to.
const BACK: &str = "\x18\x1b\\\x1b7\x1b[?1049l\x1b[?25h";

/// Ends a line, and takes away what a program left behind it.
const LINE: &str = "\x1b[K\n";

/// Says something on a terminal that a program may have left in any state: without an end to a sequence, in colours that nobody
/// sees. Nothing is cleared but the rest of the lines that are said.
pub(crate) fn say_after_run(text: &str) {
    if text.is_empty() || !io::stderr().is_terminal() || plain().is_empty() {
        return say(text);
    }
    let said = text::lines(text).replace('\n', LINE);
    if put(io::stderr().lock(), &format!("{BACK}{}{said}", plain())).is_err() {
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
