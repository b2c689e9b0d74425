//! The test programs that cargo builds.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::{output, program};

/// One test program.
#[derive(Debug, PartialEq)]
pub(super) struct Binary {
    /// Name of the library, binary or test file it was made from.
    pub(super) target: String,
    pub(super) path: PathBuf,
    /// The package's folder, in which tests run.
    pub(super) folder: PathBuf,
}

/// What one build of the whole workspace makes.
pub(super) struct Programs {
    pub(super) tests: Vec<Binary>,
    /// Programs that tests run: `examples` of the packages.
    pub(super) examples: Vec<PathBuf>,
    /// Ordinary programs.
    programs: Vec<PathBuf>,
}

/// Builds all of it at once: to cargo one package alone has other features of what it is built from, and compiles that anew.
pub(super) fn build() -> Result<Programs> {
    let arguments = ["build", "--quiet", "--locked", "--workspace", "--all-targets", "--message-format=json"];
    let messages = output(program("cargo", arguments).args(crate::tree::ALL_FEATURES))?;
    let tests: Vec<Binary> = messages.lines().filter_map(binary).collect();
    anyhow::ensure!(!tests.is_empty(), "cargo built no test program");
    let of_kind = |kind| messages.lines().filter_map(|line| plain(line, kind)).collect();
    Ok(Programs { tests, examples: of_kind("example"), programs: of_kind("bin") })
}

impl Programs {
    /// The ordinary program of this name.
    pub(super) fn named(&self, name: &str) -> Result<&Path> {
        let found = self.programs.iter().find(|path| path.file_name().is_some_and(|file| file == name));
        found.map(PathBuf::as_path).with_context(|| format!("cargo built no program {name}"))
    }
}

/// Builds one ordinary program of the workspace and returns its path.
pub(crate) fn program_of(package: &str) -> Result<PathBuf> {
    let arguments =
        ["build", "--quiet", "--locked", "--message-format=json", "--package", package, "--bin", package];
    let messages = output(&mut program("cargo", arguments))?;
    let found = messages.lines().find_map(|line| executable(&serde_json::from_str(line).ok()?));
    found.with_context(|| format!("cargo built no program {package}"))
}

/// Builds the command with its test hooks, beside the ordinary build, and returns its path.
pub(crate) fn with_test_hooks() -> Result<PathBuf> {
    let folder = crate::tree::root().join("target/test-hooks");
    let mut command = program("cargo", ["build", "--quiet", "--locked", "--message-format=json"]);
    command.args(["--package", "belljar-cli", "--bin", "belljar", "--features", "belljar/test-hooks"]);
    let messages = output(command.arg("--target-dir").arg(folder))?;
    let found = messages.lines().find_map(|line| executable(&serde_json::from_str(line).ok()?));
    let built = found.context("cargo built no belljar with test hooks")?;
    // What keeps hooks out of the shipped program has to see them here.
    let seen = crate::dist::must_have_no_hooks(&std::fs::read(&built)?).is_err();
    anyhow::ensure!(seen, "the build with test hooks has none that the check of the shipped program finds");
    Ok(built)
}

fn binary(line: &str) -> Option<Binary> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["profile"]["test"].as_bool() != Some(true) {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
    let target = message["target"]["name"].as_str()?.to_owned();
    Some(Binary { target, path: executable(&message)?, folder })
}

/// The program of a line about a target of this kind that is no test.
fn plain(line: &str, kind: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let has_kind = message["target"]["kind"].as_array()?.iter().any(|own| own == kind);
    let is_test = message["profile"]["test"].as_bool() != Some(false);
    if has_kind && !is_test { executable(&message) } else { None }
}

fn executable(message: &Value) -> Option<PathBuf> {
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_found_among_the_messages() {
        let line = r#"{"profile":{"test":true},"executable":"/t/a-1","manifest_path":"/r/a/Cargo.toml","target":{"name":"a"}}"#;
        let expected = Binary { target: "a".into(), path: "/t/a-1".into(), folder: "/r/a".into() };
        assert_eq!(binary(line), Some(expected));
        assert_eq!(binary(&line.replace("true", "false")), None);
    }

    #[test]
    fn other_programs_are_found_among_the_messages_by_their_kind() {
        let line =
            r#"{"profile":{"test":false},"executable":"/t/e","target":{"name":"e","kind":["example"]}}"#;
        assert_eq!(plain(line, "example"), Some(PathBuf::from("/t/e")));
        assert_eq!(plain(line, "bin"), None);
        assert_eq!(plain(&line.replace("false", "true"), "example"), None);
        assert_eq!(binary("warning: text"), None);
    }
}
