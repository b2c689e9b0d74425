//! What a run left behind, as seen from outside.

use std::process::ExitStatus;
use std::time::Duration;

use crate::attacks::raw::find;

/// Line that the attack prints before it does anything, so that a box that never started cannot pass for a wall.
pub(crate) const BEGAN: &str = "escape: began";

/// Line that an attack prints when it is where the runner shall do something to the box.
pub(crate) const READY: &str = "escape: ready";

/// Everything the runner saw of one run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Standard output, or all that reached the terminal; at most [`crate::launch::OUTPUT_LIMIT`] bytes.
    pub(crate) stdout: Vec<u8>,
    /// Standard error; empty when the run had a terminal.
    pub(crate) stderr: Vec<u8>,
    /// What the shell around the box noticed on its terminal (`typed`, `settings`, `foreground`), one line each.
    pub(crate) shell: Vec<u8>,
    /// Exit status of the box; none when it was killed by the time limit.
    pub(crate) status: Option<ExitStatus>,
    /// Processes that outlived the box by a second; the runner has ended them since.
    pub(crate) survivors: Vec<String>,
    /// The host was made worse on purpose, so that refusing to start is right.
    pub(crate) may_refuse: bool,
    /// Wall time of the box.
    pub(crate) wall: Duration,
}

impl Outcome {
    /// The attack itself was started.
    pub(crate) fn began(&self) -> bool {
        contains(&self.stdout, BEGAN.as_bytes())
    }

    /// The bytes came out of the box, by standard output, standard error or the terminal.
    pub(crate) fn printed(&self, needle: &str) -> bool {
        contains(&self.stdout, needle.as_bytes()) || contains(&self.stderr, needle.as_bytes())
    }

    /// The box refused to start, in its documented way.
    pub(crate) fn refused(&self) -> bool {
        self.status.and_then(|status| status.code()) == Some(125)
    }
}

/// The verdict of a judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The attack got what it wanted; the text is the evidence.
    Escaped(String),
    /// It did not.
    Held,
}

impl Judgement {
    /// Escaped with this evidence if the condition holds.
    pub(crate) fn escaped_if(condition: bool, evidence: &str) -> Judgement {
        if condition { Judgement::Escaped(evidence.to_owned()) } else { Judgement::Held }
    }
}

/// True if `needle` occurs in `hay`.
pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && find(hay, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_found_only_where_it_is() {
        assert!(contains(b"abc", b"bc"));
        assert!(!contains(b"abc", b"cb"));
        assert!(!contains(b"abc", b""));
    }

    #[test]
    fn a_run_without_output_never_began() {
        assert!(!Outcome::default().began());
    }
}
