//! `cargo xtask bench`: the numbers of BENCHMARKS.md, each measured beside the same thing without a box and beside
//! other boxes, in one run, as root and as an ordinary user. Never a part of the tests.
//!
//! `--quick` makes few rounds and writes nothing: to see that it works.

mod figures;
mod goals;
mod helper;
mod peers;
mod report;
mod sections;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::account::{self, Account};
use crate::command::say;
use crate::stage::Stage;
use crate::{dist, tree};
use helper::Helper;
use peers::Places;
use report::Part;

/// Measures everything and writes BENCHMARKS.md.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let is_quick = arguments.iter().any(|word| word == "--quick");
    dist::run(&[])?;
    let stage = Stage::new()?;
    let shipped = |name: &str| tree::root().join("target/dist").join(name);
    let belljar = stage.program(&shipped("belljar"))?;
    let helper = stage.program(&dist::build("bench", "bench")?)?;
    let decoders =
        [stage.program(&shipped("belljar-decode"))?, stage.program(&dist::build("bench", "bench-decode")?)?];
    let libraries = libraries([&belljar, &helper].into_iter().chain(&decoders))?;
    let helper = Helper::new(helper, is_quick);
    let mut parts = Vec::new();
    for account in account::all(&stage)? {
        let places =
            Places { belljar: belljar.clone(), bin: stage.bin(), work: account.work().to_path_buf() };
        parts.push(part(&helper, &account, &places)?);
    }
    let text = report::page(&helper.machine()?, &libraries, &parts);
    say(&text);
    if !is_quick {
        std::fs::write(tree::root().join("BENCHMARKS.md"), &text)?;
        crate::numbers::generate(false)?;
    }
    Ok(())
}

/// Each measured program and the C library in it.
fn libraries<'a>(programs: impl IntoIterator<Item = &'a PathBuf>) -> Result<Vec<(String, &'static str)>> {
    let one = |program: &'a PathBuf| {
        let name = program.file_name().context("a program has a name")?;
        Ok((name.to_string_lossy().into_owned(), dist::libc(&std::fs::read(program)?)))
    };
    programs.into_iter().map(one).collect()
}

/// Every section for one account. A section that fails is named and the rest goes on.
fn part(helper: &Helper, account: &Account, places: &Places) -> Result<Part> {
    let mut part = Part::new(account.name());
    let bench = sections::Bench { helper, account, places };
    for section in sections::SECTIONS {
        say(&format!("bench: {} as {}", section.title, account.name()));
        match (section.measure)(&bench) {
            Ok(table) => part.add(section, table),
            Err(error) => say(&format!("bench: {} failed: {error:#}", section.title)),
        }
    }
    Ok(part)
}
