//! Formatting and lints of the whole workspace.

use anyhow::Result;

use crate::command::{must, program};

/// Fails on anything that the documentation of the libraries names wrongly.
pub(crate) fn rustdoc(_: &[String]) -> Result<()> {
    let mut command = program("cargo", ["doc", "--quiet", "--locked", "--no-deps", "--workspace", "--lib"]);
    must(command.args(crate::tree::ALL_FEATURES).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Fails on a file that `cargo fmt` would change.
pub(crate) fn fmt(_: &[String]) -> Result<()> {
    must(&mut program("cargo", ["fmt", "--all", "--check"]))
}

/// Fails on any warning of the compiler or clippy.
pub(crate) fn clippy(_: &[String]) -> Result<()> {
    let mut command = program("cargo", ["clippy", "--quiet", "--locked", "--workspace", "--all-targets"]);
    must(command.args(crate::tree::ALL_FEATURES).args(["--", "-D", "warnings"]))
}
