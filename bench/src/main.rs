//! The measuring loops of `cargo xtask bench`: one small static program, so that what measures costs little and
//! what runs inside a jar starts at once.
//!
//! `bench series|idle|workers|services` read a request as JSON and print their result as JSON; `bench getppid|open N` print
//! nanoseconds per call; `bench bytes|reach|served|relay` measure connections, `bench floor` what the kernel alone takes; `bench machine` prints the properties of the machine that shape every number.
#![forbid(unsafe_code)]

mod bare;
mod calls;
mod crowd;
mod floor;
mod idle;
mod library;
mod machine;
mod network;
mod process;
mod relay;
mod series;
mod services;
mod workers;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

/// Answers the words after its name.
type Answer = fn(&[String]) -> Result<String>;

/// What to type, and what prints the answer.
const COMMANDS: &[(&str, Answer)] = &[
    ("series", series::run),
    ("idle", idle::run),
    ("machine", machine::run),
    ("getppid", calls::getppid),
    ("open", calls::open),
    ("refused", calls::refused),
    ("crowd", crowd::run),
    ("floor", floor::run),
    ("waits", floor::waits),
    ("relay", relay::run),
    ("bytes", network::bytes),
    ("reach", network::reach),
    ("served", network::served),
    ("workers", workers::run),
    ("services", services::run),
    ("bounce", workers::bounce),
    ("echo", |words| Ok(words.join(" "))),
    ("exit", |_| Ok(String::new())),
];

fn main() -> ExitCode {
    belljar::worker::serve(&[&workers::ECHO, &workers::SUM]);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match answer(&arguments).and_then(|text| Ok(writeln!(std::io::stdout(), "{text}")?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let written = writeln!(std::io::stderr(), "bench: {error:#}");
            ExitCode::from(if written.is_ok() { 1 } else { 2 })
        }
    }
}

fn answer(arguments: &[String]) -> Result<String> {
    let name = arguments.first().map(String::as_str);
    match COMMANDS.iter().find(|(command, _)| Some(*command) == name) {
        Some((_, run)) => run(arguments.get(1..).unwrap_or_default()),
        None => bail!("no command {name:?}"),
    }
}
