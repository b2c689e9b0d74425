//! The `belljar` command: arguments in, one exit status out.
//!
//! ```text
//! argv ─ arguments ─► Words ─ commands/* ─► what the library answers ─► screen (text, JSON), report, exit status
//! ```
//!
//! Nothing is decided here: the policy crate reads the rules, the library plans and runs, this crate says what came out.
#![forbid(unsafe_code)]

mod arguments;
mod asking;
mod commands;
mod ending;
mod fault;
mod front;
mod lacking;
mod limits;
mod petition;
mod quick;
mod refusals;
mod request;
mod screen;
mod subcommand;
mod summary;
pub mod text;
mod unwritten;
mod usage;
mod words;

use std::ffi::OsString;

pub use arguments::tree as command;
pub use front::SUBCOMMANDS;
pub use subcommand::{BELLJAR_FAILED, Operand, Sub};

/// Does what the arguments say and returns the exit status. The first argument is the program's own name.
///
/// ```
/// assert_eq!(belljar_cli::main(["belljar".into(), "rnu".into()]), 125);
/// ```
#[must_use]
pub fn main(argv: impl IntoIterator<Item = OsString>) -> u8 {
    let mut argv = argv.into_iter();
    let own_name = argv.next();
    let argv: Vec<OsString> = argv.collect();
    if own_name.is_some_and(|name| petition::is_meant(&name)) {
        return petition::main(argv);
    }
    match arguments::parse(&argv) {
        Ok((sub, words)) => (sub.run)(&words),
        Err(usage) => usage.end(&argv),
    }
}

/// Reads arguments and does nothing: true when they are well formed.
#[must_use]
pub fn understands(argv: &[OsString]) -> bool {
    arguments::parse(argv).is_ok()
}
