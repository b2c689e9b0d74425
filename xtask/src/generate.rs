//! Generated files: written by `cargo xtask generate`, compared by `cargo xtask generated`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::say;
use crate::{check, tables, tree};

/// Makes some files from one source. With `check`, changes nothing and fails when a file differs.
#[derive(Debug)]
pub(crate) struct Generator {
    pub(crate) name: &'static str,
    pub(crate) make: fn(check: bool) -> Result<()>,
}

/// Every generator: one row each.
const GENERATORS: &[Generator] = &[
    Generator { name: "tables", make: tables::generate },
    Generator { name: "filters", make: crate::filters::generate },
    Generator { name: "policy", make: crate::policy_files::generate },
    Generator { name: "man", make: crate::cli_docs::man },
    Generator { name: "completions", make: crate::cli_docs::completions },
    Generator { name: "promises", make: crate::promises::generate },
    Generator { name: "header", make: crate::header::generate },
    Generator { name: "numbers", make: crate::numbers::generate },
];

/// Writes the files of the named generators, or of all.
pub(crate) fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !GENERATORS.iter().any(|row| row.name == *name)) {
        bail!("no generator {unknown}");
    }
    let wanted =
        GENERATORS.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name));
    for generator in wanted {
        (generator.make)(false).with_context(|| format!("generator {}", generator.name))?;
    }
    Ok(())
}

/// Fails when any generated file differs from what its generator makes now.
pub(crate) fn check(_: &[String]) -> Result<()> {
    let outcomes = GENERATORS.iter().map(|row| (row.name, (row.make)(true)));
    let stale =
        outcomes.filter_map(|(name, outcome)| outcome.err().map(|error| format!("{name}: {error:#}")));
    check::verdict(&stale.collect::<Vec<_>>())
}

/// Writes one generated file, or with `check` fails when it differs. Generators end here.
pub(crate) fn put(relative: &str, content: &str, check: bool) -> Result<()> {
    let path = tree::root().join(relative);
    if check {
        return compare(&path, relative, content);
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
