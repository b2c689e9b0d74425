//! B4: escape sequences in names that the launcher repeats in its messages.

use std::io::{self, Write};

use crate::attack::{Attack, Judge};
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "B4",
    name: "escape-sequences-in-messages",
    what: "drives the caller's terminal through a name that the launcher prints",
    prepare,
    attack,
    may_refuse: true,
    ..Attack::ROW
};

/// Sets the title of a terminal window.
const SEQUENCE: &str = "\x1b]0;escape\x07";

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let missing = format!("{}/{SEQUENCE}", stage.host.to_string_lossy());
    stage.belljar_flags(&["-r", &missing]);
    Ok(Box::new(|outcome| {
        let raw = contains(&outcome.stderr, b"\x1b]") || contains(&outcome.stdout, b"\x1b]");
        Ok(Judgement::escaped_if(raw, "an escape sequence reached the terminal"))
    }))
}

fn attack(_: &[String]) -> io::Result<()> {
    io::stderr().write_all(SEQUENCE.as_bytes())
}
