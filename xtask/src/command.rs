//! What a command is, and the two things all of them do: run another program, and say something.

use std::ffi::OsStr;
use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

/// One command: what to type, what it is for, and the function that does it with the remaining arguments.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) run: fn(&[String]) -> Result<()>,
}

/// Writes one line for the person at the terminal. A closed terminal is no reason to stop a check.
pub(crate) fn say(line: &str) {
    if writeln!(std::io::stdout().lock(), "{line}").is_err() {
        // Nobody is reading.
    }
}

/// A program to be started at the root of the repository.
pub(crate) fn program<I, S>(name: impl AsRef<OsStr>, arguments: I) -> std::process::Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = std::process::Command::new(name);
    command.args(arguments).current_dir(crate::tree::root());
    command
}

/// Runs a program with our own terminal and fails unless it succeeds.
pub(crate) fn must(command: &mut std::process::Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a program and returns what it printed; its errors go to our own terminal.
pub(crate) fn output(command: &mut std::process::Command) -> Result<String> {
    let done = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !done.status.success() {
        bail!("{} failed: {}", shown(command), done.status);
    }
    String::from_utf8(done.stdout).context("the output is not UTF-8")
}

/// The command line as a person would type it.
pub(crate) fn shown(command: &std::process::Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// True when a program of this name is on the search path.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
