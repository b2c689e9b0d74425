//! `cargo xtask shown`: the shipped crates show no path as it is. A name is as hostile as whoever made the file, so texts take
//! `printable` (or a crate's own `shown`), which escapes what steers a terminal; `Path::display` escapes nothing.

use std::path::Path;

use anyhow::Result;

use crate::{check, source, tree};

const RAW: &str = ".display()";

/// Fails on a path that is shown raw outside of tests and comments.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let mut findings = Vec::new();
    for file in source::all()?.iter().filter(|file| is_shipped(file)) {
        let raw = raw_lines(&tree::read(file)?);
        findings
            .extend(raw.into_iter().map(|line| format!("{}:{line}: {RAW}, take printable", file.display())));
    }
    check::verdict(&findings)
}

/// Sources of the crates, but for files of tests.
fn is_shipped(file: &Path) -> bool {
    let mut parts = file.iter().map(|part| part.to_string_lossy());
    parts.next().is_some_and(|top| top == "crates")
        && parts.nth(1).is_some_and(|folder| folder == "src")
        && file.file_name().is_none_or(|name| name != "tests.rs")
}

/// Lines that show a path raw, before the tests at the end of a file.
fn raw_lines(text: &str) -> Vec<usize> {
    let shipped = text.lines().take_while(|line| *line != "#[cfg(test)]");
    let code = |line: &str| !line.trim_start().starts_with("//");
    (1..).zip(shipped).filter(|(_, line)| code(line) && line.contains(RAW)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_paths_are_found_in_code_alone() {
        let text = "a(path.display());\n    /// b.display()\nc()\n#[cfg(test)]\nd.display()\n";
        assert_eq!(raw_lines(text), [1]);
        for (file, shipped) in [
            ("crates/belljar/src/elf.rs", true),
            ("crates/belljar/src/ask/tests.rs", false),
            ("crates/belljar/tests/run.rs", false),
            ("xtask/src/sizes.rs", false),
        ] {
            assert_eq!(is_shipped(Path::new(file)), shipped, "{file}");
        }
    }
}
