//! One more rule for a policy text: lines are put in, and nothing of the text moves, changes or is lost.
//!
//! TOML has several ways to write the same table, so each place that could be right is tried, and the result counts only when
//! it reads as the old document with exactly one more value.

use std::path::Path;

use crate::document::{Entry, Node, Source, Value};
use crate::error::{Fault, PolicyError};
use crate::model::Access;
use crate::show::quoted;
use crate::text::shown;
use crate::value::path::written;
use crate::words::{ACCESS, word};

/// A rule to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addition<'a> {
    /// `"PATH" = "ACCESS"` in `[fs]`.
    Path {
        /// An absolute host path.
        path: &'a Path,
        /// What it grants.
        access: Access,
    },
    /// `"?PATH" = "ACCESS"` in `[fs]`: nothing where it does not exist.
    OptionalPath {
        /// An absolute host path.
        path: &'a Path,
        /// What it grants.
        access: Access,
    },
    /// `HOST:PORT` in `net.allow`.
    Host(&'a str),
    /// A path or a name in `net.sockets`.
    Socket(&'a str),
    /// A call or a group in `syscalls.allow`.
    Syscall(&'a str),
}

/// The text with the rule, under a comment of one line. An empty text becomes a policy that states its format and extends
/// `bases`.
///
/// ```
/// use belljar_policy::{Access, Addition, amend};
/// let rule = Addition::Path { path: "/opt/x".as_ref(), access: Access::Read };
/// let text = amend("belljar = 1\n[fs]\n\"/usr\" = \"read\"\n", &rule, "asked", &[])?;
/// assert_eq!(text, "belljar = 1\n[fs]\n\"/usr\" = \"read\"\n# asked\n\"/opt/x\" = \"read\"\n");
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
///
/// # Errors
/// The text is no TOML policy, it has a rule for the same path, or it is written in a way that no line can be added to.
pub fn amend(
    text: &str,
    addition: &Addition<'_>,
    comment: &str,
    bases: &[String],
) -> Result<String, PolicyError> {
    let fresh;
    let text = if text.trim().is_empty() {
        fresh = head(bases);
        &fresh
    } else {
        text
    };
    let before = Source::new("policy", text).parse()?;
    let wanted = leaves(&before, Some(addition.leaf()));
    let puts = insertions(text, &before, addition, &shown(comment));
    let made = puts.into_iter().filter_map(|(at, lines)| put(text, at, &lines));
    made.into_iter()
        .find(|made| {
            let after = Source::new("policy", made).parse();
            after.is_ok_and(|after| leaves(&after, None) == wanted)
        })
        .ok_or_else(|| {
            PolicyError::new(Fault::NoRoom(addition.line())).fix("add it to the file with an editor")
        })
}

fn head(bases: &[String]) -> String {
    let list: Vec<String> = bases.iter().map(|base| quoted(base)).collect();
    match list.is_empty() {
        true => "belljar = 1\n".to_owned(),
        false => format!("belljar = 1\nextends = [{}]\n", list.join(", ")),
    }
}

impl Addition<'_> {
    fn section(&self) -> &'static str {
        match self {
            Self::Path { .. } | Self::OptionalPath { .. } => "fs",
            Self::Host(_) | Self::Socket(_) => "net",
            Self::Syscall(_) => "syscalls",
        }
    }

    /// The list that it is an item of, by the name in its section, and the item.
    fn item(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Path { .. } | Self::OptionalPath { .. } => None,
            Self::Host(text) | Self::Syscall(text) => Some(("allow", text)),
            Self::Socket(text) => Some(("sockets", text)),
        }
    }

    /// The path as a file names it, and what it grants; none of a list.
    fn rule(&self) -> Option<(String, &'static str)> {
        match self {
            Self::Path { path, access } => Some((written(path), word(ACCESS, access))),
            Self::OptionalPath { path, access } => {
                Some((format!("?{}", written(path)), word(ACCESS, access)))
            }
            _ => None,
        }
    }

    /// The rule as a line of its section.
    fn line(&self) -> String {
        match (self.rule(), self.item()) {
            (Some((path, access)), _) => format!("{} = {}", quoted(&path), quoted(access)),
            (None, item) => {
                let (list, text) = item.unwrap_or_default();
                format!("{list} = [{}]", quoted(text))
            }
        }
    }

    /// What reading the amended text must give in addition.
    fn leaf(&self) -> Leaf {
        match (self.rule(), self.item()) {
            (Some((path, access)), _) => (vec![self.section().to_owned(), path], access.to_owned()),
            (None, item) => {
                let (list, text) = item.unwrap_or_default();
                (vec![self.section().to_owned(), list.to_owned(), "[]".to_owned()], text.to_owned())
            }
        }
    }
}

/// Names that lead to a value, and the value.
type Leaf = (Vec<String>, String);

/// Every value of a document, without places and order.
fn leaves(entries: &[Entry<'_>], more: Option<Leaf>) -> Vec<Leaf> {
    let mut all: Vec<Leaf> = more.into_iter().collect();
    collect(entries, &[], &mut all);
    all.sort();
    all
}

fn collect(entries: &[Entry<'_>], above: &[String], all: &mut Vec<Leaf>) {
    for entry in entries {
        let names = [above, &[entry.name.to_string()]].concat();
        values(&entry.node, names, all);
    }
}

fn values(node: &Node<'_>, names: Vec<String>, all: &mut Vec<Leaf>) {
    match &node.value {
        Value::Table(entries) => collect(entries, &names, all),
        Value::List(items) => {
            let names = [names, vec!["[]".to_owned()]].concat();
            items.iter().for_each(|item| values(item, names.clone(), all));
        }
        Value::Text(text) => all.push((names, text.to_string())),
        other => all.push((names, format!("{other:?}"))),
    }
}

/// Where and what could be put in, the most natural place first.
fn insertions(
    text: &str,
    entries: &[Entry<'_>],
    addition: &Addition<'_>,
    comment: &str,
) -> Vec<(usize, String)> {
    let (section, line) = (addition.section(), addition.line());
    let Some(found) = entries.iter().find(|entry| entry.name == section) else {
        return vec![after(text, text.len(), &format!("\n[{section}]\n# {comment}\n{line}\n"))];
    };
    let Value::Table(rows) = &found.node.value else { return Vec::new() };
    let mut all = Vec::new();
    if let Some((name, text)) = addition.item()
        && let Some(list) = rows.iter().find(|row| row.name == name)
    {
        all.extend(into_list(&list.node, text, comment));
    }
    let last = rows.iter().map(|row| row.node.at.end).max().unwrap_or(found.node.at.end);
    let end = line_end(text, last);
    all.push(after(text, end, &format!("# {comment}\n{line}\n")));
    all.push(after(text, end, &format!("# {comment}\n{section}.{line}\n")));
    all
}

fn into_list(list: &Node<'_>, host: &str, comment: &str) -> Option<(usize, String)> {
    let Value::List(items) = &list.value else { return None };
    let host = quoted(host);
    Some(match items.last() {
        Some(item) => (item.at.end, format!(",\n  # {comment}\n  {host}")),
        None => (list.at.start.saturating_add(1), format!("\n  # {comment}\n  {host}\n")),
    })
}

/// `lines` at `at`, on a line of their own.
fn after(text: &str, at: usize, lines: &str) -> (usize, String) {
    let open = text.get(..at).is_some_and(|before| !before.is_empty() && !before.ends_with('\n'));
    (at, if open { format!("\n{lines}") } else { lines.to_owned() })
}

/// Just behind the line break after `at`.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |found| at.saturating_add(found).saturating_add(1))
}

fn put(text: &str, at: usize, lines: &str) -> Option<String> {
    let (before, behind) = text.split_at_checked(at)?;
    Some([before, lines, behind].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(path: &str) -> Addition<'_> {
        Addition::Path { path: Path::new(path), access: Access::Read }
    }

    fn added(text: &str, addition: &Addition<'_>) -> String {
        amend(text, addition, "c", &[]).unwrap()
    }

    #[test]
    fn each_way_to_write_a_table_takes_a_path() {
        for (text, expected) in [
            ("", "belljar = 1\n\n[fs]\n# c\n\"/x\" = \"read\"\n"),
            ("belljar = 1", "belljar = 1\n\n[fs]\n# c\n\"/x\" = \"read\"\n"),
            ("belljar = 1\n[fs]", "belljar = 1\n[fs]\n# c\n\"/x\" = \"read\"\n"),
            (
                "belljar = 1\nfs.\"/a\" = \"read\" # mine\n[net]\n",
                "belljar = 1\nfs.\"/a\" = \"read\" # mine\n# c\nfs.\"/x\" = \"read\"\n[net]\n",
            ),
            (
                "belljar = 1\n[fs]\n\"/a\" = \"read\"\n\n[net]\nmode = \"none\"\n",
                "belljar = 1\n[fs]\n\"/a\" = \"read\"\n# c\n\"/x\" = \"read\"\n\n[net]\nmode = \"none\"\n",
            ),
        ] {
            assert_eq!(added(text, &read("/x")), expected, "{text}");
        }
    }

    #[test]
    fn a_path_may_be_gone_when_the_file_is_read() {
        let rule = Addition::OptionalPath { path: Path::new("/x"), access: Access::Write };
        let made = added("belljar = 1\n", &rule);
        assert!(made.ends_with("[fs]\n# c\n\"?/x\" = \"write\"\n"), "{made}");
    }

    #[test]
    fn lists_of_calls_grow() {
        let made = added("belljar = 1\n", &Addition::Syscall("@socket-unix"));
        let made = added(&made, &Addition::Syscall("personality"));
        assert_eq!(made.matches("# c\n").count(), 2, "{made}");
        assert!(made.contains("[syscalls]\n") && made.contains("\"personality\""), "{made}");
    }

    #[test]
    fn lists_of_hosts_grow() {
        let host = Addition::Host("example.org:443");
        for text in [
            "belljar = 1\n[net]\nallow = []\n",
            "belljar = 1\n[net]\nallow = [\"a.b:1\"] # mine\n",
            "belljar = 1\n[net]\nallow = [\n  \"a.b:1\", # one\n]\n[fs]\n",
            "belljar = 1\nnet = { allow = [\"a.b:1\"] }\n",
            "belljar = 1\n[net]\nmode = \"list\"\n",
        ] {
            let made = added(text, &host);
            assert!(made.contains("# c\n") && made.contains("\"example.org:443\""), "{made}");
        }
    }

    #[test]
    fn lists_of_sockets_grow_beside_hosts() {
        let made = added("belljar = 1\n[net]\nallow = [\"a.b:1\"]\n", &Addition::Socket("ssh-agent"));
        let made = added(&made, &Addition::Socket("/run/x"));
        assert!(made.contains("sockets = [\"ssh-agent\",\n  # c\n  \"/run/x\"]"), "{made}");
        assert!(made.contains("allow = [\"a.b:1\"]\n"), "{made}");
    }

    #[test]
    fn what_cannot_be_added_is_refused() {
        for text in [
            "{\"belljar\": 1}",
            "belljar = 1\nfs = { \"/a\" = \"read\" }\n",
            "belljar = 1\n[fs]\n\"/x\" = \"hide\"\n",
            "belljar = 1\nfs = 3\n",
            "no toml",
        ] {
            assert!(amend(text, &read("/x"), "c", &[]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_new_file_extends_what_the_run_used() {
        let made = amend("\n", &read("/x"), "c", &["@dev".to_owned()]).unwrap();
        assert!(made.starts_with("belljar = 1\nextends = [\"@dev\"]\n"), "{made}");
    }

    #[test]
    fn a_comment_stays_a_comment() {
        let made = amend("belljar = 1\n", &read("/x"), "a\n[net]\nmode = \"host\"\r\u{202e}", &[]).unwrap();
        assert_eq!(made.lines().filter(|line| line.starts_with('#')).count(), 1);
        assert!(!made.contains("\nmode"), "{made}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(path in "/[^\0]{1,40}", parts in proptest::collection::vec(0..6_usize, 0..6)) {
            const PARTS: [&str; 6] = [
                "# a comment\n", "[limits]\npids = 9\n", "[fs]\n\"/a b\" = \"hide\" # why\n",
                "[net]\nallow = [\"a.b\"]\n", "\n\n", "[env]\npass = [\n \"A\",\n]\n",
            ];
            let mut seen = Vec::new();
            let mut text = String::from("belljar = 1\n");
            for part in parts {
                if !seen.contains(&part) {
                    seen.push(part);
                    text.push_str(PARTS[part]);
                }
            }
            let made = added(&text, &read(&path));
            let mut old = text.lines();
            let mut next = old.next();
            for line in made.lines() {
                if Some(line) == next {
                    next = old.next();
                }
            }
            prop_assert_eq!(next, None, "every old line is there, in order:\n{}", made);
        }
    }
}
