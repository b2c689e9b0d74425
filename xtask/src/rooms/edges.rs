//! Import edges: between crates from `cargo metadata`, between modules from the paths that files name.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::source;

/// This file.
const TABLE: &str = "xtask/src/rooms/edges.rs";

/// What each crate may import outside its tests. A package without a row is a finding.
const CRATES: &[(&str, &[&str])] = &[
    ("belljar-sys", &["syscalls", "linux-raw-sys"]),
    ("belljar-bpf", &[]),
    ("belljar-policy", &["serde", "toml"]),
    ("belljar-net", &["belljar-policy", "httparse", "rustix"]),
    (
        "belljar",
        &[
            "belljar-sys",
            "belljar-bpf",
            "belljar-net",
            "belljar-policy",
            "landlock",
            "object",
            "sha1_smol",
            "rustix",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tracing",
        ],
    ),
    ("belljar-cli", &["belljar", "clap", "serde_json"]),
    ("belljar-capi", &["belljar"]),
    // The only package with decoders: a program of its own beside the command.
    ("belljar-decode", &["belljar", "image", "indicatif", "rustix", "serde", "thiserror"]),
];

/// Packages that are never shipped and may import anything.
const TOOLS: &[&str] = &["xtask", "escape", "bench", "programs"];

/// Paths that the files below a folder (or the file itself) must not name, and why.
struct Border {
    place: &'static str,
    forbidden: &'static [&'static str],
    why: &'static str,
}

const BARE: &str = "it runs between clone and exec: no allocation, no locks";

const BORDERS: &[Border] = &[
    Border {
        place: "crates/belljar-sys/src",
        forbidden: &["alloc"],
        why: "the kernel room allocates nothing",
    },
    Border { place: "crates/belljar-sys/src/child", forbidden: &["std"], why: BARE },
    Border { place: "crates/belljar-sys/src/call", forbidden: &["std"], why: BARE },
    Border { place: "crates/belljar-sys/src/spawn", forbidden: &["std"], why: BARE },
    Border { place: "crates/belljar-sys/src/wire", forbidden: &["std"], why: BARE },
    Border {
        place: "crates/belljar-bpf/src",
        forbidden: &["std::fs", "std::net", "std::process", "std::env", "std::thread"],
        why: "the compiler is pure",
    },
    Border {
        place: "crates/belljar/src/plan",
        forbidden: &["std::fs", "std::process", "std::env", "std::thread", "std::time", "std::os::unix::net"],
        why: "planning is pure",
    },
    Border {
        place: "crates/belljar/src/plan",
        forbidden: &["crate::prepare", "crate::spawn", "crate::supervise", "crate::broker"],
        why: "no stage reaches back",
    },
    Border {
        place: "crates/belljar/src/prepare",
        forbidden: &["crate::spawn", "crate::supervise", "crate::broker"],
        why: "no stage reaches back",
    },
    Border {
        place: "crates/belljar/src/worker/code",
        forbidden: &["std::fs", "std::net", "std::process", "std::env", "std::thread", "rustix"],
        why: "bytes to values and back, and nothing else",
    },
    Border {
        place: "crates/belljar/src/worker/serve",
        forbidden: &["std::fs", "std::net", "std::process", "std::env", "belljar_bpf", "belljar_policy"],
        why: "the zygote decides nothing: filters and limits come from the parent",
    },
    Border {
        place: "crates/belljar/src/broker",
        forbidden: &["belljar_policy::Policy"],
        why: "the broker sees a compiled table, never a policy",
    },
];

/// Findings on the dependencies that the manifests declare.
pub(super) fn crates(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    Ok(packages.iter().flat_map(package).collect())
}

fn package(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    if TOOLS.contains(&name) {
        return Vec::new();
    }
    let Some((_, allowed)) = CRATES.iter().find(|(row, _)| *row == name) else {
        return vec![format!("{name}: no row in CRATES, {TABLE}")];
    };
    let strangers = imports(package).filter(|import| !allowed.contains(import));
    strangers.map(|import| format!("{name} may not import {import}: no edge of CRATES, {TABLE}")).collect()
}

/// Names of the dependencies that end up in the crate or its build script.
fn imports(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shipped = all.iter().filter(|dependency| dependency["kind"].as_str() != Some("dev"));
    shipped.filter_map(|dependency| dependency["name"].as_str())
}

/// Findings on the paths that files name.
pub(super) fn modules() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in source::all()? {
        let borders: Vec<&Border> = BORDERS.iter().filter(|border| is_within(&file, border.place)).collect();
        if !borders.is_empty() {
            let named = source::paths(&source::parse(&file)?);
            findings.extend(borders.iter().flat_map(|border| crossings(&file, border, &named)));
        }
    }
    Ok(findings)
}

fn is_within(file: &Path, place: &str) -> bool {
    let is_test = file.file_stem().is_some_and(|name| name == "tests");
    !is_test && (file.starts_with(place) || file.with_extension("") == Path::new(place))
}

fn crossings(file: &Path, border: &Border, named: &[(usize, String)]) -> Vec<String> {
    let crossing = named.iter().filter(|(_, path)| border.forbidden.iter().any(|bad| starts_with(path, bad)));
    crossing
        .map(|(line, path)| {
            format!("{}:{line}: {path} may not be named here: {}", file.display(), border.why)
        })
        .collect()
}

fn starts_with(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_outside_the_table_is_a_finding_but_not_in_tests() {
        let manifest = serde_json::json!({"name": "belljar-bpf", "dependencies": [
            {"name": "proptest", "kind": "dev"}, {"name": "libc", "kind": null}, {"name": "cc", "kind": "build"}]});
        let found = package(&manifest);
        assert_eq!(found.len(), 2);
        assert!(
            ["libc", "cc"]
                .iter()
                .zip(&found)
                .all(|(import, line)| line.contains(&format!("may not import {import}:")))
        );
        assert_eq!(package(&serde_json::json!({"name": "new", "dependencies": []})).len(), 1);
    }

    #[test]
    fn a_border_is_crossed_by_whole_names_only() {
        let border =
            Border { place: "crates/belljar/src/plan", forbidden: &["std::fs", "crate::spawn"], why: "x" };
        let named =
            [(1, "std::fs::File".to_owned()), (2, "std::fsx".to_owned()), (3, "crate::spawn".to_owned())];
        assert_eq!(crossings(Path::new("f.rs"), &border, &named).len(), 2);
        assert!(is_within(Path::new("crates/belljar/src/plan/ids.rs"), border.place));
        assert!(is_within(Path::new("crates/belljar/src/plan.rs"), border.place));
        assert!(!is_within(Path::new("crates/belljar/src/planet.rs"), border.place));
    }
}
