//! The checked-in list of skips: a skip that is not in it fails the suite, so a lost feature cannot look like success.

use std::fs;
use std::io;
use std::path::Path;

use crate::report::{Line, Verdict};

/// The list that ships with the source.
const EXPECTED: &str = include_str!("../expected-skips.txt");

/// Skips of this run that the list does not have. Lines of the list: `NAME  any|root|user  NEED`.
pub(crate) fn unexpected(lines: &[Line], list: Option<&Path>) -> io::Result<Vec<String>> {
    let text = list.map_or_else(|| Ok(EXPECTED.to_owned()), fs::read_to_string)?;
    let who = if rustix::process::geteuid().is_root() { "root" } else { "user" };
    let skips = lines.iter().filter_map(|line| match line.verdict {
        Verdict::Skipped(need) => Some((line.attack.name, need)),
        _ => None,
    });
    let mut missing: Vec<String> = skips
        .filter(|(name, need)| !text.lines().any(|line| matches(line, name, who, need)))
        .map(|(name, need)| format!("{name} needs {need}"))
        .collect();
    missing.dedup();
    Ok(missing)
}

fn matches(line: &str, name: &str, who: &str, need: &str) -> bool {
    let mut words = line.split_whitespace();
    let (first, second) = (words.next(), words.next());
    let rest: Vec<&str> = words.collect();
    first == Some(name) && (second == Some("any") || second == Some(who)) && rest.join(" ") == need
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_matches_name_condition_and_need() {
        assert!(matches("raw-socket  user  root", "raw-socket", "user", "root"));
        assert!(matches("smc  any  SMC", "smc", "root", "SMC"));
        assert!(!matches("raw-socket  user  root", "raw-socket", "root", "root"));
        assert!(!matches("# raw-socket user root", "raw-socket", "user", "root"));
    }
}
