//! The files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &["target", ".git", "corpus", "artifacts", "node_modules"];

/// Optional parts of the libraries, which tests and lints look at too. Never part of the shipped command.
pub(crate) const ALL_FEATURES: [&str; 2] = ["--features", "belljar/tokio"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Reads a text file named by its path from the root.
pub(crate) fn read(relative: impl AsRef<Path>) -> Result<String> {
    let relative = relative.as_ref();
    fs::read_to_string(root().join(relative)).with_context(|| format!("cannot read {}", relative.display()))
}

/// Every file below `folder` with this extension, as sorted paths from the root.
pub(crate) fn files(folder: &str, extension: &str) -> Result<Vec<PathBuf>> {
    let root = root();
    let mut found = Vec::new();
    walk(&root.join(folder), extension, &mut found)?;
    found.sort();
    Ok(found.iter().filter_map(|path| path.strip_prefix(&root).ok().map(Path::to_path_buf)).collect())
}

fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() && !is_skipped(&entry.file_name().to_string_lossy()) {
            walk(&path, extension, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    Ok(())
}

fn is_skipped(name: &str) -> bool {
    SKIPPED.contains(&name) || name.starts_with("target-")
}

/// The lines of a checked-in list: `path  # reason`, blank and comment lines dropped.
pub(crate) fn list(relative: &str) -> Result<Vec<String>> {
    Ok(entries(&read(relative)?))
}

fn entries(text: &str) -> Vec<String> {
    let bare = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    bare.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// What `cargo metadata` says, with all dependencies when `deep`.
pub(crate) fn metadata(deep: bool) -> Result<serde_json::Value> {
    let mut command = crate::command::program("cargo", ["metadata", "--format-version=1", "--locked"]);
    if !deep {
        command.arg("--no-deps");
    }
    serde_json::from_str(&crate::command::output(&mut command)?).context("cargo metadata printed no JSON")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_list_is_its_lines_without_comments() {
        assert_eq!(super::entries("# all\na/b.rs  # why\n\n  c.rs\n"), ["a/b.rs", "c.rs"]);
    }

    #[test]
    fn the_root_is_found_and_build_folders_are_not_source() {
        assert!(super::root().join("Cargo.lock").is_file());
        assert!(super::is_skipped("target") && super::is_skipped("target-musl") && !super::is_skipped("src"));
    }
}
