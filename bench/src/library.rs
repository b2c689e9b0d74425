//! A start from the library: what a program pays that runs others in jars, its policy read and its host probed once.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use belljar::policy::{FlagValue, Request, load};
use belljar::report::Verdict;
use belljar::{Command, HostFacts, Stdio, probe};
use serde::Deserialize;

/// From the making of the command until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Span {
    /// The report is there: nothing of the jar runs any more.
    Report,
    /// The child was dropped too: nothing of the jar is in the process table any more, as after the wait for a plain process.
    Whole,
}

/// What such a program keeps.
#[derive(Debug)]
pub(crate) struct Library {
    policy: belljar::policy::Policy,
    facts: HostFacts,
}

impl Library {
    /// The strict default with the folder of this program readable and the current one writable.
    pub(crate) fn new() -> Result<Self> {
        let own = std::env::current_exe()?;
        let cwd = std::env::current_dir()?;
        let readable = own.parent().unwrap_or(Path::new("/"));
        let flags = vec![FlagValue::new("--read", readable), FlagValue::new("--write", &cwd)];
        let home = std::env::var_os("HOME").map(Into::into);
        let request = Request { cwd, home, flags, ..Request::default() };
        let policy = load(&request, &|path| std::fs::read_to_string(path))?;
        Ok(Self { policy, facts: probe::probe() })
    }

    /// Runs one command to its end, and returns how many microseconds this span of it took.
    pub(crate) fn start(&self, words: &[String], span: Span) -> Result<f64> {
        let start = Instant::now();
        let reported = reported(&mut self.command(words)?, start)?;
        Ok(if span == Span::Report { reported } else { micros(start) })
    }

    fn command(&self, words: &[String]) -> Result<Command> {
        let (program, arguments) = words.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments).policy(self.policy.clone()).host(self.facts.clone());
        command.stdin(Stdio::Null).stdout(Stdio::Null);
        Ok(command)
    }
}

/// The time until the report. The child is dropped before this returns.
fn reported(command: &mut Command, start: Instant) -> Result<f64> {
    let mut child = command.spawn()?;
    let report = child.wait()?;
    let reported = micros(start);
    ensure!(report.verdict == Verdict::Exited { code: 0 }, "{:?}: {}", report.verdict, report.reason);
    Ok(reported)
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}
