//! How many packages the shipped command is built from.
//!
//! Counted: every package that `cargo tree -p belljar-cli -e normal` names, each once, our own crates and
//! procedural macros included. Build and test dependencies are not part of the binary and not counted.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::command::{output, program, say};

/// The most packages allowed.
const BUDGET: usize = 45;

/// Fails when the budget is exceeded.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let arguments = ["tree", "--locked", "-p", "belljar-cli", "-e", "normal", "--prefix", "none"];
    let printed = output(&mut program("cargo", arguments))?;
    let packages = packages(&printed);
    if packages.len() > BUDGET {
        bail!("{} packages, {BUDGET} allowed: {packages:?}", packages.len());
    }
    say(&format!("crates: {} of {BUDGET}", packages.len()));
    Ok(())
}

/// Name and version of each package in the output of `cargo tree --prefix none`.
fn packages(printed: &str) -> BTreeSet<String> {
    let words = printed.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    words.filter(|package| !package.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_package_is_counted_once_per_version() {
        let printed = "a v1.0.0 (/x)\nb v2.0.0\nb v2.0.0 (*)\nb v3.0.0 (proc-macro)\n\n";
        assert_eq!(super::packages(printed).len(), 3);
    }
}
