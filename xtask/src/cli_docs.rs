//! Man page and shell completions, made from the same clap tree that reads the arguments.

use anyhow::Result;
use clap_complete::{Shell, generate};

use crate::generate::put;

mod roff;

/// Shells and where their completion files go.
const COMPLETIONS: &[(Shell, &str)] = &[
    (Shell::Bash, "docs/completions/belljar.bash"),
    (Shell::Zsh, "docs/completions/_belljar"),
    (Shell::Fish, "docs/completions/belljar.fish"),
];

/// Generator row `man`.
pub(crate) fn man(check: bool) -> Result<()> {
    put("docs/man/belljar.1", &roff::page(&belljar_cli::command()), check)
}

/// Generator row `completions`.
pub(crate) fn completions(check: bool) -> Result<()> {
    for (shell, path) in COMPLETIONS {
        let mut text = Vec::new();
        generate(*shell, &mut belljar_cli::command(), "belljar", &mut text);
        put(path, &String::from_utf8(text)?, check)?;
    }
    Ok(())
}
