//! `cargo xtask test`: every test of the project, the README's test command.
//!
//! Stages, each only when named or when none is: `unit` (unit and integration tests, each test in its own
//! process), `doc` (examples in the documentation), `capi` (programs in C), `escape` (attacks), `programs` (real programs), `kernel` (Debian's
//! 6.1 kernel in an emulator). As root, all but `doc` and `kernel` run twice: as root and as an ordinary user.
//!
//! A skip is never silent: its name must stand in `tests/expected-skips.txt` (the suites have lists of their own),
//! and `BELLJAR_MUST=landlock:7,userns` makes a skip for one of these needs a failure. Before the end stand the seconds of
//! each part and the slowest tests; the last line counts.

mod binaries;
mod capi;
mod kernel;
mod skips;
mod suite;
mod tally;
mod unit;

use std::path::PathBuf;

use anyhow::{Result, bail};

pub(crate) use binaries::{program_of, with_test_hooks};

use crate::account::{self, Account};
use crate::clock::Clock;
use crate::command::{program, say};
use crate::stage::Stage;
use tally::Tally;

/// One part of the tests, run for each account.
struct Part {
    name: &'static str,
    run: fn(&Built, &Account, &Stage) -> Result<Tally>,
    accounts: Accounts,
}

/// Whether a part runs once, or for each account of the run.
#[derive(PartialEq)]
enum Accounts {
    Invoking,
    Each,
}

const PARTS: &[Part] = &[
    Part { name: "unit", run: unit::run, accounts: Accounts::Each },
    Part { name: "doc", run: doc, accounts: Accounts::Invoking },
    Part { name: "capi", run: capi::run, accounts: Accounts::Each },
    Part { name: "escape", run: suite::escape, accounts: Accounts::Each },
    Part { name: "masked", run: suite::masked, accounts: Accounts::Each },
    Part { name: "programs", run: suite::programs, accounts: Accounts::Each },
    Part { name: "kernel", run: kernel::run, accounts: Accounts::Invoking },
];

/// What was built for the run.
struct Built {
    workspace: binaries::Programs,
    /// The binary as it is shipped.
    belljar: PathBuf,
    /// Names of the parts of this run.
    parts: Vec<&'static str>,
}

impl Built {
    /// Whether this run has the part, too.
    fn has_part(&self, name: &str) -> bool {
        self.parts.contains(&name)
    }
}

/// Runs the named parts, or all.
pub(crate) fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|part| part.name == *name)) {
        bail!(
            "no part {unknown}; there are {}",
            PARTS.iter().map(|part| part.name).collect::<Vec<_>>().join(", ")
        );
    }
    let wanted = |part: &&Part| names.is_empty() || names.iter().any(|name| name == part.name);
    let parts: Vec<&Part> = PARTS.iter().filter(wanted).collect();
    let mut clock = Clock::default();
    let built = build(&mut clock, parts.iter().map(|part| part.name).collect())?;
    let stage = Stage::new()?;
    let mut total = Tally::default();
    for account in account::all(&stage)? {
        for part in parts.iter().filter(|part| account.is_invoking() || part.accounts == Accounts::Each) {
            let name = format!("{} as {}", part.name, account.name());
            say(&format!("== {name}"));
            let tally = clock.time(name, || (part.run)(&built, &account, &stage));
            total.add(tally.unwrap_or_else(|error| Tally::broken(&format!("{}: {error:#}", part.name))));
        }
    }
    clock.print();
    total.finish()
}

fn build(clock: &mut Clock, parts: Vec<&'static str>) -> Result<Built> {
    let workspace = clock.time("build of the tests", binaries::build)?;
    clock.time("build of what is shipped", || crate::dist::run(&[]))?;
    Ok(Built { workspace, belljar: crate::tree::root().join("target/dist/belljar"), parts })
}

/// The examples in the documentation of the library crates, and those that documents show.
fn doc(_: &Built, _: &Account, _: &Stage) -> Result<Tally> {
    let mut command = program("cargo", ["test", "--quiet", "--locked", "--doc", "--workspace"]);
    command.args(crate::tree::ALL_FEATURES);
    Ok(Tally::of_one("doc", command.status()?.success()))
}
