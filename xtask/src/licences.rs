//! Licences of every package in the lock file against the list in `deny.toml`.
//!
//! `cargo deny` reads the same file; this check needs nothing but cargo.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{check, tree};

/// Fails on a package none of whose licence choices is on the list.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let (allowed, exceptions) = allowed(&tree::read("deny.toml")?)?;
    let metadata = tree::metadata(true)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let refused = packages.iter().filter_map(|package| finding(package, &allowed, &exceptions));
    check::verdict(&refused.collect::<Vec<_>>())
}

/// What a single tool may have, which is no part of what is built: its name, its licences.
type Exception = (String, Vec<String>);

/// Licences of all packages, and exceptions.
fn allowed(text: &str) -> Result<(Vec<String>, Vec<Exception>)> {
    let file: toml::Table = text.parse().context("deny.toml")?;
    let part = file.get("licenses").and_then(toml::Value::as_table).context("deny.toml has no licenses")?;
    let list = words(part.get("allow")).context("deny.toml has no licenses.allow")?;
    let exceptions = part.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten();
    let exception = |row: &toml::Value| {
        let name = row.get("crate").and_then(toml::Value::as_str);
        Some((name?.to_owned(), words(row.get("allow"))?))
    };
    let exceptions = exceptions.map(exception).collect::<Option<_>>();
    Ok((list, exceptions.context("an exception names a crate and what is allowed")?))
}

fn words(list: Option<&toml::Value>) -> Option<Vec<String>> {
    list?.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

fn finding(package: &Value, allowed: &[String], exceptions: &[Exception]) -> Option<String> {
    let licence = package["license"].as_str().unwrap_or("none stated");
    let excepted = exceptions.iter().find(|(name, _)| package["name"] == *name);
    let permitted = permits(licence, allowed) || excepted.is_some_and(|(_, own)| permits(licence, own));
    (!permitted).then(|| format!("{}: {licence}, which deny.toml does not allow", package["name"]))
}

/// True when some choice of the licence expression consists of allowed licences only.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    any(&mut words, allowed) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// choice = both { "OR" both }
fn any(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut good = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        good |= all(words, allowed);
    }
    good
}

/// both = single { "AND" single }
fn all(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut good = single(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        good &= single(words, allowed);
    }
    good
}

/// single = "(" choice ")" | name [ "WITH" exception ]
fn single(words: &mut Words<'_>, allowed: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let good = any(words, allowed);
        return words.next_if_eq(&")").is_some() && good;
    }
    let mut name = words.next().unwrap_or_default().to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next().unwrap_or_default());
    }
    allowed.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::{allowed, finding, permits};

    #[test]
    fn an_exception_is_for_one_tool_alone() {
        let text =
            "[licenses]\nallow = [\"MIT\"]\nexceptions = [{ crate = \"tool\", allow = [\"MPL-2.0\"] }]\n";
        let (allowed, exceptions) = allowed(text).unwrap();
        let of = |name: &str, licence: &str| {
            finding(&serde_json::json!({"name": name, "license": licence}), &allowed, &exceptions)
        };
        assert_eq!((of("tool", "MPL-2.0"), of("any", "MIT")), (None, None));
        assert!(of("other", "MPL-2.0").is_some() && of("tool", "GPL-3.0").is_some());
    }

    #[test]
    fn expressions_are_judged_by_their_best_choice() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(String::from);
        for good in ["MIT", "GPL-3.0 OR MIT", "Apache-2.0/MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert!(permits(good, &allowed), "{good}");
        }
        assert!(permits("Apache-2.0 WITH LLVM-exception OR GPL-2.0", &allowed));
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT", "", "MIT MIT", "Apache-2.0", "none stated"] {
            assert!(!permits(bad, &allowed), "{bad}");
        }
    }
}
