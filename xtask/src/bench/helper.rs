//! Asks the measuring program, run as some account.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::figures::Series;
use crate::account::Account;

/// Seconds after which a request is given up.
const PATIENCE: u32 = 600;

/// The measuring program.
pub(super) struct Helper {
    program: PathBuf,
    is_quick: bool,
}

/// What a series measures and for how long.
pub(super) struct Effort {
    /// `wall` or `printed`.
    pub(super) measure: &'static str,
    pub(super) rounds: u32,
    pub(super) seconds: u32,
}

impl Helper {
    pub(super) fn new(program: PathBuf, is_quick: bool) -> Self {
        Self { program, is_quick }
    }

    /// Runs the commands beside each other and returns one series per command.
    pub(super) fn series(
        &self,
        account: &Account,
        effort: &Effort,
        rows: &[(&str, Vec<String>)],
    ) -> Result<Vec<Series>> {
        self.rows(
            account,
            effort,
            rows.iter().map(|(name, words)| json!({"name": name, "words": words})).collect(),
        )
    }

    /// The command started by itself, by the kernel's steps of a jar, and by the library within the helper, beside each other.
    pub(super) fn library(&self, account: &Account, effort: &Effort, words: &[&str]) -> Result<Vec<Series>> {
        let row = |(name, span, bare): (&str, Option<&str>, bool)| json!({"name": name, "words": words, "library": span, "bare": bare});
        let rows = [
            ("plain spawn", None, false),
            ("kernel: the same layers", None, true),
            ("library", Some("whole"), false),
            ("library, until the report", Some("report"), false),
        ];
        self.rows(account, effort, rows.map(row).to_vec())
    }

    fn rows(&self, account: &Account, effort: &Effort, rows: Vec<Value>) -> Result<Vec<Series>> {
        let rounds = if self.is_quick { 3 } else { effort.rounds };
        let request = json!({
            "rounds": rounds, "warm_up": 2, "seconds": effort.seconds, "measure": effort.measure, "rows": rows,
        });
        let answer = self.ask("series", account, &request)?;
        let found = answer.as_array().context("a series is a list")?;
        found.iter().map(|row| Series::read(row).context("a series")).collect()
    }

    /// Starts `count` copies that wait in `sleep`, and returns what the helper found.
    pub(super) fn idle(&self, account: &Account, words: &[String], count: usize) -> Result<Value> {
        self.ask("idle", account, &json!({"words": words, "program": "sleep", "count": count}))
    }

    /// The same with one copy of the measuring program that makes so many threads.
    pub(super) fn crowd(&self, account: &Account, words: &[String], threads: usize) -> Result<Value> {
        let request = json!({"words": words, "program": "bench", "count": 1, "threads": threads});
        self.ask("idle", account, &request)
    }

    /// Workers of the library beside other things, among them `/bin/true` in another kind of box.
    pub(super) fn workers(
        &self,
        account: &Account,
        rounds: u32,
        seconds: u32,
        box_of_true: &[String],
    ) -> Result<Value> {
        let rounds = if self.is_quick { 3 } else { rounds };
        let request = json!({"rounds": rounds, "seconds": seconds, "box_of_true": box_of_true});
        self.ask("workers", account, &request)
    }

    /// Services of the library, and the same things done by oneself.
    pub(super) fn services(&self, account: &Account, rounds: u32, seconds: u32) -> Result<Value> {
        let rounds = if self.is_quick { 3 } else { rounds };
        self.ask("services", account, &json!({"rounds": rounds, "seconds": seconds}))
    }

    /// The properties of the machine.
    pub(super) fn machine(&self) -> Result<Value> {
        let text = crate::command::output(&mut crate::command::program(&self.program, ["machine"]))?;
        serde_json::from_str(&text).context("the machine's properties")
    }

    fn ask(&self, verb: &str, account: &Account, request: &Value) -> Result<Value> {
        let mut command = account.command(&self.program, PATIENCE);
        command.arg(verb).current_dir(account.work()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().context("standard input is a pipe")?.write_all(request.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        anyhow::ensure!(output.status.success(), "the helper ended with {}", output.status);
        serde_json::from_slice(&output.stdout).context("the helper's answer")
    }
}
