//! `belljar explain [KEY]`: the rows of the key table as a person reads them.

use belljar::policy::{KEYS, Key, OPTIONS};
use belljar::report::Verdict;
use serde_json::{Value, json, to_string_pretty};

use super::{end, show, show_json};
use crate::arguments::Words;
use crate::fault::Fault;
use crate::request::heading;
use crate::summary::columns;

pub(crate) fn explain(words: &Words) -> u8 {
    let key = words.rest().next().map(|word| word.to_string_lossy().into_owned());
    end(match key {
        Some(word) => find(&word).and_then(|key| one(key, words.has("json"))),
        None => all(words.has("json")),
    })
}

fn find(word: &str) -> Result<&'static Key, Fault> {
    let exact = rows().find(|key| key.name == word || key.flags.contains(&word));
    exact.or_else(|| lone(word)).ok_or_else(|| {
        let reason = format!("no key or flag `{word}`");
        Fault::new(Verdict::SetupFailed, reason, "belljar explain lists all")
    })
}

/// Keys of a policy, then the options that are none.
fn rows() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(OPTIONS)
}

/// A last part that only one key has: `memory` for `limits.memory`, `read` for `--read`.
fn lone(word: &str) -> Option<&'static Key> {
    let flag = format!("--{word}");
    let names = |key: &Key| key.name.rsplit('.').next() == Some(word) || key.flags.contains(&flag.as_str());
    let mut near = rows().filter(|key| names(key));
    let first = near.next()?;
    near.next().is_none().then_some(first)
}

fn one(key: &'static Key, as_json: bool) -> Result<u8, Fault> {
    if as_json { show_json(to_string_pretty(&row(key)), 0) } else { Ok(show(&page(key), 0)) }
}

fn all(as_json: bool) -> Result<u8, Fault> {
    if as_json {
        return show_json(to_string_pretty(&rows().map(row).collect::<Vec<_>>()), 0);
    }
    let cells = |key: &Key| [key.name.to_owned(), key.flags.join(", "), key.short.to_owned()];
    let rows: Vec<[String; 3]> = rows().map(cells).collect();
    Ok(show(&columns(&rows), 0))
}

/// Label and text of each part; parts without text are left out.
fn page(key: &Key) -> String {
    let flags: Vec<String> =
        key.flags.iter().map(|flag| format!("{flag} {}", key.value).trim_end().to_owned()).collect();
    let parts = [
        ("flags", flags.join(", ")),
        ("default", key.default.to_owned()),
        ("enforced by", needs(key).join(", ")),
        ("without that", key.weaker.to_owned()),
        ("since", key.since.to_owned()),
        ("example", key.example.to_owned()),
    ];
    let written = parts.into_iter().filter(|(_, text)| !text.is_empty());
    let rows: Vec<[String; 2]> = written.map(|(label, text)| [label.to_owned(), text]).collect();
    let toml: String = key.toml.lines().map(|line| format!("    {line}\n")).collect();
    let file = if toml.is_empty() { String::new() } else { format!("\nIn a policy file:\n{toml}") };
    format!("{}: {}\n\n{}\n\n{}{file}", key.name, key.short, key.long.trim(), columns(&rows))
}

fn needs(key: &Key) -> Vec<String> {
    key.needs.iter().map(|feature| format!("{feature:?}").to_lowercase()).collect()
}

fn row(key: &Key) -> Value {
    json!({
        "name": key.name, "flags": key.flags, "value": key.value, "default": key.default, "short": key.short,
        "long": key.long.trim(), "weaker": key.weaker, "since": key.since, "example": key.example,
        "toml": key.toml, "category": heading(key), "needs": needs(key),
    })
}
