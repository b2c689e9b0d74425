//! `cargo xtask check`: the table of checks, each also a command of its own.

use anyhow::{Result, bail};

use crate::clock::Clock;
use crate::command::{Command, say};
use crate::{budget, docs, generate, licences, lint, rooms, shown, sizes, symbols};

/// Every check, cheapest first.
pub(crate) const CHECKS: &[Command] = &[
    Command {
        name: "rooms",
        summary: "import edges, circles of modules, places of unsafe code",
        run: rooms::run,
    },
    Command { name: "sizes", summary: "lines of files and functions", run: sizes::run },
    Command { name: "shown", summary: "no text of the shipped crates has a path as it is", run: shown::run },
    Command { name: "crates", summary: "packages the shipped command is built from", run: budget::run },
    Command { name: "licences", summary: "licences of all packages against deny.toml", run: licences::run },
    Command {
        name: "symbols",
        summary: "what the code between clone and exec needs: nothing",
        run: symbols::run,
    },
    Command { name: "docs", summary: "crates and keys are named in the documents", run: docs::run },
    Command { name: "fmt", summary: "formatting", run: lint::fmt },
    Command { name: "clippy", summary: "lints, as errors", run: lint::clippy },
    Command {
        name: "rustdoc",
        summary: "documentation of the libraries, warnings as errors",
        run: lint::rustdoc,
    },
    Command { name: "generated", summary: "generated files are up to date", run: generate::check },
];

/// Runs every check, also after one failed, and fails when any did.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let mut clock = Clock::default();
    let mut fails = |check: &&Command| !clock.time(check.name, || passes(check));
    let failed: Vec<&str> = CHECKS.iter().filter(&mut fails).map(|check| check.name).collect();
    clock.print();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn passes(check: &Command) -> bool {
    let outcome = (check.run)(&[]);
    match &outcome {
        Ok(()) => say(&format!("check {:<10} ok", check.name)),
        Err(error) => say(&format!("check {:<10} FAILED: {error:#}", check.name)),
    }
    outcome.is_ok()
}

/// Fails with all findings, one a line, when there are any.
pub(crate) fn verdict(findings: &[String]) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} finding(s)\n  {}", findings.len(), findings.join("\n  "))
}
