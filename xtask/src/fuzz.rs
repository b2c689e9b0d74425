//! `cargo xtask fuzz [--seconds N] [TARGET...]`: every target of `fuzz/` in turn, one process at a time, from its seeds and from
//! what earlier runs found. One line for each; a failure when one ended with a finding, which then lies in `fuzz/artifacts`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{is_installed, must, program, say};
use crate::tree;

/// Seconds for each target, unless said otherwise.
const SECONDS: u64 = 180;
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// Longest run of one input in seconds, and most memory in MiB.
const BOUNDS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];
const EXECUTIONS: &str = "stat::number_of_executed_units:";

/// Builds the targets and runs them.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let (seconds, named) = asked(words)?;
    let all = targets()?;
    if let Some(unknown) = named.iter().find(|name| !all.contains(name)) {
        bail!("no target is called {unknown}; there are {}", all.join(", "));
    }
    ensure!(is_installed("cargo-fuzz"), "needs cargo-fuzz: cargo install cargo-fuzz");
    // What has no unsafe code of its own finds nothing more under a sanitizer, and less in the same time.
    must(&mut program("cargo", ["+nightly", "fuzz", "build", "--sanitizer", "none", "--target", TRIPLE]))?;
    let chosen = if named.is_empty() { all } else { named };
    let mut failed = Vec::new();
    for target in chosen {
        match fuzzed(&target, seconds)? {
            Ok(count) => say(&format!("ok   {target}: {count} executions in {seconds} s")),
            Err(tail) => {
                say(&format!("FAIL {target}: see fuzz/artifacts/{target}\n{tail}"));
                failed.push(target);
            }
        }
    }
    ensure!(failed.is_empty(), "targets with findings: {}", failed.join(", "));
    Ok(())
}

fn asked(words: &[String]) -> Result<(u64, Vec<String>)> {
    match words {
        [option, number, targets @ ..] if option == "--seconds" => {
            let seconds = number.parse().ok().filter(|seconds| *seconds > 0);
            Ok((seconds.context("--seconds takes a number from 1 on")?, targets.to_vec()))
        }
        targets => Ok((SECONDS, targets.to_vec())),
    }
}

/// Names of all targets, in order.
fn targets() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(tree::root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        found.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    found.sort();
    Ok(found)
}

/// How many inputs were tried; what the target said at its end when it found something.
fn fuzzed(target: &str, seconds: u64) -> Result<Result<u64, String>> {
    let [corpus, found] = ["corpus", "artifacts"].map(|folder| place(folder, target));
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let binary = tree::root().join("fuzz/target").join(TRIPLE).join("release").join(target);
    let mut command = program(binary, BOUNDS);
    command.arg(corpus).arg(place("seeds", target)).arg("-print_final_stats=1");
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-artifact_prefix={}/", found.display()));
    let done = command.output().with_context(|| format!("cannot start {target}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    Ok(match executions(&said).filter(|_| done.status.success()) {
        Some(count) => Ok(count),
        None => Err(tail(&said)),
    })
}

fn place(folder: &str, target: &str) -> PathBuf {
    tree::root().join("fuzz").join(folder).join(target)
}

fn executions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix(EXECUTIONS)?.trim().parse().ok())
}

fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_described_and_has_seeds() {
        let text = |name: &str| fs::read_to_string(tree::root().join("fuzz").join(name)).unwrap();
        let (manifest, readme) = (text("Cargo.toml"), text("README.md"));
        for target in targets().unwrap() {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} in fuzz/Cargo.toml");
            assert!(readme.contains(&format!("| `{target}` |")), "{target} in fuzz/README.md");
            assert!(
                fs::read_dir(place("seeds", &target)).is_ok_and(|mut list| list.next().is_some()),
                "{target}"
            );
        }
    }

    #[test]
    fn executions_are_read_from_the_last_words() {
        assert_eq!(executions("Done\nstat::number_of_executed_units: 12\nstat::x: 1"), Some(12));
        assert_eq!(executions("==1== ERROR: libFuzzer"), None);
    }

    #[test]
    fn the_time_comes_before_the_targets() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(asked(&words("--seconds 5 a b")).unwrap(), (5, words("a b")));
        assert_eq!(asked(&[]).unwrap(), (SECONDS, Vec::new()));
        assert!(asked(&words("--seconds none")).is_err());
    }
}
