//! The comparison as a Markdown page: what was run, on what, and one row per attack.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use crate::attacks::FAMILIES;
use crate::boxes::{self, Places};
use crate::limits;
use crate::report::{Line, Verdict};

const INTRODUCTION: &str = "\
# The same attacks on other sandboxes

Made by `cargo xtask escape --against BOXES --table`; do not edit. Each attack first succeeded in a control run without the box, then
ran in the box, and was judged from outside. *Escaped* means that the attack got what its row says (*documented*: SECURITY.md
says that belljar does not hold it); *contained* that it did not; *not tested* that this host lacks something the attack
needs; a dash that the row is about another box. Dashes count as not tested.

Every box was told: the system read-only, the folder of the attack program read-only, one work folder writable, no network.
A box that was built for another purpose may leave a door open on purpose: bubblewrap is a tool box that leaves descriptors,
environment and system calls to its caller, and says so.
";

/// Prints the page.
pub(crate) fn print(
    out: &mut impl Write,
    lines: &[Line],
    names: &[&'static str],
    belljar: &Path,
) -> io::Result<()> {
    writeln!(out, "{INTRODUCTION}")?;
    writeln!(out, "Kernel {}, attacks run by {}.\n", kernel(), user())?;
    print_boxes(out, names, belljar)?;
    for family in FAMILIES {
        let of_family = |line: &&Line| family.rows.iter().any(|row| row.name == line.attack.name);
        let lines: Vec<&Line> = lines.iter().filter(of_family).collect();
        if !lines.is_empty() {
            writeln!(out, "\n## {}\n", family.title)?;
            print_table(out, &lines, names)?;
        }
    }
    writeln!(out, "\n## Totals\n\n| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
    print_totals(out, lines, names)
}

fn print_boxes(out: &mut impl Write, names: &[&'static str], belljar: &Path) -> io::Result<()> {
    writeln!(out, "| box | version | told by |\n|---|---|---|")?;
    for sandbox in names.iter().filter_map(|name| boxes::by_name(name)) {
        let places = Places {
            belljar,
            bin: Path::new("BIN"),
            work: Path::new("WORK"),
            flags: &["FLAGS OF THE ROW".to_owned()],
            grant: "-w",
        };
        let words: Vec<String> =
            sandbox.line(&places).iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let program = words.first().cloned().unwrap_or_default();
        let told = match words.split_first() {
            Some((_, rest)) => format!("`{} {} CMD`", sandbox.name, rest.join(" ")),
            None => "–".to_owned(),
        };
        writeln!(out, "| {} | {} | {told} |", sandbox.name, version(&program))?;
    }
    Ok(())
}

fn print_table(out: &mut impl Write, lines: &[&Line], names: &[&'static str]) -> io::Result<()> {
    writeln!(out, "| id | attack | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
    for row in lines.chunks(names.len()) {
        if let Some(first) = row.first() {
            let cells: Vec<&str> = row.iter().map(|line| cell(&line.verdict)).collect();
            writeln!(out, "| {} | {} | {} |", first.attack.id, first.attack.what, cells.join(" | "))?;
        }
    }
    Ok(())
}

/// Which verdicts a row of the totals counts.
type Wanted = fn(&Verdict) -> bool;

fn print_totals(out: &mut impl Write, lines: &[Line], names: &[&'static str]) -> io::Result<()> {
    let count = |name: &str, wanted: Wanted| {
        lines.iter().filter(|line| line.sandbox == name && wanted(&line.verdict)).count().to_string()
    };
    let kinds: [(&str, Wanted); 3] = [
        ("escaped", got_out),
        ("contained", |verdict| matches!(verdict, Verdict::Contained | Verdict::Refused)),
        ("not tested", |verdict| {
            !got_out(verdict) && !matches!(verdict, Verdict::Contained | Verdict::Refused)
        }),
    ];
    for (word, wanted) in kinds {
        let cells: Vec<String> = names.iter().map(|name| count(name, wanted)).collect();
        writeln!(out, "| {word} | {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// An attack that belljar documents instead of containing got out as well.
fn got_out(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Escaped(_) | Verdict::Skipped(limits::NEED))
}

fn cell(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Contained | Verdict::Refused => "contained",
        Verdict::Escaped(_) => "**escaped**",
        Verdict::Skipped(limits::NEED) => "**escaped**, documented",
        Verdict::Broken(_) => "broken",
        Verdict::NotStarted(_) => "did not start",
        Verdict::Skipped(_) => "not tested",
        Verdict::NotApplicable => "–",
    }
}

/// Major and minor number; the rest is the distribution's business.
fn kernel() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn user() -> &'static str {
    if rustix::process::geteuid().is_root() { "root" } else { "an ordinary user" }
}

fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let number = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    number.unwrap_or("–").to_owned()
}
