//! Places of unsafe code: a checked-in list of files, all in the rooms that may have any.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{source, tree};

/// The checked-in list of files with unsafe code.
const LIST: &str = "xtask/unsafe-files.txt";

/// Rooms that may have unsafe code: the kernel room, the boundary to C, the attack programs, and the object that proves the
/// kernel room cannot panic (its entry point and panic handler are bare symbols).
const ROOMS: &[&str] = &["crates/belljar-sys", "crates/belljar-capi/src", "escape", "xtask/child-object"];

/// Packages whose crates need not forbid unsafe code.
const FREE: &[&str] = &["belljar-sys", "belljar-capi", "escape"];

/// Findings on files whose unsafe code is outside the rooms or not in the list, and on stale entries.
pub(super) fn listed() -> Result<Vec<String>> {
    Ok(compare(&present()?, &tree::list(LIST)?))
}

fn compare(present: &[PathBuf], listed: &[String]) -> Vec<String> {
    let strange = present.iter().filter(|file| !ROOMS.iter().any(|room| file.starts_with(room)));
    let strange = strange.map(|file| format!("{}: unsafe code outside its rooms", file.display()));
    let new = present.iter().filter(|file| !listed.iter().any(|name| covers(name, file)));
    let new = new.map(|file| {
        format!(
            "{}: unsafe code, but not in {LIST}: `cargo xtask rooms --accept` adds it, for review",
            file.display()
        )
    });
    let stale = listed.iter().filter(|name| !present.iter().any(|file| covers(name, file)));
    let stale = stale.map(|name| {
        format!("{name}: listed in {LIST}, but has no unsafe code: `cargo xtask rooms --accept` drops it")
    });
    strange.chain(new).chain(stale).collect()
}

/// An entry is a file, or a folder that ends in a slash.
fn covers(entry: &str, file: &Path) -> bool {
    if entry.ends_with('/') { file.starts_with(entry) } else { file == Path::new(entry) }
}

/// Every file with unsafe code.
fn present() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for file in source::all()? {
        if source::has_unsafe(&tree::read(&file)?).with_context(|| file.display().to_string())? {
            found.push(file);
        }
    }
    Ok(found)
}

/// Adds the files that the list lacks and drops the entries that are stale.
pub(super) fn accept() -> Result<()> {
    let (text, present) = (tree::read(LIST)?, present()?);
    let listed = tree::list(LIST)?;
    let is_current = |line: &&str| line.starts_with('#') || present.iter().any(|file| covers(line, file));
    let kept: String = text.lines().filter(is_current).map(|line| format!("{line}\n")).collect();
    let new = present.iter().filter(|file| !listed.iter().any(|name| covers(name, file)));
    let new: String = new.map(|file| format!("{}\n", file.display())).collect();
    fs::write(tree::root().join(LIST), kept + &new).context(LIST)
}

/// Findings on crates outside the rooms that do not forbid unsafe code.
pub(super) fn forbidden(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let bound = packages.iter().filter(|package| !FREE.iter().any(|name| package["name"] == *name));
    let mut findings = Vec::new();
    for root in bound.flat_map(crate_roots) {
        if !source::forbids_unsafe(&source::parse(Path::new(root))?) {
            findings.push(format!("{root}: lacks #![forbid(unsafe_code)]"));
        }
    }
    Ok(findings)
}

fn crate_roots(package: &Value) -> impl Iterator<Item = &str> {
    let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shipped = targets.iter().filter(|target| target["kind"][0] == "lib" || target["kind"][0] == "bin");
    shipped.filter_map(|target| target["src_path"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_must_be_exact_and_inside_the_rooms() {
        let present = ["crates/belljar-sys/src/a.rs", "crates/belljar/src/b.rs"].map(PathBuf::from);
        let listed = ["crates/belljar/src/b.rs", "escape/src/gone.rs"].map(String::from);
        let findings = compare(&present, &listed);
        assert_eq!(findings.len(), 3);
        assert!(findings.iter().any(|line| line.contains("src/b.rs: unsafe code outside")));
        assert!(compare(&present[..1], &["crates/belljar-sys/src/".to_owned()]).is_empty());
        assert!(compare(&present[..1], &["crates/belljar-sys/src/a.rs".to_owned()]).is_empty());
    }
}
