//! Generated files: written by `cargo xtask generate`, compared by `cargo xtask generated`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{must, program, say};
use crate::{check, tables, tree};

/// Makes some files from one source. With `check`, changes nothing and fails when a file differs.
#[derive(Debug)]
pub(crate) struct Generator {
    pub(crate) name: &'static str,
    pub(crate) make: fn(check: bool) -> Result<()>,
    /// This program has its files compiled in, and later generators look at them.
    pub(crate) compiled_in: bool,
}

const fn row(name: &'static str, make: fn(check: bool) -> Result<()>) -> Generator {
    Generator { name, make, compiled_in: false }
}

/// Every generator: one row each, those first that others need.
const GENERATORS: &[Generator] = &[
    Generator { compiled_in: true, ..row("tables", tables::names) },
    Generator { compiled_in: true, ..row("groups", tables::groups) },
    Generator { compiled_in: true, ..row("policy", crate::policy_files::generate) },
    row("filters", crate::filters::generate),
    row("man", crate::cli_docs::man),
    row("completions", crate::cli_docs::completions),
    row("promises", crate::promises::generate),
    row("header", crate::header::generate),
    row("numbers", crate::numbers::generate),
];

/// Writes the files of the named generators, or of all.
pub(crate) fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !GENERATORS.iter().any(|row| row.name == *name)) {
        let known: Vec<&str> = GENERATORS.iter().map(|row| row.name).collect();
        bail!("no generator {unknown}; there are {}", known.join(" "));
    }
    let wanted =
        GENERATORS.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name));
    for generator in wanted {
        let is_stale = (generator.make)(true).is_err();
        (generator.make)(false).with_context(|| format!("generator {}", generator.name))?;
        if is_stale && generator.compiled_in {
            return anew(names);
        }
    }
    Ok(())
}

/// The same once more, by a program that has the new files compiled in.
fn anew(names: &[String]) -> Result<()> {
    let words = ["xtask", "generate"].into_iter().chain(names.iter().map(String::as_str));
    must(&mut program("cargo", words))
}

/// Fails when any generated file differs from what its generator makes now.
pub(crate) fn check(_: &[String]) -> Result<()> {
    let outcomes = GENERATORS.iter().map(|row| (row.name, (row.make)(true)));
    let stale =
        outcomes.filter_map(|(name, outcome)| outcome.err().map(|error| format!("{name}: {error:#}")));
    check::verdict(&stale.collect::<Vec<_>>())
}

/// Writes one generated file unless it is so already, or with `check` fails when it differs. Generators end here.
pub(crate) fn put(relative: &str, content: &str, check: bool) -> Result<()> {
    let path = tree::root().join(relative);
    if check {
        return compare(&path, relative, content);
    }
    if compare(&path, relative, content).is_ok() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, content).with_context(|| format!("cannot write {relative}"))?;
    say(&format!("wrote {relative}"));
    Ok(())
}

fn compare(path: &Path, relative: &str, content: &str) -> Result<()> {
    let present = fs::read_to_string(path).with_context(|| format!("cannot read {relative}"))?;
    if present != content {
        bail!("{relative} is out of date: run `cargo xtask generate`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_stale_file_is_found() {
        assert!(super::put("rustfmt.toml", "other\n", true).is_err());
        let same = crate::tree::read("rustfmt.toml").unwrap();
        assert!(super::put("rustfmt.toml", &same, true).is_ok());
    }
}
