//! What can be wrong with a policy, where, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::text::shown;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The text is no TOML or JSON.
    Syntax(String),
    /// No such key.
    UnknownKey(String),
    /// No such flag.
    UnknownFlag(String),
    /// The flag needs a value, or may not have one.
    FlagValue {
        /// The flag.
        flag: String,
        /// Whether it must have one.
        wanted: bool,
    },
    /// No such word where only a few words are possible.
    UnknownWord {
        /// What was written.
        word: String,
        /// What kind of word it should have been.
        what: &'static str,
    },
    /// A number where text belongs, and the like.
    WrongType {
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The right type and still no value of the key.
    BadValue {
        /// What was written.
        text: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// Two rules of one layer that undo each other.
    Contradiction {
        /// What both are about.
        about: String,
        /// The first, with its origin.
        first: String,
        /// The second, with its origin.
        second: String,
    },
    /// A grant that makes the jar pointless.
    TooBroad {
        /// The path.
        path: PathBuf,
        /// What it would give away.
        gives: &'static str,
    },
    /// A character that could drive a terminal.
    Control(String),
    /// `belljar = 1` is missing or another number.
    Version(Option<i64>),
    /// A file extends itself, directly or through others.
    Cycle(String),
    /// Too many files extend one another.
    TooDeep,
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// `~` was written and there is no home folder.
    NoHome(String),
    /// The same thing cannot be required and be allowed to be weaker.
    RequiredAndWeaker(&'static str),
    /// The text has no place where this line could be added.
    NoRoom(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(text) => out.write_str(&shown(text)),
            Self::UnknownKey(key) => write!(out, "unknown key `{}`", shown(key)),
            Self::UnknownFlag(flag) => write!(out, "unknown option `{}`", shown(flag)),
            Self::FlagValue { flag, wanted: true } => write!(out, "`{}` needs a value", shown(flag)),
            Self::FlagValue { flag, wanted: false } => write!(out, "`{}` takes no value", shown(flag)),
            Self::UnknownWord { word, what } => write!(out, "unknown {what} `{}`", shown(word)),
            Self::WrongType { expected, found } => write!(out, "expected {expected}, found {found}"),
            Self::BadValue { text, expected } => write!(out, "`{}` is not {expected}", shown(text)),
            Self::Contradiction { about, first, second } => {
                write!(out, "`{}` contradicts itself: {} and {}", shown(about), shown(first), shown(second))
            }
            Self::TooBroad { path, gives } => {
                write!(out, "granting `{}` gives away {gives}", crate::printable(path.as_os_str()))
            }
            Self::Control(text) => write!(out, "`{}` has a control character", shown(text)),
            Self::Version(None) => out.write_str("the format version `belljar = 1` is missing"),
            Self::Version(Some(found)) => write!(out, "format version {found} is unknown"),
            Self::Cycle(file) => write!(out, "`{}` extends itself", shown(file)),
            Self::TooDeep => out.write_str("too many files extend one another"),
            Self::Read { path, kind: std::io::ErrorKind::NotFound } => {
                write!(out, "there is no file `{}`", crate::printable(path.as_os_str()))
            }
            Self::Read { path, kind: std::io::ErrorKind::InvalidInput } => {
                write!(out, "`{}` is no plain file", crate::printable(path.as_os_str()))
            }
            Self::Read { path, kind: std::io::ErrorKind::InvalidData } => {
                write!(out, "`{}` is no UTF-8 text", crate::printable(path.as_os_str()))
            }
            Self::Read { path, kind: std::io::ErrorKind::PermissionDenied } => {
                write!(out, "you may not read `{}`", crate::printable(path.as_os_str()))
            }
            // The names of other kinds mean little to people.
            Self::Read { path, .. } => write!(out, "cannot read `{}`", crate::printable(path.as_os_str())),
            Self::NoHome(text) => write!(out, "`{}` needs a home folder and HOME is not set", shown(text)),
            Self::RequiredAndWeaker(subject) => {
                write!(out, "`{subject}` is required and allowed to be weaker")
            }
            Self::NoRoom(line) => write!(out, "the policy file has no place for `{}`", shown(line)),
        }
    }
}

/// Where in a text something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, preset or `command line`, printable.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The whole line, printable.
    pub text: String,
    /// Characters that the caret line marks, at least 1.
    pub width: u32,
}

/// Why a policy was refused: what, where, and what to do.
///
/// ```
/// use belljar_policy::{Fault, load, Request};
/// let error = load(&Request::text("jar.toml", "belljar = 1\n[limits]\nmemroy = '1G'"), &|_| {
///     Err(std::io::ErrorKind::NotFound.into())
/// })
/// .unwrap_err();
/// assert_eq!(error.suggestion(), Some("memory"));
/// assert_eq!(error.place().map(|p| (p.line, p.column)), Some((3, 1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    fault: Fault,
    place: Option<Place>,
    remedy: Option<String>,
    suggestion: Option<String>,
}

impl PolicyError {
    /// An error that has no place yet.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self(Box::new(Parts { fault, place: None, remedy: None, suggestion: None }))
    }

    pub(crate) fn bad(text: &str, expected: &'static str) -> Self {
        Self::new(Fault::BadValue { text: text.to_owned(), expected })
    }

    pub(crate) fn fix(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    pub(crate) fn meant(mut self, word: Option<&str>) -> Self {
        self.0.suggestion = word.map(str::to_owned);
        self
    }

    /// Adds the place unless a deeper stage knew a better one.
    pub(crate) fn at(mut self, place: impl FnOnce() -> Place) -> Self {
        if self.0.place.is_none() {
            self.0.place = Some(place());
        }
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// Where it is wrong; none for library calls.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.0.remedy.as_deref()
    }

    /// The word that was probably meant.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The whole message for a terminal: headline, line with caret, suggestion, hint. Several lines, none with control
    /// characters.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = clipped(self.to_string());
        if let Some(place) = &self.0.place {
            caret(&mut out, place);
        }
        for (label, text) in [("did you mean", self.suggestion()), ("hint", self.remedy())] {
            if let Some(text) = text {
                out.push_str(&format!("\n  {label}: {}", shown(text)));
            }
        }
        out
    }
}

/// Columns of a line that are shown, and how many of them before the mark.
const COLUMNS: usize = 160;
const BEFORE: usize = 60;
/// Characters of a headline: it may quote a word of any length.
const HEADLINE: usize = 600;

fn caret(out: &mut String, place: &Place) {
    let number = place.line.to_string();
    let gap = " ".repeat(number.len());
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(0);
    let from = if column < COLUMNS - BEFORE { 0 } else { column - BEFORE };
    let text: String = place.text.chars().skip(from).take(COLUMNS).collect();
    let indent = " ".repeat(column - from);
    let room = COLUMNS - (column - from).min(COLUMNS - 1);
    let marks = "^".repeat(usize::try_from(place.width.max(1)).unwrap_or(1).min(room));
    out.push_str(&format!("\n{gap}--> {}:{}:{}", place.file, place.line, place.column));
    out.push_str(&format!("\n{gap} |\n{number} | {text}\n{gap} | {indent}{marks}"));
}

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(HEADLINE) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

impl fmt::Display for PolicyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fault.fmt(out)
    }
}

impl std::error::Error for PolicyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_any_length_is_shown_around_its_mark() {
        let fault = || PolicyError::new(Fault::Syntax("x".repeat(5000)));
        let place =
            |column, width| Place { line: 1, column, text: "y".repeat(1 << 20), width, ..Place::default() };
        for (column, width) in [(1, 1), (1, 1 << 20), (500_000, 3), (1 << 20, 1), (100, 100)] {
            let text = fault().at(|| place(column, width)).render();
            assert!(text.len() < 1200, "{column}: {}", text.len());
            let marks = text.lines().last().map_or(0, |line| line.matches('^').count());
            assert!(marks >= usize::try_from(width.min(60)).unwrap(), "{column} {width}: {marks}");
        }
    }
}
