//! `cargo xtask symbols`: the code that runs between clone and exec needs nothing: no libc, no allocator, no lock, no
//! path that can panic. Proved from the linked object, as release builds make it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{must, output, program, say};
use crate::tree;

/// The function that everything a child may execute is reachable from.
const ENTRY: &str = "belljar_child_entry";

/// Fails when the object has an undefined symbol.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let object = link(&archive()?)?;
    let names = output(program("nm", ["--undefined-only"]).arg(&object))?;
    let undefined: Vec<&str> = names.lines().filter_map(|line| line.split_whitespace().last()).collect();
    if !undefined.is_empty() {
        bail!(
            "code between clone and exec (belljar-sys) calls a library, allocates or may panic: it needs {}",
            undefined.join(", ")
        );
    }
    let defined = output(program("nm", ["--defined-only"]).arg(&object))?;
    if !defined.lines().any(|line| line.ends_with(&format!(" T {ENTRY}"))) {
        bail!("the object lacks {ENTRY}: nothing was proved");
    }
    say(&format!("symbols: {} bytes of code, nothing undefined", text_size(&object)?));
    Ok(())
}

/// Builds the archive, apart from the workspace so that no other crate's features reach it.
fn archive() -> Result<PathBuf> {
    let folder = tree::root().join("target/child-object");
    let manifest = "xtask/child-object/Cargo.toml";
    let arguments = ["build", "--quiet", "--locked", "--release", "--target", "x86_64-unknown-linux-gnu"];
    let mut command = program("cargo", arguments);
    must(command.args(["--manifest-path", manifest, "--target-dir"]).arg(&folder).env("RUSTFLAGS", ""))?;
    Ok(folder.join("x86_64-unknown-linux-gnu/release/libchild_object.a"))
}

/// Links what is reachable from the entry into one object.
fn link(archive: &Path) -> Result<PathBuf> {
    let object = archive.with_file_name("child.o");
    let roots = [format!("--entry={ENTRY}"), format!("--undefined={ENTRY}")];
    must(program("ld", ["--relocatable", "--gc-sections"]).args(roots).arg(archive).arg("-o").arg(&object))?;
    Ok(object)
}

/// Bytes of code and constants.
fn text_size(object: &Path) -> Result<u64> {
    let printed = output(program("size", [object]).env("LC_ALL", "C"))?;
    let cell = printed.lines().nth(1).and_then(|line| line.split_whitespace().next());
    Ok(cell.context("size printed no numbers")?.parse()?)
}
