//! What is said about a run at its end.

use std::time::Duration;

use belljar::Report;
use belljar::report::{Enforcement, LimitHeld, Verdict};
use serde_json::{Value, to_value};

use crate::text;

/// Signals of which shells say nothing: the user's own, and the end of a reader.
const USUAL: [i32; 2] = [2, 13];

/// Nothing for a program that ended by itself; one or two lines when belljar ended it or could not run it, or when a signal ended
/// it that the caller did not send.
pub(crate) fn unusual(report: &Report) -> String {
    match report.verdict {
        Verdict::Exited { .. } => String::new(),
        Verdict::Signaled { signal } if USUAL.contains(&signal) || report.forwarded.contains(&signal) => {
            String::new()
        }
        _ => headline(report),
    }
}

/// Nothing was run, or belljar cannot say how it ended: said even where quiet was asked for.
pub(crate) fn is_failure(report: &Report) -> bool {
    matches!(
        report.verdict,
        Verdict::SetupFailed | Verdict::NotRunnable | Verdict::NotFound | Verdict::Internal
    )
}

/// How it ended, what it used, what held which rule.
pub(crate) fn full(report: &Report) -> String {
    let rows = report.enforced.iter().map(enforced_row).chain(report.limits.iter().map(limit_row));
    let used = if is_failure(report) { String::new() } else { format!("belljar: used {}\n", used(report)) };
    format!("{}{used}{}", headline(report), columns(&rows.collect::<Vec<_>>()))
}

fn headline(report: &Report) -> String {
    let reason = report.reason.trim_end();
    let said = match reason {
        "" => verdict(report.verdict),
        _ if is_failure(report) => format!("{}: {reason}", verdict(report.verdict)),
        _ => reason.to_owned(),
    };
    let hint = if report.hint.is_empty() { String::new() } else { format!("hint: {}\n", report.hint) };
    format!("belljar: {said}\n{hint}")
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Exited { code } => format!("the program exited with {code}"),
        Verdict::Signaled { signal } => format!("signal {signal} ended the program"),
        Verdict::TimedOut => "time limit reached".to_owned(),
        Verdict::LimitHit { limit } => format!("limit reached: {}", word(to_value(limit))),
        Verdict::Violation => "the system call filter ended the program".to_owned(),
        Verdict::NotRunnable => "the program cannot be run".to_owned(),
        Verdict::NotFound => "the program was not found".to_owned(),
        Verdict::SetupFailed => "nothing was run".to_owned(),
        _ => "belljar failed".to_owned(),
    }
}

/// A plain value as its JSON form names it.
pub(crate) fn word(value: serde_json::Result<Value>) -> String {
    match value {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn used(report: &Report) -> String {
    let usage = &report.usage;
    let peak = amount(usage.peak_memory);
    let [wall, user, system] = [usage.wall, usage.user, usage.system].map(seconds);
    format!("wall {wall}, user {user}, system {system}, peak memory {peak}")
}

fn seconds(time: Duration) -> String {
    format!("{}.{:03} s", time.as_secs(), time.subsec_millis())
}

/// Units of 1024, from the largest.
const UNITS: &[(u64, &str)] = &[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

/// Bytes for a person: one digit after the point, rounded down.
pub(crate) fn amount(bytes: u64) -> String {
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, (bytes % unit) * 10 / unit),
        None => format!("{bytes} B"),
    }
}

fn enforced_row(row: &Enforcement) -> [String; 3] {
    let held = row.held();
    let gap = row.gap.as_ref().map(|gap| format!(" (gap: {gap})")).unwrap_or_default();
    [row.rule.clone(), format!("{held}{gap}"), row.origin.clone()]
}

fn limit_row(row: &LimitHeld) -> [String; 3] {
    let hit = if row.hit { "reached" } else { "" };
    [format!("limit {} {}", word(to_value(row.limit)), row.value), row.by.clone(), hit.to_owned()]
}

/// Rows under one another, without spaces at the ends. A line break inside a cell becomes an escape.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| text::name(cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).min(66);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_by_itself_is_not_worth_a_word() {
        let report = Report::failure(Verdict::Exited { code: 3 }, "", "");
        assert_eq!(unusual(&report), "");
    }

    #[test]
    fn a_signal_is_said_that_the_caller_did_not_send() {
        let mut report =
            Report::failure(Verdict::Signaled { signal: 11 }, "signal 11 (SIGSEGV) ended it", "");
        assert_eq!(unusual(&report), "belljar: signal 11 (SIGSEGV) ended it\n");
        report.forwarded = vec![11];
        assert_eq!(unusual(&report), "");
        assert_eq!(unusual(&Report::failure(Verdict::Signaled { signal: 13 }, "broken pipe", "")), "");
    }

    #[test]
    fn a_timeout_is_said_with_reason_and_remedy() {
        let report = Report::failure(Verdict::TimedOut, "it ran for 10 s", "-t 20s allows more");
        assert_eq!(unusual(&report), "belljar: it ran for 10 s\nhint: -t 20s allows more\n");
    }

    #[test]
    fn amounts_are_rounded_down() {
        assert_eq!([0, 1023, 1024, 1_610_612_736].map(amount), ["0 B", "1023 B", "1.0 KiB", "1.5 GiB"]);
        assert_eq!(amount((1 << 30) - 1), "1023.9 MiB");
    }
}
