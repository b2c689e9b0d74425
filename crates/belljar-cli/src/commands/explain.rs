//! `belljar explain [KEY]`: a key, a preset or a group of system calls as a person reads it.

use belljar::bpf;
use belljar::policy::{
    KEYS, Key, OPTIONS, PRESETS, explain as page, explain_nearest, preset_text, printable,
};
use belljar::report::Verdict;
use serde_json::{Value, json, to_string_pretty};

use super::{end, show, show_json};
use crate::fault::Fault;
use crate::request::heading;
use crate::summary::columns;
use crate::words::Words;

pub(crate) fn explain(words: &Words) -> u8 {
    let name = words.rest().next().map(printable);
    end(match (name, words.has("json")) {
        (Some(name), false) => one(&name).map(|text| show(&text, 0)),
        (Some(name), true) => row_of(&name).and_then(|row| show_json(to_string_pretty(&row), 0)),
        (None, false) => Ok(show(&all(), 0)),
        (None, true) => show_json(to_string_pretty(&rows().map(row).collect::<Vec<_>>()), 0),
    })
}

fn one(name: &str) -> Result<String, Fault> {
    let dashed = || page(&format!("--{name}"));
    page(name).or_else(dashed).or_else(|| named(name)).or_else(|| listed(name)).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Fault {
    let near = explain_nearest(name).map(|near| format!("did you mean {near}?"));
    let hint = near.unwrap_or_else(|| "belljar explain lists all".to_owned());
    Fault::new(Verdict::SetupFailed, format!("no key, flag, preset or group `{name}`"), hint)
}

/// What there is of a kind: all presets, all groups, the keys of a section.
fn listed(name: &str) -> Option<String> {
    let rows: Vec<[String; 2]> = match name {
        "presets" => PRESETS.iter().map(|(name, text)| [(*name).to_owned(), purpose(text)]).collect(),
        "groups" => bpf::groups().map(|group| [group.name().to_owned(), group.about().to_owned()]).collect(),
        section => {
            let inside = |key: &&Key| key.name.split_once('.').is_some_and(|(table, _)| table == section);
            KEYS.iter().filter(inside).map(|key| [key.name.to_owned(), key.short.to_owned()]).collect()
        }
    };
    (!rows.is_empty()).then(|| columns(&rows))
}

/// The first sentence of the comment that a preset begins with.
fn purpose(text: &str) -> String {
    let comment = text.lines().map_while(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" ");
    comment.split_once(". ").map_or(comment.as_str(), |(first, _)| first).trim_end_matches('.').to_owned()
}

/// A preset, a group, or both of this name.
fn named(name: &str) -> Option<String> {
    match (preset(name), group(name)) {
        (Some(preset), Some(group)) => Some(format!("{preset}\n{group}")),
        (preset, group) => preset.or(group),
    }
}

fn preset(name: &str) -> Option<String> {
    preset_text(name).map(|text| format!("{name}: preset\n\n{text}"))
}

/// The calls of a group, each with its reason.
fn group(name: &str) -> Option<String> {
    let group = bpf::group(name).ok()?;
    let never = group.never_granted().map(|why| format!("Never granted: {why}\n")).unwrap_or_default();
    let line = |row: &bpf::GroupRow| {
        let when = match row.answer() {
            Some(errno) => format!("fails with {}: ", errno_name(errno)),
            None if row.condition().is_some() => "only with some arguments: ".to_owned(),
            None => String::new(),
        };
        let call = bpf::syscall_name(row.syscall()).unwrap_or("?").to_owned();
        [call, format!("{when}{}", row.reason())]
    };
    let rows: Vec<[String; 2]> = group.rows().iter().map(line).collect();
    Some(format!("{name}: group, {}\n{never}\n{}", group.about(), columns(&rows)))
}

fn errno_name(errno: u16) -> String {
    let text = bpf::Action::Errno(errno).to_string();
    text.strip_prefix("errno ").unwrap_or(&text).to_owned()
}

/// Keys of a policy, then the options that are none.
fn rows() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(OPTIONS)
}

fn all() -> String {
    let cells = |key: &Key| [key.name.to_owned(), key.flags.join(", "), key.short.to_owned()];
    let keys: Vec<[String; 3]> = rows().map(cells).collect();
    let presets: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
    let groups: Vec<&str> = bpf::groups().map(bpf::Group::name).collect();
    let [presets, groups] = [presets, groups].map(|names| names.join(" "));
    format!("{}\nPresets: {presets}\nGroups of system calls: {groups}\n", columns(&keys))
}

fn row_of(name: &str) -> Result<Value, Fault> {
    let exact = rows().find(|key| key.name == name || key.flags.contains(&name));
    exact.map(row).ok_or_else(|| unknown(name))
}

fn row(key: &Key) -> Value {
    json!({
        "name": key.name, "flags": key.flags, "value": key.value, "default": key.default, "short": key.short,
        "long": key.long.trim(), "weaker": key.weaker, "since": key.since, "example": key.example,
        "toml": key.toml, "category": heading(key),
        "needs": key.needs.iter().map(|feature| feature.words()).collect::<Vec<_>>(),
    })
}
