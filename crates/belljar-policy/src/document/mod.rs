//! Policy text as a tree in which every name and value knows where it stands. TOML and JSON both become this tree.

mod json;
mod toml;

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Fault, Place, PolicyError};
use crate::text::shown;

/// Longest text that is read at all: a policy is a page, not a book.
const MAX_TEXT: usize = 1 << 20;

/// Keys that hold other keys.
pub(crate) const SECTIONS: &[&str] = &["fs", "net", "env", "syscalls", "limits"];

/// A value and the bytes it was read from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'i> {
    pub(crate) at: Range<usize>,
    pub(crate) value: Value<'i>,
}

/// What both formats can say and a policy may need.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'i> {
    Bool(bool),
    Int(i64),
    Text(Cow<'i, str>),
    List(Vec<Node<'i>>),
    Table(Vec<Entry<'i>>),
    /// A type that no key has: its name.
    Other(&'static str),
}

/// One name of a table with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry<'i> {
    pub(crate) at: Range<usize>,
    pub(crate) name: Cow<'i, str>,
    pub(crate) node: Node<'i>,
}

impl Value<'_> {
    /// The type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(name) => name,
        }
    }
}

/// A text with its line starts, so that a byte offset can be shown to a person.
#[derive(Debug)]
pub(crate) struct Source<'i> {
    /// File, preset or other name, as it is shown.
    pub(crate) name: &'i str,
    pub(crate) text: &'i str,
    lines: Vec<usize>,
}

impl<'i> Source<'i> {
    pub(crate) fn new(name: &'i str, text: &'i str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { name, text, lines }
    }

    /// Line of a byte offset, from 1.
    pub(crate) fn line(&self, at: usize) -> u32 {
        u32::try_from(self.lines.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }

    /// The place of a span, ready for display.
    pub(crate) fn place(&self, at: &Range<usize>) -> Place {
        let line = self.line(at.start);
        let index = usize::try_from(line).map_or(0, |line| line.saturating_sub(1));
        let start = self.lines.get(index).copied().unwrap_or(0);
        let rest = self.text.get(start..).unwrap_or("");
        let whole = rest.lines().next().unwrap_or("");
        let before = self.text.get(start..at.start).unwrap_or("");
        let marked = self.text.get(at.clone()).and_then(|text| text.lines().next()).unwrap_or("");
        let width = |text: &str| u32::try_from(shown(text).chars().count()).unwrap_or(u32::MAX);
        Place {
            file: shown(self.name),
            line,
            column: width(before).saturating_add(1),
            text: shown(whole),
            width: width(marked).max(1),
        }
    }

    /// Reads the tree: JSON when the text starts with a brace, else TOML.
    pub(crate) fn parse(&self) -> Result<Vec<Entry<'i>>, PolicyError> {
        if self.text.len() > MAX_TEXT {
            let error = PolicyError::new(Fault::Syntax("a policy of more than 1 MiB".to_owned()));
            return Err(error.at(|| self.place(&(0..1))));
        }
        let json = self.text.trim_start().starts_with('{');
        let mut entries = if json { json::parse(self)? } else { toml::parse(self)? };
        entries.sort_by_key(|entry| entry.at.start);
        Ok(entries)
    }

    fn syntax(&self, message: &str, at: &Range<usize>) -> PolicyError {
        PolicyError::new(Fault::Syntax(message.to_owned())).at(|| self.place(at))
    }
}
