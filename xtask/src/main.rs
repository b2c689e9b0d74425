//! The project's own commands, run as `cargo xtask NAME`: the rows of [`COMMANDS`], then those of
//! [`check::CHECKS`].
#![forbid(unsafe_code)]

mod account;
mod bench;
mod budget;
mod capi;
mod check;
mod cli_docs;
mod clock;
mod command;
mod dist;
mod docs;
mod escape;
mod filters;
mod fuzz;
mod generate;
mod header;
mod licences;
mod lint;
mod numbers;
mod policy_files;
mod promises;
mod rooms;
mod shown;
mod sizes;
mod source;
mod stage;
mod symbols;
mod tables;
mod test;
mod tree;

use std::process::ExitCode;

use command::{Command, say};

/// The commands that are not single checks.
const COMMANDS: &[Command] = &[
    Command { name: "check", summary: "every check below, in order", run: check::run },
    Command { name: "generate", summary: "write the generated files [NAME...]", run: generate::run },
    Command { name: "capi", summary: "build the libraries for C [--prefix FOLDER]", run: capi::run },
    Command { name: "dist", summary: "build and check the binary to ship", run: dist::run },
    Command {
        name: "test",
        summary: "every test: unit doc capi escape masked programs kernel [PART...]",
        run: test::run,
    },
    Command { name: "escape", summary: "attack belljar, or others [--against BOX,...]", run: escape::run },
    Command { name: "fuzz", summary: "every fuzz target in turn [--seconds N] [TARGET...]", run: fuzz::run },
    Command { name: "bench", summary: "measure beside others and write BENCHMARKS.md", run: bench::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> anyhow::Result<()> {
    let name = arguments.first().map(String::as_str);
    match all().find(|command| Some(command.name) == name) {
        Some(command) => (command.run)(arguments.get(1..).unwrap_or_default()),
        None => anyhow::bail!("usage: cargo xtask COMMAND\n{}", usage()),
    }
}

fn all() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().chain(check::CHECKS)
}

fn usage() -> String {
    all().map(|command| format!("  {:<12}{}\n", command.name, command.summary)).collect()
}
