//! Licences of every package in the lock file against the list in `deny.toml`.
//!
//! `cargo deny` reads the same file; this check needs nothing but cargo.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{check, tree};

/// Fails on a package none of whose licence choices is on the list.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let allowed = allowed(&tree::read("deny.toml")?)?;
    let metadata = tree::metadata(true)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let refused = packages.iter().filter_map(|package| finding(package, &allowed));
    check::verdict(&refused.collect::<Vec<_>>())
}

fn allowed(text: &str) -> Result<Vec<String>> {
    let file: toml::Table = text.parse().context("deny.toml")?;
    let list = file.get("licenses").and_then(|part| part.get("allow")).and_then(toml::Value::as_array);
    let list = list.context("deny.toml has no licenses.allow")?;
    Ok(list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

fn finding(package: &Value, allowed: &[String]) -> Option<String> {
    let licence = package["license"].as_str().unwrap_or("none stated");
    (!permits(licence, allowed)).then(|| format!("{}: {licence}", package["name"]))
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
    use super::permits;

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
