//! Counts of a run.

use anyhow::{Result, bail};

use crate::command::say;

/// How many tests ended how. Failures and skips were printed by name when they happened.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Tally {
    /// One thing that passed or failed.
    pub(super) fn of_one(name: &str, passed: bool) -> Self {
        if passed {
            return Self { passed: 1, ..Self::default() };
        }
        say(&format!("FAIL {name}"));
        Self { failed: 1, ..Self::default() }
    }

    /// A part that could not run counts as one failure.
    pub(super) fn broken(why: &str) -> Self {
        Self::of_one(why, false)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    /// Reads `N passed, N failed, N skipped`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(", ");
        let mut number = |unit: &str| parts.next()?.strip_suffix(unit)?.trim().parse().ok();
        let tally =
            Self { passed: number("passed")?, failed: number("failed")?, skipped: number("skipped")? };
        parts.next().is_none().then_some(tally)
    }

    /// Prints the counts as the last line. Fails on a failure, and when nothing was run at all.
    pub(super) fn finish(&self) -> Result<()> {
        say(&format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped));
        if self.failed > 0 || self.passed == 0 {
            bail!("the tests did not pass");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_count_line_is_read_and_nothing_else() {
        assert_eq!(
            Tally::parse("3 passed, 0 failed, 1 skipped"),
            Some(Tally { passed: 3, failed: 0, skipped: 1 })
        );
        for other in
            ["3 passed", "3 passed, 0 failed, 1 skipped, 2 more", "a passed, b failed, c skipped", ""]
        {
            assert_eq!(Tally::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_run_of_nothing_is_no_success() {
        assert!(Tally::default().finish().is_err());
        assert!(Tally { passed: 1, failed: 1, skipped: 0 }.finish().is_err());
        assert!(Tally { passed: 1, failed: 0, skipped: 9 }.finish().is_ok());
    }
}
