//! What people and programs read after a run: lines, JSON lines, or a Markdown table with one column per box.

use std::io::{self, Write};

use crate::attack::Attack;
use crate::attacks::FAMILIES;
use crate::cli::Options;

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
}

impl Report {
    pub(crate) fn new(options: &Options) -> Report {
        let boxes = options.against.iter().map(|sandbox| sandbox.name).collect();
        Report { lines: Vec::new(), json: options.json, table: options.table, boxes }
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

    /// Prints table and totals; the exit status of the suite.
    pub(crate) fn finish(&self, unexpected: &[String]) -> io::Result<u8> {
        if self.table {
            self.print_table(&mut io::stdout().lock())?;
        }
        let mut out: Box<dyn Write> =
            if self.table { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        for skip in unexpected {
            writeln!(out, "FAIL unexpected skip: {skip}")?;
        }
        let failed = self.lines.iter().filter(|line| line.failed()).count() + unexpected.len();
        let skipped = self.lines.iter().filter(|line| line.skipped()).count();
        let passed = self.lines.len() - self.lines.iter().filter(|line| line.failed()).count() - skipped;
        writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
        Ok(u8::from(failed > 0 || self.lines.is_empty()))
    }

    fn print_table(&self, out: &mut impl Write) -> io::Result<()> {
        let heads = self.boxes.join(" | ");
        writeln!(out, "| id | attack | {heads} |\n|---|---|{}", "---|".repeat(self.boxes.len()))?;
        for row in FAMILIES.iter().flat_map(|family| family.rows) {
            let of_row: Vec<&Line> = self.lines.iter().filter(|line| line.attack.name == row.name).collect();
            if !of_row.is_empty() {
                let cells: Vec<&str> = of_row.iter().map(|line| cell(&line.verdict)).collect();
                writeln!(out, "| {} | {} | {} |", row.id, row.what, cells.join(" | "))?;
            }
        }
        self.print_totals(out)
    }

    fn print_totals(&self, out: &mut impl Write) -> io::Result<()> {
        let escaped = |name: &&str| {
            let of_box = || self.lines.iter().filter(|line| line.sandbox == *name && !line.skipped());
            let escaped = of_box().filter(|line| matches!(line.verdict, Verdict::Escaped(_))).count();
            format!("{escaped} of {}", of_box().count())
        };
        let cells: Vec<String> = self.boxes.iter().map(escaped).collect();
        writeln!(out, "| | **escaped** | {} |", cells.join(" | "))
    }
}

fn cell(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Contained | Verdict::Refused => "contained",
        Verdict::Escaped(_) => "**escaped**",
        Verdict::Broken(_) => "broken",
        Verdict::NotStarted(_) => "did not start",
        Verdict::Skipped(_) => "not tested",
        Verdict::NotApplicable => "–",
    }
}

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
