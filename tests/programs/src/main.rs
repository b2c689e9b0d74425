//! Real programs, each run outside first and then inside a jar; output, exit code and result files must be equal.
//!
//! `programs [--belljar PATH] [--box belljar|bwrap|none] [--only NAME] [--list] [--keep]`. One line per scenario; the last line
//! is `N passed, N failed, N skipped`. The skipped names must be those of `expected-skips.txt`.

#![forbid(unsafe_code)]

mod gpg;
mod jar;
mod judge;
mod mirror;
mod options;
mod run;
mod scenario;
mod scenarios;
mod skips;
mod term;
mod watch;
mod work;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;

use crate::options::Options;
use crate::scenario::Scenario;

/// How many scenarios ended how, and the names of those that were skipped.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: Vec<&'static str>,
}

fn main() -> ExitCode {
    match run_all() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("programs: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run_all() -> Result<bool> {
    let options = Options::parse(std::env::args().skip(1))?;
    let chosen: Vec<&Scenario> = scenarios::all().filter(|row| options.wants(row.name)).collect();
    anyhow::ensure!(!chosen.is_empty(), "no scenario has that name");
    if options.list {
        chosen.iter().for_each(|row| say(row.name));
        return Ok(true);
    }
    let mut tally = Tally::default();
    let place = work::Place::create(options.keep)?;
    for row in chosen {
        run_one(row, &options, &place, &mut tally);
    }
    let surprises = skips::unlisted(&tally.skipped);
    surprises.iter().for_each(|line| say(line));
    say(&format!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped.len()));
    Ok(tally.failed == 0 && surprises.is_empty())
}

fn run_one(row: &'static Scenario, options: &Options, place: &work::Place, tally: &mut Tally) {
    if let Some(reason) = row.missing(place) {
        tally.skipped.push(row.name);
        return say(&format!("SKIP {}: {reason}", row.name));
    }
    let start = std::time::Instant::now();
    let verdict = judge::judge(row, options, place);
    let seconds = start.elapsed().as_secs_f32();
    match verdict {
        Ok(()) => {
            tally.passed += 1;
            say(&format!("ok   {} ({seconds:.1} s)", row.name));
        }
        Err(error) => {
            tally.failed += 1;
            say(&format!("FAIL {} ({seconds:.1} s)\n{}", row.name, indent(&format!("{error:#}"))));
        }
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("     {line}\n")).collect::<String>().trim_end().to_owned()
}

/// One line on standard output; a closed reader is no reason to stop the run.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
