//! `cargo xtask sizes`: no file over 400 lines, no function over 60.

use std::path::Path;

use anyhow::Result;

use crate::{check, source, tree};

/// The most lines of a file.
const FILE: usize = 400;
/// The most lines of a function, from its signature to its closing brace.
const FUNCTION: usize = 60;
/// Generated files and pure tables, which may be longer than [`FILE`].
const EXCEPTIONS: &str = "xtask/long-files.txt";

/// Fails on a file or function over its limit, and on a listed exception that is not there.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let excepted = tree::list(EXCEPTIONS)?;
    let files = source::all()?;
    let gone = excepted.iter().filter(|name| !files.iter().any(|file| file == Path::new(name)));
    let mut findings: Vec<String> =
        gone.map(|name| format!("{name}: listed in {EXCEPTIONS}, but absent")).collect();
    for file in &files {
        let is_excepted = excepted.iter().any(|name| Path::new(name) == file);
        findings.extend(too_long(file, &tree::read(file)?, is_excepted));
        findings.extend(long_functions(file, &source::parse(file)?));
    }
    check::verdict(&findings)
}

fn too_long(file: &Path, text: &str, is_excepted: bool) -> Option<String> {
    let lines = text.lines().count();
    (lines > FILE && !is_excepted).then(|| format!("{}: {lines} lines, {FILE} allowed", file.display()))
}

fn long_functions(file: &Path, parsed: &syn::File) -> Vec<String> {
    let long = source::functions(parsed).into_iter().filter(|function| function.lines > FUNCTION);
    long.map(|function| {
        let (line, lines) = (function.line, function.lines);
        format!("{}:{line}: {} has {lines} lines, {FUNCTION} allowed", file.display(), function.name)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_too_many_is_a_finding() {
        let file = Path::new("a.rs");
        assert_eq!(too_long(file, &"\n".repeat(400), false), None);
        assert!(too_long(file, &"\n".repeat(401), false).is_some());
        assert_eq!(too_long(file, &"\n".repeat(401), true), None);
        let text = |body: usize| syn::parse_str(&format!("fn f() {{\n{}}}", "();\n".repeat(body))).unwrap();
        assert!(long_functions(file, &text(58)).is_empty());
        assert_eq!(long_functions(file, &text(59)).len(), 1);
    }
}
