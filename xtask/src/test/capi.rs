//! Programs in C against both libraries, as `cargo xtask capi` makes them: the examples, and what the header promises.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result};

use super::Built;
use super::tally::Tally;
use crate::account::Account;
use crate::command::program;
use crate::stage::Stage;
use crate::{capi, header, tree};

/// Seconds for one program.
const PATIENCE: u32 = 120;

/// How a program is linked: target of the examples' Makefile, end of its programs' names.
const LINKS: &[(&str, &str)] = &[("all", ""), ("static", "-static")];

/// One run: example, words (`@` = the file of two lines), exit status, what it prints.
const RUNS: &[(&str, &[&str], i32, &str)] = &[
    ("run", &["/bin/sh", "-c", "echo inside; exit 3"], 3, "inside\n"),
    ("run", &["/bin/cat", "@"], 1, ""),
    ("run", &["/no/such/program"], 125, ""),
    ("count", &["@"], 0, "2\n"),
];

/// Builds the programs, runs them as this account.
pub(super) fn run(_: &Built, account: &Account, stage: &Stage) -> Result<Tally> {
    let programs = stage.folder(if account.is_invoking() { "capi-i" } else { "capi-o" }, 0o755)?;
    let files = stage.folder(if account.is_invoking() { "words-i" } else { "words-o" }, 0o755)?;
    fs::write(files.join("words"), "one\ntwo\n")?;
    let libraries = programs.join("lib");
    build(&programs)?;
    shown(&programs)?;
    let start = |name: &str| {
        let mut command = account.command(&programs.join(name), PATIENCE);
        command.env("LD_LIBRARY_PATH", &libraries).current_dir("/");
        command
    };
    let mut total = Tally::default();
    for (_, end) in LINKS {
        let done = start(&format!("contract{end}")).arg(&files).output()?;
        total.add(judge(&format!("contract{end}"), &done, 0, " checks\n"));
        for (name, words, status, said) in RUNS {
            let words = words.iter().map(|word| match *word {
                "@" => files.join("words"),
                word => PathBuf::from(word),
            });
            let name = format!("{name}{end}");
            let done = start(&name).args(words).output()?;
            total.add(judge(&name, &done, *status, said));
        }
    }
    Ok(total)
}

fn judge(name: &str, done: &Output, status: i32, said: &str) -> Tally {
    let out = String::from_utf8_lossy(&done.stdout);
    if done.status.code() == Some(status) && out.ends_with(said) && (said.is_empty() == out.is_empty()) {
        return Tally::of_one(name, true);
    }
    Tally::broken(&format!("capi {name}: {}\n{out}{}", done.status, String::from_utf8_lossy(&done.stderr)))
}

/// Both libraries, and every program against each.
fn build(into: &Path) -> Result<()> {
    let place = tree::root().join("target/dist/capi");
    let prefix = place.to_str().context("the repository's path is text")?;
    capi::build(prefix)?;
    fs::create_dir(into.join("lib"))?;
    for entry in fs::read_dir(place.join("lib"))? {
        let path = entry?.path();
        if path.is_file() {
            fs::copy(&path, into.join("lib").join(path.file_name().unwrap_or_default()))?;
        }
    }
    let out = format!("OUT={}/", into.display());
    for (target, _) in LINKS {
        for (folder, programs) in
            [("examples/c", "run count"), (&format!("{}/tests", header::PLACE), "contract")]
        {
            let makefile = tree::root().join("examples/c/Makefile");
            let mut command = program("make", ["--silent", "--always-make"]);
            command.arg(format!("--directory={folder}")).arg(format!("--file={}", makefile.display()));
            command.args([target, &*format!("PROGRAMS={programs}"), &*out]);
            quietly(command.env("PKG_CONFIG_PATH", place.join("lib/pkgconfig")))?;
        }
    }
    Ok(())
}

/// What the page about the header shows compiles.
fn shown(into: &Path) -> Result<()> {
    let page = tree::read("docs/c-api.md")?;
    let parts = page.split("```c\n").skip(1).filter_map(|rest| rest.split("```").next());
    let parts: Vec<&str> = parts.collect();
    anyhow::ensure!(!parts.is_empty(), "docs/c-api.md shows nothing");
    for (at, part) in parts.iter().enumerate() {
        let source = into.join(format!("shown-{at}.c"));
        fs::write(&source, part)?;
        let mut command = program("cc", ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]);
        quietly(command.arg("-I").arg(tree::root().join(header::PLACE)).arg(&source))?;
    }
    Ok(())
}

/// What a linker says of static programs of glibc is shown only when it fails.
fn quietly(command: &mut Command) -> Result<()> {
    let done = command.output()?;
    anyhow::ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
