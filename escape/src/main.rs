//! Attacks on a sandbox, one small file each, and the runner that judges them from outside.
//!
//! One program plays every part: the runner (`run`), the attack inside the box (`attack`), the shell that starts a
//! box (`start`), boxes with known holes for control runs (`weak`) and processes to be attacked (`victim`).

mod attack;
mod attacks;
mod boxes;
mod canary;
mod cli;
mod files;
mod judges;
mod launch;
mod limits;
mod marked;
mod needs;
mod outcome;
mod page;
mod processes;
mod report;
mod skips;
mod stage;
mod start;
mod suite;
mod terminal;
mod turns;
mod victim;

use std::io::{self, Write};
use std::process::ExitCode;

/// One part this program can play.
type Part = fn(&[String]) -> io::Result<u8>;

/// What the first argument selects.
const PARTS: &[(&str, Part)] = &[
    ("run", suite::main),
    ("list", suite::list),
    ("attack", attacks::main),
    ("start", start::main),
    ("weak", attacks::weak::main),
    ("victim", victim::main),
    ("target", attacks::target::main),
    ("split", attacks::worker::split::main),
    ("mark", marked::main),
];

fn main() -> ExitCode {
    belljar::worker::serve(&[&attacks::worker::sweep::CALLS, &attacks::worker::split::DEEDS]);
    let args: Vec<String> = std::env::args().skip(1).collect();
    let part = PARTS.iter().find(|(name, _)| args.first().is_some_and(|given| given == name));
    let Some((_, part)) = part else {
        return complain(&format!("usage: escape {}", cli::USAGE));
    };
    match part(args.get(1..).unwrap_or_default()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => complain(&format!("escape: {error}")),
    }
}

fn complain(text: &str) -> ExitCode {
    match writeln!(io::stderr(), "{text}") {
        Ok(()) | Err(_) => ExitCode::from(2),
    }
}
