//! `cargo xtask docs`: the documents name what there is.

use anyhow::{Context, Result};

use belljar_policy::{KEYS, Key};

use crate::{check, tree};

/// The generated man page.
const MANUAL: &str = "docs/man/belljar.1";

/// The page that says what each crate does, with the pictures.
const PICTURE: &str = "ARCHITECTURE.md";

/// The page that says what each module does.
const CODE_MAP: &str = "docs/code-map.md";

/// Documents that the project promises.
const DOCUMENTS: &[&str] = &[
    "README.md",
    PICTURE,
    CODE_MAP,
    "docs/crossings.md",
    "docs/design-notes.md",
    "SECURITY.md",
    "SPECIFICATION.md",
    "CONTRIBUTING.md",
    "BENCHMARKS.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// Fails on an absent document and on a crate, module or key that its document does not name.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let absent = DOCUMENTS.iter().filter(|name| !tree::root().join(name).is_file());
    let mut findings: Vec<String> = absent.map(|name| format!("{name}: absent")).collect();
    findings.extend(forgotten(PICTURE, &crate_names()?));
    findings.extend(forgotten(CODE_MAP, &module_names()?));
    let manual = tree::read(MANUAL).unwrap_or_default();
    findings.extend(
        keys_without(&manual)
            .map(|name| format!("{MANUAL} does not name the key {name}: `cargo xtask generate man`")),
    );
    check::verdict(&findings)
}

/// One finding for each name that the document at `path` lacks.
fn forgotten(path: &str, names: &[String]) -> Vec<String> {
    let text = tree::read(path).unwrap_or_default();
    unnamed(names, &text).map(|name| format!("{path} does not name {name}")).collect()
}

/// Keys of the key table whose flags, or name where they have none, the text lacks.
fn keys_without(manual: &str) -> impl Iterator<Item = &'static str> {
    let text = manual.replace('\\', "");
    let is_named = move |key: &&Key| {
        let mut names = if key.flags.is_empty() { std::slice::from_ref(&key.name) } else { key.flags }.iter();
        names.all(|name| text.contains(*name))
    };
    KEYS.iter().filter(move |key| !is_named(key)).map(|key| key.name)
}

fn crate_names() -> Result<Vec<String>> {
    let metadata = tree::metadata(false)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    Ok(packages.iter().filter_map(|package| package["name"].as_str().map(str::to_owned)).collect())
}

/// Modules at the top of the shipped crates.
fn module_names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in std::fs::read_dir(tree::root().join("crates"))? {
        let text = std::fs::read_to_string(folder?.path().join("src/lib.rs"))?;
        names.extend(text.lines().filter_map(module).map(str::to_owned));
    }
    Ok(names)
}

/// The name of a line that declares a module.
fn module(line: &str) -> Option<&str> {
    line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')
}

/// Names that the text lacks in code marks, as documents write them.
fn unnamed<'a>(names: &'a [String], text: &'a str) -> impl Iterator<Item = &'a str> {
    names.iter().map(String::as_str).filter(move |name| !text.contains(&format!("`{name}`")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_key_that_the_manual_forgets_is_found() {
        assert!(super::keys_without("").count() > 20);
    }

    #[test]
    fn a_module_is_found_by_its_declaration() {
        let lines = ["pub mod plan;", "mod jar;", "mod tests {", "use crate::module;"];
        assert_eq!(lines.map(super::module), [Some("plan"), Some("jar"), None, None]);
    }

    #[test]
    fn a_name_inside_another_name_does_not_count() {
        let names = ["belljar", "belljar-sys"].map(String::from);
        assert_eq!(super::unnamed(&names, "`belljar-sys`").collect::<Vec<_>>(), ["belljar"]);
    }
}
