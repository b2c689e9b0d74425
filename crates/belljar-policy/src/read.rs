//! A document's tree to words: every name is looked up in the key table, every type checked, every place kept.

use std::ffi::OsStr;

use crate::document::{Entry, Node, SECTIONS, Source, Value};
use crate::error::{Fault, PolicyError};
use crate::keys::{KEYS, Key, Kind};
use crate::layer::{Layer, Scalar, Word, wrong};
use crate::model::Origin;
use crate::text::nearest;
use crate::value::name;
use crate::value::path::Base;
use crate::words::ACCESS;

/// Takes each word of a document, with the row of its key and its line.
pub(crate) type Sink<'s> = dyn FnMut(&'static Key, Word<'_>, u32) -> Result<(), PolicyError> + 's;

/// What every value of one document shares.
pub(crate) struct Reading<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) base: Base<'a>,
    pub(crate) origin: &'a dyn Fn(u32) -> Origin,
}

impl Reading<'_> {
    /// Reads all of a document but `belljar` and `extends` into a layer.
    pub(crate) fn layer(&self, entries: &[Entry<'_>]) -> Result<Layer, PolicyError> {
        let mut layer = Layer::default();
        self.words(entries, &mut |key, word, _| (key.set)(&mut layer, word))?;
        Ok(layer)
    }

    /// Hands every word of the document to `sink`, in the order of the text.
    pub(crate) fn words(&self, entries: &[Entry<'_>], sink: &mut Sink<'_>) -> Result<(), PolicyError> {
        let own = entries.iter().filter(|entry| !matches!(entry.name.as_ref(), "belljar" | "extends"));
        own.into_iter().try_for_each(|entry| self.top(sink, entry))
    }

    fn top(&self, sink: &mut Sink<'_>, entry: &Entry<'_>) -> Result<(), PolicyError> {
        let name = entry.name.as_ref();
        if SECTIONS.contains(&name) {
            return self.section(sink, name, &entry.node);
        }
        match find("", name) {
            Some(key) => self.apply(sink, key, entry),
            None => Err(self.unknown("", entry)),
        }
    }

    fn section(&self, sink: &mut Sink<'_>, section: &str, node: &Node<'_>) -> Result<(), PolicyError> {
        let Value::Table(entries) = &node.value else {
            return Err(wrong("a table", node.value.type_name()).at(|| self.source.place(&node.at)));
        };
        for entry in entries {
            match find(section, &entry.name) {
                Some(key) => self.apply(sink, key, entry)?,
                None if section == "fs" && is_path(&entry.name) => self.grant(sink, entry)?,
                None => return Err(self.unknown(section, entry)),
            }
        }
        Ok(())
    }

    /// `"PATH" = "read"`.
    fn grant(&self, sink: &mut Sink<'_>, entry: &Entry<'_>) -> Result<(), PolicyError> {
        let at_value = || self.source.place(&entry.node.at);
        let Value::Text(access) = &entry.node.value else {
            return Err(wrong("text", entry.node.value.type_name()).at(at_value));
        };
        let key = KEYS.iter().find(|key| key.kind == grant_kind(access));
        let words = ACCESS.iter().map(|(word, _)| *word);
        let key = key.ok_or_else(|| name::unknown(access, "access", words).at(at_value))?;
        let word = self.word(key, Scalar::Text(OsStr::new(entry.name.as_ref())), entry.at.start);
        sink(key, word, self.source.line(entry.at.start))
            .map_err(|error| error.at(|| self.source.place(&entry.at)))
    }

    fn apply(&self, sink: &mut Sink<'_>, key: &'static Key, entry: &Entry<'_>) -> Result<(), PolicyError> {
        match (&entry.node.value, key.kind) {
            (Value::Table(rows), Kind::Map) => rows.iter().try_for_each(|row| self.row(sink, key, row)),
            (Value::List(items), kind) if kind.is_list() => {
                items.iter().try_for_each(|item| self.one(sink, key, None, item))
            }
            (other, kind) if kind == Kind::Map || kind.is_list() => {
                let expected = if kind.is_list() { "a list" } else { "a table" };
                let error = wrong(expected, other.type_name()).at(|| self.source.place(&entry.node.at));
                Err(if kind.is_list() {
                    error.fix("put it into brackets, as in [\"a\", \"b\"]")
                } else {
                    error
                })
            }
            _ => self.one(sink, key, None, &entry.node),
        }
    }

    /// One row of a map; `require` may list several demands.
    fn row(&self, sink: &mut Sink<'_>, key: &'static Key, row: &Entry<'_>) -> Result<(), PolicyError> {
        match &row.node.value {
            Value::List(items) if key.name == "require" => {
                items.iter().try_for_each(|item| self.one(sink, key, Some(&row.name), item))
            }
            _ => self.one(sink, key, Some(&row.name), &row.node),
        }
    }

    fn one(
        &self,
        sink: &mut Sink<'_>,
        key: &'static Key,
        name: Option<&str>,
        node: &Node<'_>,
    ) -> Result<(), PolicyError> {
        let place = || self.source.place(&node.at);
        let scalar = scalar(&node.value, key.kind).map_err(|error| error.at(place))?;
        let word = Word { name, ..self.word(key, scalar, node.at.start) };
        sink(key, word, self.source.line(node.at.start)).map_err(|error| error.at(place))
    }

    fn word<'w>(&'w self, key: &'static Key, value: Scalar<'w>, at: usize) -> Word<'w> {
        let origin = (self.origin)(self.source.line(at));
        Word { key: key.name, kind: key.kind, name: None, value, from_flag: false, base: self.base, origin }
    }

    fn unknown(&self, section: &str, entry: &Entry<'_>) -> PolicyError {
        let known = KEYS.iter().filter(|key| !matches!(key.kind, Kind::Grant(_)));
        let inner = known.filter_map(|key| tail(section, key.name));
        let sections = SECTIONS.iter().copied().filter(|_| section.is_empty());
        let error = PolicyError::new(Fault::UnknownKey(entry.name.to_string()))
            .meant(nearest(&entry.name, inner.chain(sections)))
            .at(|| self.source.place(&entry.at));
        error.fix(if section == "fs" {
            "a path starts with / or ./ or ~ or ?"
        } else {
            "belljar explain lists the keys"
        })
    }
}

/// The row of a key inside a section; the empty section is the top of the document.
fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| tail(section, key.name) == Some(name) && !matches!(key.kind, Kind::Grant(_)))
}

fn tail(section: &str, key: &'static str) -> Option<&'static str> {
    if section.is_empty() {
        return (!key.contains('.')).then_some(key);
    }
    key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.'))
}

/// Only what cannot be a mistyped key is a path.
fn is_path(name: &str) -> bool {
    name.starts_with(['/', '.', '~', '?', '@'])
}

fn grant_kind(word: &str) -> Kind {
    // The table's word outlives the document's, and compares equal to it.
    let known = ACCESS.iter().find(|(name, _)| *name == word);
    Kind::Grant(known.map_or("", |(name, _)| name))
}

/// The scalar of a node, when its type fits the key.
fn scalar<'n>(value: &'n Value<'_>, kind: Kind) -> Result<Scalar<'n>, PolicyError> {
    let expected = expected(kind);
    match value {
        Value::Text(text) if !matches!(kind, Kind::Switch) => Ok(Scalar::Text(OsStr::new(text.as_ref()))),
        Value::Int(number) if takes_number(kind) => Ok(Scalar::Int(*number)),
        Value::Bool(on) if kind == Kind::Switch => Ok(Scalar::Bool(*on)),
        other => Err(wrong(expected, other.type_name())),
    }
}

fn takes_number(kind: Kind) -> bool {
    matches!(kind, Kind::Size | Kind::Duration | Kind::Count(_) | Kind::Descriptors | Kind::Map)
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Switch => "true or false",
        Kind::Count(_) => "a number",
        Kind::Size | Kind::Duration | Kind::Descriptors => "text or a number",
        _ => "text",
    }
}
