//! Why nothing came of a command, in the three parts that every refusal has: verdict, reason, remedy.

use belljar::Report;
use belljar::report::Verdict;

/// A failure that ends the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) verdict: Verdict,
    pub(crate) reason: String,
    pub(crate) hint: String,
    /// The whole text for the terminal, where it is more than reason and hint.
    rendered: Option<String>,
}

impl Fault {
    pub(crate) fn new(verdict: Verdict, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { verdict, reason: reason.into(), hint: hint.into(), rendered: None }
    }

    /// Gives it a text of its own for the terminal.
    pub(crate) fn rendered(mut self, text: String) -> Self {
        self.rendered = Some(text);
        self
    }

    /// An error with everything below it, each cause once.
    pub(crate) fn from_error(
        verdict: Verdict,
        error: &dyn std::error::Error,
        hint: impl Into<String>,
    ) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !reason.ends_with(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = inner.source();
        }
        Self::new(verdict, reason, hint)
    }

    /// The lines for the terminal.
    pub(crate) fn text(&self) -> String {
        if let Some(text) = &self.rendered {
            return format!("belljar: {}\n", text.trim_end());
        }
        let hint = if self.hint.is_empty() { String::new() } else { format!("hint: {}\n", self.hint) };
        format!("belljar: {}\n{hint}", self.reason.trim_end())
    }

    pub(crate) fn report(&self) -> Report {
        Report::failure(self.verdict, self.reason.clone(), self.hint.clone())
    }
}
