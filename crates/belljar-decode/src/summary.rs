//! What came of it, in a few lines.

use std::path::PathBuf;
use std::time::Duration;

use belljar::policy::printable;

/// A picture that there is no result of, or no whole one.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Its place among the arguments.
    pub(crate) at: usize,
    pub(crate) file: PathBuf,
    pub(crate) reason: String,
    /// There is a result all the same.
    pub(crate) made: bool,
}

/// Longest reason that is shown: workers write part of it.
const MOST: usize = 200;

/// Each failure with its reason, names and words escaped; then the sum, unless nobody wants it.
pub(crate) fn text(pictures: usize, failures: &[Failure], took: Duration, quiet: bool) -> String {
    let mut out = String::new();
    for failure in failures {
        let reason: String = failure.reason.chars().take(MOST).collect();
        let (file, reason) = (printable(failure.file.as_os_str()), printable(reason.as_ref()));
        out.push_str(&format!("belljar: {file}: {reason}\n"));
    }
    if !quiet {
        let cut = failures.iter().filter(|failure| failure.made).count();
        let failed = failures.len().saturating_sub(cut);
        let done = pictures.saturating_sub(failed);
        let counted = |count: usize, word: &str| match count {
            0 => String::new(),
            _ => format!(", {count} {word}"),
        };
        let (failed, cut) = (counted(failed, "failed"), counted(cut, "not whole"));
        let seconds = took.as_secs_f64();
        out.push_str(&format!("{done} of {pictures} pictures in {seconds:.1} s{failed}{cut}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_names_nor_reasons_steer_a_terminal() {
        let failure = Failure {
            at: 0,
            file: "a\u{1b}[2J\n.png".into(),
            reason: "x\u{1b}]0;y\u{7}".repeat(99),
            made: false,
        };
        let text = text(3, &[failure], Duration::from_millis(1240), false);
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\u{1b}') && text.len() < 2000, "{text:?}");
        assert!(text.ends_with("2 of 3 pictures in 1.2 s, 1 failed\n"), "{text:?}");
    }
}
