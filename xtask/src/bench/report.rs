//! The page BENCHMARKS.md.

use std::fmt::Write;

use serde_json::Value;

use super::goals::{GOALS, Goal};
use super::peers;
use super::sections::Section;
use crate::command::{output, program};

/// One number that a promise may be about.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) value: f64,
}

/// What a section found.
#[derive(Debug)]
pub(super) struct Table {
    lines: Vec<String>,
    numbers: Vec<Number>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        let rule = "---|".repeat(head.len());
        Self { lines: vec![format!("| {} |", head.join(" | ")), format!("|{rule}")], numbers: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        self.lines.push(format!("| {} |", cells.join(" | ")));
    }

    /// Adds numbers.
    pub(super) fn with(mut self, numbers: impl IntoIterator<Item = Number>) -> Self {
        self.numbers.extend(numbers);
        self
    }
}

/// All sections of one account.
pub(super) struct Part {
    account: String,
    text: String,
    numbers: Vec<Number>,
}

impl Part {
    pub(super) fn new(account: String) -> Self {
        Self { account, text: String::new(), numbers: Vec::new() }
    }

    pub(super) fn add(&mut self, section: &Section, table: Table) {
        let lines = table.lines.join("\n");
        self.text.push_str(&format!("\n### {}\n\n{}\n\n{lines}\n", section.title, section.note));
        self.numbers.extend(table.numbers);
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|number| number.name == name).map(|number| number.value)
    }

    /// The value of a promise, and what the kernel alone takes of it.
    fn cell(&self, goal: &Goal) -> String {
        let alone = self.value(&format!("kernel's {}", goal.name));
        let alone = alone.map_or(String::new(), |value| format!(" (kernel alone {value:.2})"));
        cell(goal, self.value(goal.name)) + &alone
    }
}

/// Microseconds as milliseconds.
pub(super) fn ms(microseconds: f64) -> String {
    format!("{:.2}", microseconds / 1000.0)
}

/// Microseconds.
pub(super) fn us(microseconds: f64) -> String {
    format!("{microseconds:.1}")
}

pub(super) fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// The whole page.
pub(super) fn page(machine: &Value, libraries: &[(String, &str)], parts: &[Part]) -> String {
    let mut page = String::from(HEAD);
    page.push_str(&properties(machine));
    page.push_str(&linked(libraries));
    page.push_str("\n## Promises\n\n");
    page.push_str(&promises(parts));
    page.push_str("\n## Command lines\n\n| | |\n|---|---|\n");
    for peer in peers::ALL {
        page.push_str(&format!("| {} | `{}` |\n", peer.name, peer.shown()));
    }
    for part in parts {
        page.push_str(&format!("\n## As {}\n{}", part.account, part.text));
    }
    page
}

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench` in one run; nothing here is edited by hand. Commands that are compared run in turns, one of
each and then again, after a warm-up. `median` and `least` are over the rounds; a ratio is the median of the ratios of
single rounds. Quote ratios: the milliseconds belong to one machine.

## Machine

";

fn properties(machine: &Value) -> String {
    let number = |name: &str| machine[name].as_f64().unwrap_or(f64::NAN);
    let mut text = format!(
        "{} processors, kernel {}. {}\n\n",
        processors(),
        first("/proc/sys/kernel/osrelease"),
        versions()
    );
    let lines = [
        format!(
            "`CPUID` costs {:.2} us. Above 1 us it is trapped: every glibc program runs it about 70 times before `main`.",
            number("cpuid")
        ),
        format!("A page fault costs {:.1} us.", number("page_fault")),
        format!(
            "Waking a thread costs {:.1} us on the same processor and {:.1} us on another.",
            number("wake_same"),
            number("wake_other")
        ),
        format!(
            "Load averages at the end: {}. A busy machine widens every number and most ratios.",
            first("/proc/loadavg")
        ),
    ];
    for line in lines {
        text.push_str(&format!("- {line}\n"));
    }
    text
}

/// Which C library is in what was measured: a start with another costs something else.
fn linked(libraries: &[(String, &str)]) -> String {
    let with = |library: &str| {
        let of = libraries.iter().filter(|(_, linked)| *linked == library);
        of.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    for (library, note) in LIBRARIES {
        let programs = with(library);
        if !programs.is_empty() {
            text.push_str(&format!("- Linked with {library}: {programs}.{note}\n"));
        }
    }
    text
}

const LIBRARIES: &[(&str, &str)] = &[
    ("musl", ""),
    (
        "glibc",
        " **There was no musl to link with: such a program starts slower, makes more system calls and takes more memory \
         than the one that is shipped.**",
    ),
];

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The first line of a file of /proc.
fn first(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

/// The first line of each box's version.
fn versions() -> String {
    let mut text = String::new();
    for name in ["bwrap", "firejail", "runsc"] {
        let version = output(&mut program(name, ["--version"])).unwrap_or_default();
        let line = version.lines().next().unwrap_or("not installed").to_owned();
        if write!(text, "{}. ", line.trim_end_matches('.')).is_err() {
            return text;
        }
    }
    text.trim_end().to_owned()
}

fn promises(parts: &[Part]) -> String {
    let names: Vec<&str> = parts.iter().map(|part| part.account.as_str()).collect();
    let mut text =
        format!("| | promised | {} |\n|---|---|{}\n", names.join(" | "), "---|".repeat(parts.len()));
    for goal in GOALS {
        let cells: Vec<String> = parts.iter().map(|part| part.cell(goal)).collect();
        text.push_str(&format!("| {} | {} | {} |\n", goal.what, goal.limit.shown(), cells.join(" | ")));
    }
    text
}

fn cell(goal: &Goal, value: Option<f64>) -> String {
    match value {
        None => "not measured".to_owned(),
        Some(value) if goal.limit.is_kept_by(value) => format!("{value:.2}"),
        Some(value) => format!("**{value:.2}** missed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_which_c_library_was_measured() {
        let linked = |of: [&'static str; 2]| {
            super::linked(&["belljar", "bench"].map(str::to_owned).into_iter().zip(of).collect::<Vec<_>>())
        };
        assert_eq!(linked(["musl", "musl"]), "- Linked with musl: `belljar`, `bench`.\n");
        let mixed = linked(["musl", "glibc"]);
        assert!(
            mixed.contains("musl: `belljar`.\n- Linked with glibc: `bench`. **There was no musl"),
            "{mixed}"
        );
    }

    #[test]
    fn a_missed_or_missing_promise_is_visible() {
        assert_eq!(cell(&GOALS[0], None), "not measured");
        assert_eq!(cell(&GOALS[0], Some(0.5)), "0.50");
        assert_eq!(cell(&GOALS[0], Some(0.7)), "**0.70** missed");
    }
}
