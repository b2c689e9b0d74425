//! What the documents show works, and the files they name are there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::ffi::OsString;
use std::path::Path;

use seen::{Folder, belljar, command, see};

const README: &str = include_str!("../../../README.md");
const SPECIFICATION: &str = include_str!("../../../SPECIFICATION.md");

/// Words of a shell line without expansions; quotes group.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate();
    let parts = quoted.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    parts.collect()
}

/// The flags of the cookbook's second column: each code span is a form of its own, or belongs to the one before it.
fn recipes() -> Vec<Vec<String>> {
    let table = README
        .split("| you want | flags |")
        .nth(1)
        .expect("the cookbook")
        .split("\n\n")
        .next()
        .expect("rows");
    let rows = table.lines().skip(2).filter_map(|row| row.split(" | ").nth(1));
    let spans =
        rows.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    spans.map(|span| words(span.split(" ... ").next().unwrap_or_default())).collect()
}

#[test]
fn every_recipe_of_the_cookbook_is_a_policy() {
    let folder = Folder::new("cookbook");
    folder.write("belljar.toml", "belljar = 1\n");
    let recipes = recipes();
    assert!(recipes.len() > 12, "{recipes:?}");
    for recipe in recipes.iter().filter(|recipe| *recipe != &["-v"]) {
        let seen = see(command(["policy", "show"].iter().copied().chain(recipe.iter().map(String::as_str)))
            .current_dir(folder.path())
            .env("HOME", "/home/nobody-here"));
        assert_eq!((seen.status, seen.err.as_str()), (0, ""), "{recipe:?}");
    }
}

#[test]
fn every_command_of_the_readme_is_understood() {
    let lines = README.lines().filter_map(|line| line.strip_prefix("$ belljar "));
    let lines: Vec<&str> = lines.map(|line| line.split(['#', '>']).next().unwrap_or(line)).collect();
    assert!(lines.len() >= 7, "{lines:?}");
    for line in lines {
        let argv: Vec<OsString> = words(line).into_iter().map(OsString::from).collect();
        assert!(belljar_cli::understands(&argv), "{line}");
    }
}

#[test]
fn the_policy_of_the_readme_is_a_policy() {
    let folder = Folder::new("readme");
    let text = README.split("```toml\n").nth(1).expect("a policy").split("```").next().expect("its end");
    let file = folder.write("jar.toml", text);
    let seen = belljar(["policy", "check", &file.to_string_lossy()]);
    assert_eq!((seen.status, seen.err.as_str()), (0, ""));
}

#[test]
fn every_example_of_a_subcommand_is_understood() {
    for sub in belljar_cli::SUBCOMMANDS.iter().flat_map(|sub| std::iter::once(sub).chain(sub.subs)) {
        let argv: Vec<OsString> = words(sub.example).into_iter().skip(1).map(OsString::from).collect();
        assert!(belljar_cli::understands(&argv), "{}", sub.example);
    }
}

/// The numbers that a plan prints are those that the pages give.
#[test]
fn the_pages_count_the_calls_of_the_default_filter() {
    let plan = include_str!("../../belljar/tests/plans/linux-6.18-user.snap");
    let line = plan.lines().find(|line| line.contains(" calls reachable, ")).expect("a count").trim();
    assert!(README.contains(line), "README.md has not: {line}");
    let numbers: Vec<&str> = line.split(' ').filter(|word| word.parse::<u32>().is_ok()).collect();
    let [reachable, all, conditions] = numbers.as_slice() else { panic!("{line}") };
    let promise = format!(
        "lets {reachable} of the {all} calls of its table through, {conditions} of them only with certain arguments"
    );
    assert!(SPECIFICATION.contains(&promise), "SPECIFICATION.md has not: {promise}");
}

/// Whether a path of the repository, or `FILE::NAME`, is there: a test or an attack of that name in that file.
fn is_there(span: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match span.split_once("::") {
        None => root.join(span).try_exists().expect("stat"),
        Some((file, name)) => std::fs::read_to_string(root.join(file)).is_ok_and(|text| {
            [format!("fn {name}("), format!("\"{name}\"")].iter().any(|marked| text.contains(marked))
        }),
    }
}

#[test]
fn every_file_of_the_specification_is_there() {
    let spans = SPECIFICATION.split('`').skip(1).step_by(2);
    let named: Vec<&str> = spans.filter(|span| span.contains('/') && !span.starts_with('/')).collect();
    assert!(named.len() > 60, "{named:?}");
    let absent: Vec<&&str> = named.iter().filter(|span| !is_there(span)).collect();
    assert!(absent.is_empty(), "{absent:?}");
    assert!(!is_there("crates/belljar-cli/tests/documents.rs::no_such_test"));
}
