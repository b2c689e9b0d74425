//! A start from the library: what a program pays that runs others in jars, its policy read, its host probed and its commands made
//! once.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use belljar::policy::{FlagValue, Request, load};
use belljar::report::Verdict;
use belljar::{Command, HostFacts, Stdio, probe};
use serde::Deserialize;

/// From the start of the command until when.
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
    policy: Arc<belljar::policy::Policy>,
    facts: Arc<HostFacts>,
    /// Commands by their words.
    commands: Vec<(Vec<String>, Command)>,
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
        Ok(Self { policy: Arc::new(policy), facts: Arc::new(probe::probe()), commands: Vec::new() })
    }

    /// Runs one command to its end, and returns how many microseconds this span of it took.
    pub(crate) fn start(&mut self, words: &[String], span: Span) -> Result<f64> {
        let command = self.command(words)?;
        let start = Instant::now();
        let reported = reported(command, start)?;
        Ok(if span == Span::Report { reported } else { micros(start) })
    }

    fn command(&mut self, words: &[String]) -> Result<&mut Command> {
        if !self.commands.iter().any(|(known, _)| known == words) {
            let (program, arguments) = words.split_first().context("an empty command")?;
            let mut command = Command::new(program);
            command.args(arguments).policy(Arc::clone(&self.policy)).host(Arc::clone(&self.facts));
            command.stdin(Stdio::Null).stdout(Stdio::Null);
            self.commands.push((words.to_vec(), command));
        }
        let known = self.commands.iter_mut().find(|(known, _)| known == words);
        known.map(|(_, command)| command).context("a command that was just made")
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
