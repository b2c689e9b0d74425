//! A start from the library: what a program pays that runs others in jars, its policy read and its host probed once.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use belljar::policy::{FlagValue, Request, load};
use belljar::report::Verdict;
use belljar::{Command, HostFacts, Stdio, probe};

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

    /// Runs one command to its end.
    pub(crate) fn start(&self, words: &[String]) -> Result<()> {
        let (program, arguments) = words.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments).policy(self.policy.clone()).host(self.facts.clone());
        command.stdin(Stdio::Null).stdout(Stdio::Null);
        let report = command.spawn()?.wait()?;
        ensure!(report.verdict == Verdict::Exited { code: 0 }, "{:?}: {}", report.verdict, report.reason);
        Ok(())
    }
}
