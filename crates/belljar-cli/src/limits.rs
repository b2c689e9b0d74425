//! Limits that did not end a program that failed: those that are known to have been reached, and those that refuse without a word.

use belljar::Report;
use belljar::policy::key;
use belljar::report::{LimitHeld, LimitKind, Verdict};
use serde_json::to_value;

use crate::lacking::has_failed;
use crate::summary::{amount, word};

/// The kernel refuses what goes beyond, and tells the program alone.
const SILENT: &[LimitKind] =
    &[LimitKind::Memory, LimitKind::Data, LimitKind::Pids, LimitKind::Files, LimitKind::Fsize];

/// After a failure; empty where no limit comes into question.
pub(crate) fn hint(report: &Report) -> String {
    if !has_failed(report) {
        return String::new();
    }
    let of = |hit: bool| {
        report.limits.iter().filter(move |held| (held.hit || is_told_by_shell(report, held)) == hit)
    };
    let reached: Vec<String> = of(true).map(set).collect();
    if !reached.is_empty() {
        return format!("belljar: a limit was reached: {}\n", reached.join(", "));
    }
    match of(false).filter(|held| SILENT.contains(&held.limit)).map(set).collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        silent => format!("hint: nothing tells whether it came to a limit: {}\n", silent.join(", ")),
    }
}

/// A shell says by its own status that a limit ended a program of it.
fn is_told_by_shell(report: &Report, held: &LimitHeld) -> bool {
    let told = |(limit, code)| held.limit == limit && report.verdict == Verdict::Exited { code };
    [(LimitKind::Cpu, 128 + 24), (LimitKind::Fsize, 128 + 25)].into_iter().any(told)
}

/// The flag of a limit with its amount.
fn set(held: &LimitHeld) -> String {
    let name = word(to_value(held.limit));
    let row = key(&format!("limits.{name}")).or_else(|| key(&format!("fs.{name}")));
    let flag = row.and_then(|row| row.flags.first()).map_or(name.as_str(), |flag| flag);
    let bytes = held.value.strip_suffix(" bytes").and_then(|bytes| bytes.parse().ok());
    format!("{flag} {}", bytes.map_or_else(|| held.value.clone(), amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: Verdict, hit: bool) -> Report {
        let mut report = Report::new(verdict);
        let held = |limit, value: &str| LimitHeld { limit, value: value.into(), by: String::new(), hit };
        report.limits = vec![held(LimitKind::Memory, "67108864 bytes"), held(LimitKind::Pids, "5")];
        report
    }

    #[test]
    fn limits_are_told_after_a_failure_alone() {
        assert_eq!(hint(&report(Verdict::Exited { code: 0 }, false)), "");
        assert_eq!(
            hint(&report(Verdict::Exited { code: 1 }, false)),
            "hint: nothing tells whether it came to a limit: --memory 64.0 MiB, --pids 5\n"
        );
        assert_eq!(
            hint(&report(Verdict::Exited { code: 1 }, true)),
            "belljar: a limit was reached: --memory 64.0 MiB, --pids 5\n"
        );
    }

    #[test]
    fn the_status_of_a_shell_tells_of_a_limit() {
        let mut report = report(Verdict::Exited { code: 153 }, false);
        report.limits[0].limit = LimitKind::Fsize;
        assert_eq!(hint(&report), "belljar: a limit was reached: --fsize 64.0 MiB\n");
    }
}
