//! Groups of calls, `groups/NAME.txt`, and promises, `promises/NAME.txt`, to constants.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use belljar_bpf::parse_condition;

/// Errors that a row may name as the answer to a refused call.
const ERRNOS: &[(&str, u16)] = &[("EPERM", 1), ("EACCES", 13), ("ENOSYS", 38)];

/// One file.
#[derive(Default)]
struct Group {
    about: String,
    never: String,
    includes: Vec<String>,
    /// Of a promise: rights and path.
    paths: Vec<(String, String)>,
    /// Of a promise: what it cannot be made with, and why.
    never_with: (Vec<String>, String),
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq)]
struct Row {
    nr: u32,
    name: String,
    /// Rust source of the verdict.
    verdict: String,
    /// The condition as written.
    text: String,
    reason: String,
}

/// Every file of a folder, by name behind `sign`.
fn read(folder: &Path, sign: &str) -> Result<BTreeMap<String, Group>> {
    let mut groups = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).context("file name")?;
        let text = fs::read_to_string(&path)?;
        groups.insert(format!("{sign}{stem}"), parse(&text).with_context(|| path.display().to_string())?);
    }
    Ok(groups)
}

/// The table of all groups in `folder`, with the rows of included groups, and of all promises.
pub(super) fn table(folder: &Path, promises: &Path) -> Result<String> {
    let groups = read(folder, "@")?;
    let mut text = String::from("//! Groups of calls and promises.\n\nuse crate::cond::{Cmp, Node, Test};\n");
    text += "use crate::groups::{Group, Place, Row, Verdict};\nuse crate::promises::Promise;\n\n";
    text += "const fn t(arg: u8, mask: u64, cmp: Cmp, value: u64) -> Node {\n";
    text += "    Node::Test(Test { arg, mask, cmp, value })\n}\n\n";
    text += "const fn p(start: u32, length: u16) -> Place {\n    Place { start, length }\n}\n\n";
    text += "/// All groups, by name.\npub(crate) static GROUPS: &[Group] = &[\n";
    let mut pool = Pool::default();
    for (name, group) in &groups {
        let mut rows = flatten(&groups, name, 0)?;
        rows = simplify(rows);
        text += &source(name, group, &rows, &mut pool)?;
    }
    text += "];\n\n/// All promises, by name.\npub(crate) static PROMISES: &[Promise] = &[\n";
    for (name, promise) in &read(promises, "")? {
        text += &promise_source(name, promise, &mut pool)?;
    }
    Ok(text + "];\n\n" + &pool.source()?)
}

/// Texts and conditions of all rows, each once. Rows name them by number: a row without pointers needs no relocation when
/// a position-independent program starts, and there are a thousand rows.
#[derive(Default)]
struct Pool {
    words: String,
    places: BTreeMap<String, (usize, usize)>,
    conditions: Vec<String>,
}

impl Pool {
    /// Source of a place in the words.
    fn place(&mut self, text: &str) -> String {
        let next = (self.words.len(), text.len());
        let (start, length) = *self.places.entry(text.to_owned()).or_insert(next);
        if (start, length) == next {
            self.words += text;
        }
        format!("p({start}, {length})")
    }

    /// Source of a verdict, its condition by number.
    fn verdict(&mut self, verdict: &str) -> String {
        let inner = verdict.strip_prefix("Verdict::When(").and_then(|rest| rest.strip_suffix(')'));
        let Some(condition) = inner else { return verdict.to_owned() };
        let known = self.conditions.iter().position(|known| known == condition);
        let at = known.unwrap_or_else(|| {
            self.conditions.push(condition.to_owned());
            self.conditions.len() - 1
        });
        format!("Verdict::When({at})")
    }

    fn source(&self) -> Result<String> {
        let mut text = String::from(
            "/// Conditions of rows, by number.\npub(crate) static CONDITIONS: &[&[Node]] = &[\n",
        );
        for condition in &self.conditions {
            writeln!(text, "    {condition},")?;
        }
        writeln!(text, "];\n\n/// Texts of rows.\npub(crate) static WORDS: &str = {:?};", self.words)?;
        Ok(text)
    }
}

fn parse(text: &str) -> Result<Group> {
    let mut group = Group::default();
    for line in super::lines(text) {
        if let Some(about) = line.strip_prefix("about: ") {
            about.clone_into(&mut group.about);
        } else if let Some(never) = line.strip_prefix("never: ") {
            never.clone_into(&mut group.never);
        } else if let Some(include) = line.strip_prefix("@include ") {
            group.includes.push(include.to_owned());
        } else if let Some(path) = line.strip_prefix("path: ") {
            let (rights, path) = path.split_once(' ').context("path: RIGHTS PATH expected")?;
            group.paths.push((rights.to_owned(), path.to_owned()));
        } else if let Some(never) = line.strip_prefix("never-with: ") {
            let (names, why) = never.split_once(" | ").context("never-with: NAMES | why expected")?;
            group.never_with = (names.split_whitespace().map(str::to_owned).collect(), why.to_owned());
        } else {
            group.rows.push(row(line).with_context(|| line.to_owned())?);
        }
    }
    ensure!(!group.about.is_empty(), "no about: line");
    Ok(group)
}

/// `name | reason`, `name | condition | reason` or `name | errno NAME | reason`.
fn row(line: &str) -> Result<Row> {
    let (name, rest) = line.split_once(" | ").context("name | reason expected")?;
    let (middle, reason) = rest.rsplit_once(" | ").unwrap_or(("", rest));
    let nr = super::number(name)?;
    let verdict = verdict(nr, middle)?;
    let text = if verdict.starts_with("Verdict::When") { middle } else { "" };
    Ok(Row { nr, name: name.to_owned(), verdict, text: text.to_owned(), reason: reason.to_owned() })
}

fn verdict(nr: u32, middle: &str) -> Result<String> {
    if middle.is_empty() {
        return Ok("Verdict::Allow".to_owned());
    }
    if let Some(errno) = middle.strip_prefix("errno ") {
        let known = ERRNOS.iter().find(|(name, _)| *name == errno);
        let (_, number) = known.with_context(|| format!("unknown error {errno:?}"))?;
        return Ok(format!("Verdict::Answer({number})"));
    }
    let condition = parse_condition(middle)?.bind(nr)?;
    Ok(format!("Verdict::When({})", condition.table_source()))
}

fn flatten(groups: &BTreeMap<String, Group>, name: &str, depth: u8) -> Result<Vec<Row>> {
    ensure!(depth < 8, "groups include each other: {name}");
    let Some(group) = groups.get(name) else { bail!("no group {name}") };
    let mut rows = group.rows.clone();
    for include in &group.includes {
        ensure!(groups.get(include).is_none_or(|group| group.never.is_empty()), "{name} includes {include}");
        rows.extend(flatten(groups, include, depth + 1)?);
    }
    Ok(rows)
}

/// By number, each row once; a row without condition makes the others of its call idle.
fn simplify(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| (a.nr, &a.verdict).cmp(&(b.nr, &b.verdict)));
    rows.dedup_by(|a, b| a.nr == b.nr && (a.verdict == b.verdict || b.verdict == "Verdict::Allow"));
    rows
}

fn source(name: &str, group: &Group, rows: &[Row], pool: &mut Pool) -> Result<String> {
    let mut text = format!("    Group {{\n        name: {name:?},\n        about: {:?},\n", group.about);
    writeln!(text, "        never: {:?},\n        rows: &[", group.never)?;
    text += &rows_source(rows, pool)?;
    Ok(text + "        ],\n    },\n")
}

/// A promise includes nothing: its rows are its own.
fn promise_source(name: &str, promise: &Group, pool: &mut Pool) -> Result<String> {
    ensure!(promise.includes.is_empty() && promise.never.is_empty(), "{name}: a promise includes nothing");
    let Group { about, paths, never_with: (names, why), .. } = promise;
    let mut text = format!("    Promise {{\n        name: {name:?},\n        about: {about:?},\n");
    writeln!(text, "        paths: &{paths:?},\n        never_with: &{names:?},\n        why: {why:?},")?;
    text += "        rows: &[\n";
    text += &rows_source(&simplify(promise.rows.clone()), pool)?;
    Ok(text + "        ],\n    },\n")
}

fn rows_source(rows: &[Row], pool: &mut Pool) -> Result<String> {
    let mut text = String::new();
    for Row { nr, name, verdict, text: when, reason } in rows {
        let (verdict, when, why) = (pool.verdict(verdict), pool.place(when), pool.place(reason));
        writeln!(
            text,
            "            // {name}: {reason}\n            Row {{ nr: {nr}, verdict: {verdict}, text: {when}, reason: {why} }},"
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_call_a_condition_and_a_reason() {
        assert_eq!(row("read | data").unwrap().verdict, "Verdict::Allow");
        assert_eq!(row("clone3 | errno ENOSYS | flags").unwrap().verdict, "Verdict::Answer(38)");
        let checked = row("ioctl | arg1 == TCGETS || arg1 == TCSETS | terminal").unwrap();
        assert_eq!(
            (checked.text.as_str(), checked.reason.as_str()),
            ("arg1 == TCGETS || arg1 == TCSETS", "terminal")
        );
    }

    #[test]
    fn lines_with_mistakes_are_refused() {
        for line in [
            "read",
            "reed | data",
            "read | arg0 = 1 | data",
            "read | errno EWHAT | data",
            "read | arg0 >= 0 | x",
        ] {
            assert!(row(line).is_err(), "{line}");
        }
        assert!(parse("read | data").is_err(), "no about: line");
    }

    #[test]
    fn includes_end_and_refused_groups_stay_outside() {
        let group = |include: &str| parse(&format!("about: x\n@include {include}\nread | data")).unwrap();
        let never = parse("about: x\nnever: y\nreboot | z").unwrap();
        let groups = BTreeMap::from([
            ("@a".to_owned(), group("@b")),
            ("@b".to_owned(), group("@a")),
            ("@c".to_owned(), group("@never")),
            ("@never".to_owned(), never),
        ]);
        for name in ["@a", "@c", "@gone"] {
            assert!(flatten(&groups, name, 0).is_err(), "{name}");
        }
    }

    #[test]
    fn a_row_without_condition_makes_the_others_idle() {
        let rows =
            ["read | arg0 == 1 | a", "read | b", "write | c", "write | c"].map(|line| row(line).unwrap());
        let verdicts: Vec<String> = simplify(rows.to_vec()).into_iter().map(|row| row.verdict).collect();
        assert_eq!(verdicts, ["Verdict::Allow", "Verdict::Allow"]);
    }
}
