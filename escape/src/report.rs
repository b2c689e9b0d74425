//! What people and programs read after a run: lines, JSON lines, or a Markdown table with one column per box.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::attack::Attack;
use crate::cli::Options;
use crate::page;

/// How one attack ended against one box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The wall held.
    Contained,
    /// The box refused to start because the host lacks something on purpose, which is right.
    Refused,
    /// It did not; the text is the evidence.
    Escaped(String),
    /// The attack fails even in its control run, or the runner could not run it.
    Broken(String),
    /// The box did not start the attack.
    NotStarted(String),
    /// The host lacks a feature that the attack needs.
    Skipped(&'static str),
    /// The attack is about another box.
    NotApplicable,
}

/// One verdict with its place.
pub(crate) struct Line {
    pub(crate) attack: &'static Attack,
    pub(crate) sandbox: &'static str,
    pub(crate) verdict: Verdict,
    /// Time of its control runs and its own.
    pub(crate) took: Duration,
}

impl Line {
    /// Counts as a failure of the suite. An escape from another box than belljar is a result, not a failure.
    fn failed(&self) -> bool {
        match self.verdict {
            Verdict::Broken(_) | Verdict::NotStarted(_) => true,
            Verdict::Escaped(_) => self.sandbox == "belljar",
            _ => false,
        }
    }

    fn skipped(&self) -> bool {
        matches!(self.verdict, Verdict::Skipped(_) | Verdict::NotApplicable)
    }
}

/// Collects lines and prints them.
pub(crate) struct Report {
    pub(crate) lines: Vec<Line>,
    json: bool,
    table: bool,
    boxes: Vec<&'static str>,
    belljar: PathBuf,
}

impl Report {
    pub(crate) fn new(options: &Options, belljar: PathBuf) -> Report {
        let boxes = options.against.iter().map(|sandbox| sandbox.name).collect();
        Report { lines: Vec::new(), json: options.json, table: options.table, boxes, belljar }
    }

    /// Prints the line, unless a table was asked for, and keeps it.
    pub(crate) fn add(&mut self, line: Line) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json(&line))?;
        } else if self.table {
            writeln!(io::stderr(), "{}", text(&line))?;
        } else {
            writeln!(out, "{}", text(&line))?;
        }
        self.lines.push(line);
        Ok(())
    }

    /// Prints the attacks that took longest.
    fn slowest(&self, out: &mut impl Write) -> io::Result<()> {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.took));
        let slow = lines.iter().take(SLOWEST);
        let named = slow.map(|line| format!("{:.1} {}", line.took.as_secs_f32(), line.attack.name));
        writeln!(out, "slowest, in seconds: {}", named.collect::<Vec<_>>().join(", "))
    }

    /// Prints table and totals; the exit status of the suite.
    pub(crate) fn finish(&self, unexpected: &[String]) -> io::Result<u8> {
        if self.table {
            page::print(&mut io::stdout().lock(), &self.lines, &self.boxes, &self.belljar)?;
        }
        let mut out: Box<dyn Write> =
            if self.table { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        for skip in unexpected {
            writeln!(out, "FAIL unexpected skip: {skip}")?;
        }
        let failed = self.lines.iter().filter(|line| line.failed()).count() + unexpected.len();
        let skipped = self.lines.iter().filter(|line| line.skipped()).count();
        let passed = self.lines.len() - self.lines.iter().filter(|line| line.failed()).count() - skipped;
        self.slowest(&mut out)?;
        writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
        Ok(u8::from(failed > 0 || self.lines.is_empty()))
    }
}

/// How many slow attacks are named.
const SLOWEST: usize = 5;

/// Word and detail of a verdict.
fn words(verdict: &Verdict) -> (&'static str, &'static str, String) {
    match verdict {
        Verdict::Contained => ("ok  ", "contained", String::new()),
        Verdict::Refused => ("ok  ", "refused to start", String::new()),
        Verdict::Escaped(why) => ("ESC ", "escaped", why.clone()),
        Verdict::Broken(why) => ("FAIL", "broken attack", why.clone()),
        Verdict::NotStarted(why) => ("FAIL", "did not start", why.clone()),
        Verdict::Skipped(need) => ("SKIP", "skipped", format!("needs {need}")),
        Verdict::NotApplicable => ("SKIP", "not applicable", String::new()),
    }
}

fn text(line: &Line) -> String {
    let (mark, word, detail) = words(&line.verdict);
    let mark = if line.failed() { "FAIL" } else { mark };
    let text =
        format!("{mark} {:4} {:32} {:8} {word} {detail}", line.attack.id, line.attack.name, line.sandbox);
    text.trim_end().escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

fn json(line: &Line) -> serde_json::Value {
    let (_, word, detail) = words(&line.verdict);
    serde_json::json!({
        "id": line.attack.id, "name": line.attack.name, "what": line.attack.what, "box": line.sandbox,
        "verdict": word, "detail": detail, "failed": line.failed(),
    })
}
