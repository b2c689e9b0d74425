//! B4: names of files that drive the terminal of whoever reads about them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;

pub(super) const REFUSED: Attack = Attack {
    id: "B4",
    name: "escape-sequences-in-refusals",
    what: "drives the caller's terminal by the names of files that it is refused, in what is told of them",
    prepare: |stage| {
        stage.belljar_flags(&["--trace", "-v"]);
        prepare(stage)
    },
    attack,
    ..Attack::ROW
};

pub(super) const ASKED: Attack = Attack {
    name: "escape-sequences-in-questions",
    what: "drives the caller's terminal, or turns the text around, by the name of a file that is asked about",
    prepare: |stage| {
        // Nobody answers.
        stage.belljar_flags(&["--ask=tty", "-t", "2s"]);
        stage.terminal = true;
        prepare(stage)
    },
    ..REFUSED
};

/// Sets a window's title, turns text around, moves the cursor up, speaks with the 8-bit codes.
const NAMES: &[&str] =
    &["\x1b]0;title\x07", "ask \u{202e}txt.exe", "up\x1b[1A\rbelljar: all is well", "\u{9b}31m"];

/// What no reader's terminal may get.
const RAW: &[&str] = &["\x1b]0;", "\u{202e}", "\x1b[1A\rbelljar", "\u{9b}31"];

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    for name in NAMES {
        stage.host_file(name, "")?;
    }
    let host = stage.host.clone();
    stage.path_arg(&host);
    Ok(Box::new(|outcome| {
        let there = |raw: &&&str| {
            contains(&outcome.stderr, raw.as_bytes()) || contains(&outcome.stdout, raw.as_bytes())
        };
        let found = RAW.iter().find(there);
        Ok(Judgement::escaped_if(found.is_some(), &format!("{found:?} reached the terminal")))
    }))
}

/// Shows names only of what it gets, as careless programs do.
fn attack(args: &[String]) -> io::Result<()> {
    for name in NAMES {
        let path = Path::new(proof::arg(args, 0)?).join(name);
        if fs::File::open(&path).is_ok() {
            writeln!(io::stderr(), "{}", path.display())?;
        }
    }
    Ok(())
}
