//! Circles among the modules at the top of a crate: a module is read without those that use it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::source;

/// This file.
const TABLE: &str = "xtask/src/rooms/cycles.rs";

/// Modules that use each other and stay so: crate, user, used, why.
const KEPT: &[(&str, &str, &str, &str)] = &[
    ("belljar", "error", "ask", "an error holds the error of what was called"),
    ("belljar", "jar", "command", "a jar is made of the command that starts it"),
    ("belljar", "service", "command", "a service runs in a jar of its own"),
    (
        "belljar",
        "service",
        "worker",
        "a service speaks over the workers' channel, and a worker may use services",
    ),
];

/// Tables that were generated: parts of the modules whose rows they hold.
const GENERATED: &str = "generated";

/// Which module of a crate names which other, with the first place that does.
type Edges = BTreeMap<(String, String), String>;

/// Findings on modules that need each other.
pub(super) fn circles() -> Result<Vec<String>> {
    let mut crates: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for file in source::all()?.into_iter().filter(|file| file.starts_with("crates") && !is_test(file)) {
        if let Some(root) = file.ancestors().find(|folder| folder.ends_with("src")) {
            crates.entry(root.to_path_buf()).or_default().push(file);
        }
    }
    let mut findings = Vec::new();
    for (root, files) in crates {
        findings.extend(judge(&root, edges(&root, &files)?));
    }
    if !findings.is_empty() {
        findings.push(format!("move what both need below both, or say in KEPT, {TABLE}, why they stay"));
    }
    Ok(findings)
}

fn is_test(file: &Path) -> bool {
    file.iter().any(|part| part == "tests" || part == "tests.rs")
}

fn edges(root: &Path, files: &[PathBuf]) -> Result<Edges> {
    let top = Top::read(&source::parse(&root.join("lib.rs"))?);
    let mut edges = Edges::new();
    for file in files {
        let own = modules(root, file);
        let Some(user) = own.first().filter(|user| *user != GENERATED) else { continue };
        for (line, path) in source::paths(&source::parse(file)?) {
            if let Some(used) = top.used(&own, &path).filter(|used| used != user) {
                let place = format!("{}:{line}", file.display());
                edges.entry((user.clone(), used.to_owned())).or_insert(place);
            }
        }
    }
    Ok(edges)
}

/// The modules a file is in, outermost first; none for the root of a crate.
fn modules(root: &Path, file: &Path) -> Vec<String> {
    let bare = file.with_extension("");
    let parts = bare.strip_prefix(root).into_iter().flatten();
    let names = parts.map(|part| part.to_string_lossy().into_owned());
    names.filter(|name| !["mod", "lib", "main"].contains(&name.as_str())).collect()
}

/// What stands at the top of a crate: each name, and the module it is of.
struct Top(BTreeMap<String, String>);

impl Top {
    fn read(file: &syn::File) -> Self {
        let is_module = |item: &syn::Item| match item {
            syn::Item::Mod(module) => Some(module.ident.to_string()),
            _ => None,
        };
        let names: Vec<String> = file.items.iter().filter_map(is_module).collect();
        let mut top: BTreeMap<String, String> =
            names.iter().map(|name| (name.clone(), name.clone())).collect();
        for (_, path) in source::paths(file) {
            if let Some((module, name)) =
                path.split_once("::").filter(|(module, _)| names.iter().any(|own| own == module))
            {
                let name = name.rsplit("::").next().unwrap_or(name);
                top.entry(name.to_owned()).or_insert_with(|| module.to_owned());
            }
        }
        Self(top)
    }

    /// The module that a path named in the modules `own` leads to.
    fn used(&self, own: &[String], path: &str) -> Option<&str> {
        let mut words = path.split("::").peekable();
        let mut ups = 0_usize;
        while words.next_if_eq(&"super").is_some() {
            ups = ups.saturating_add(1);
        }
        let from_top = ups == own.len() || words.next_if_eq(&"crate").is_some();
        words.next().filter(|_| from_top).and_then(|name| self.0.get(name)).map(String::as_str)
    }
}

/// Edges that lie on a circle but for those of [`KEPT`], and rows there of edges that lie on none.
fn judge(root: &Path, mut edges: Edges) -> Vec<String> {
    let name = root.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let mut findings = Vec::new();
    for (_, from, to, _) in KEPT.iter().filter(|(owner, ..)| *owner == name) {
        let edge = ((*from).to_owned(), (*to).to_owned());
        if !on_circle(&edges, &edge) {
            findings.push(format!(
                "{name}: that {from} uses {to} is kept, but closes no circle: drop its row from KEPT, {TABLE}"
            ));
        }
        edges.remove(&edge);
    }
    let closing = edges.iter().filter(|(edge, _)| on_circle(&edges, edge));
    findings.extend(closing.map(|((from, to), place)| {
        format!("{place}: {from} uses {to}, and {to} uses {from}, if only through others")
    }));
    findings
}

/// True when the used module leads back to its user.
fn on_circle(edges: &Edges, (from, to): &(String, String)) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![to.as_str()]);
    while let Some(module) = open.pop().filter(|_| edges.contains_key(&(from.clone(), to.clone()))) {
        if module == from {
            return true;
        }
        if seen.insert(module) {
            open.extend(edges.keys().filter(|(user, _)| user == module).map(|(_, used)| used.as_str()));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(edges: &[(&str, &str)]) -> Edges {
        edges
            .iter()
            .map(|(from, to)| ((String::from(*from), String::from(*to)), "f.rs:1".to_owned()))
            .collect()
    }

    #[test]
    fn a_circle_is_a_finding_however_long_and_a_line_is_none() {
        let root = Path::new("crates/new/src");
        assert!(judge(root, crate_of(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
        let found = judge(root, crate_of(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]));
        assert_eq!(found.len(), 3);
        assert!(found[0].starts_with("f.rs:1: a uses b, and b uses a, if only through others"), "{found:?}");
    }

    #[test]
    fn a_kept_edge_that_closes_nothing_is_a_finding() {
        let [(owner, from, to, _), others @ ..] = KEPT else { return };
        let root = Path::new("crates").join(owner).join("src");
        let found = judge(&root, crate_of(&[(from, to), (to, from)]));
        let expected = others.iter().filter(|other| other.0 == *owner).count();
        assert_eq!(found.iter().filter(|line| line.contains("closes no circle")).count(), expected);
        assert!(!found.iter().any(|line| line.contains(&format!("that {from} uses {to} "))));
    }

    #[test]
    fn a_name_is_of_the_module_it_comes_from() {
        let top = Top::read(
            &syn::parse_str("mod filter; mod spec; pub use filter::{Filter, Insn as Step};").unwrap(),
        );
        let own = ["spec".to_owned(), "inner".to_owned()];
        assert_eq!(top.used(&own, "crate::Filter::new"), Some("filter"));
        assert_eq!(top.used(&own, "super::super::filter::x"), Some("filter"));
        assert_eq!(top.used(&own, "super::filter"), None);
        assert_eq!(top.used(&own, "filter::x"), None);
        assert_eq!(modules(Path::new("c/src"), Path::new("c/src/spec/mod.rs")), ["spec"]);
        assert!(modules(Path::new("c/src"), Path::new("c/src/lib.rs")).is_empty());
    }
}
