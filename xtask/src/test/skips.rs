//! Skips of unit and integration tests: named, expected, or a failure.
//!
//! A test that this host cannot run prints `SKIP: needs NEED` and returns. `tests/expected-skips.txt` lists, one a
//! line, `TEST  root|user|any  NEED`.

use anyhow::Result;

use crate::tree;

/// The checked-in list.
const LIST: &str = "tests/expected-skips.txt";

/// Which skips are allowed in this run.
pub(super) struct Expected {
    lines: Vec<String>,
    who: &'static str,
    must: Vec<String>,
}

impl Expected {
    /// Reads the list for root or for an ordinary user, and the needs that must be met here.
    pub(super) fn read(is_root: bool) -> Result<Self> {
        let must = std::env::var("BELLJAR_MUST").unwrap_or_default();
        let must = must.split(',').filter(|need| !need.is_empty()).map(str::to_owned).collect();
        let lines = if tree::root().join(LIST).is_file() { tree::list(LIST)? } else { Vec::new() };
        Ok(Self { lines, who: if is_root { "root" } else { "user" }, must })
    }

    /// True when this test may be skipped for this need.
    pub(super) fn allows(&self, test: &str, need: &str) -> bool {
        !self.must.iter().any(|must| need.split(',').any(|part| part.trim() == must))
            && self.lines.iter().any(|line| is_for(line, test, self.who, need))
    }
}

fn is_for(line: &str, test: &str, who: &str, need: &str) -> bool {
    let mut words = line.split_whitespace();
    let (name, whom) = (words.next(), words.next());
    let rest: Vec<&str> = words.collect();
    name == Some(test) && (whom == Some("any") || whom == Some(who)) && rest.join(" ") == need
}

/// The need of a skip line in the output of a test.
pub(super) fn need(output: &str) -> Option<&str> {
    output.lines().find_map(|line| line.trim().strip_prefix("SKIP: needs ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_must_be_listed_for_this_account_and_need() {
        let mut expected =
            Expected { lines: vec!["a::b  user  landlock:7".into()], who: "user", must: vec![] };
        assert!(expected.allows("a::b", "landlock:7"));
        assert!(!expected.allows("a::b", "userns"));
        assert!(!expected.allows("a::c", "landlock:7"));
        expected.must = vec!["landlock:7".into()];
        assert!(!expected.allows("a::b", "landlock:7"));
        expected = Expected { who: "root", must: vec![], ..expected };
        assert!(!expected.allows("a::b", "landlock:7"));
    }

    #[test]
    fn the_need_is_read_from_a_tests_output() {
        assert_eq!(
            need("running 1 test\nSKIP: needs cgroup v2 delegation\nok"),
            Some("cgroup v2 delegation")
        );
        assert_eq!(need("it does not SKIP: needs x"), None);
    }
}
