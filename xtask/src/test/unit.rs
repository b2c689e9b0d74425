//! Unit and integration tests: each test in a process of its own, so that a test which confines itself, hangs or
//! dies cannot touch another.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Built;
use super::binaries::Binary;
use super::skips::{self, Expected};
use super::tally::Tally;
use crate::account::Account;
use crate::clock;
use crate::command::say;
use crate::stage::Stage;

/// Seconds after which one test is killed and failed.
const PATIENCE: u32 = 300;

/// One test of one program.
struct Test<'a> {
    binary: &'a Binary,
    program: std::path::PathBuf,
    name: String,
}

impl Test<'_> {
    fn full_name(&self) -> String {
        format!("{}::{}", self.binary.target, self.name)
    }
}

/// How one test ended.
enum Ending {
    Passed,
    Skipped(String),
    Failed(String),
}

/// What all workers have found.
#[derive(Default)]
struct Total {
    tally: Tally,
    times: Vec<(Duration, String)>,
}

/// Runs every test as this account, as many at once as the machine has processors.
pub(super) fn run(built: &Built, account: &Account, stage: &Stage) -> Result<Tally> {
    for example in &built.workspace.examples {
        stage.example(example)?;
    }
    let mut tests = Vec::new();
    for binary in &built.workspace.tests {
        tests.extend(list(binary, account, stage)?);
    }
    let expected = Expected::read(account.is_root())?;
    let queue = Mutex::new(tests.iter());
    let total = Mutex::new(Total::default());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(&queue, account, &expected, &total));
        }
    });
    let total = total.into_inner().map_err(|_| anyhow::anyhow!("a worker died"))?;
    clock::print_slowest(total.times);
    Ok(total.tally)
}

/// The tests of one program.
fn list<'a>(binary: &'a Binary, account: &Account, stage: &Stage) -> Result<Vec<Test<'a>>> {
    let program = stage.program(&binary.path)?;
    let mut command = account.command(&program, PATIENCE);
    let output = command.args(["--list", "--format=terse"]).output()?;
    anyhow::ensure!(output.status.success(), "{} lists no tests: {}", program.display(), output.status);
    let text = String::from_utf8(output.stdout).context("names of tests are text")?;
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(|name| Test { binary, program: program.clone(), name: name.to_owned() }).collect())
}

fn work<'a>(
    queue: &Mutex<impl Iterator<Item = &'a Test<'a>>>,
    account: &Account,
    expected: &Expected,
    total: &Mutex<Total>,
) {
    let next = || queue.lock().ok().and_then(|mut tests| tests.next());
    while let Some(test) = next() {
        let began = Instant::now();
        let tally = judge(test, &ending(test, account), expected);
        if let Ok(mut total) = total.lock() {
            total.tally.add(tally);
            total.times.push((began.elapsed(), test.full_name()));
        }
    }
}

fn ending(test: &Test<'_>, account: &Account) -> Ending {
    let mut command = account.command(&test.program, PATIENCE);
    command
        .args(["--exact", &test.name, "--show-output", "--test-threads=1"])
        .current_dir(&test.binary.folder);
    command.env("CARGO_MANIFEST_DIR", &test.binary.folder);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return Ending::Failed(error.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match skips::need(&text) {
        // That of `timeout`: what such a test said until then is not known.
        _ if output.status.code() == Some(124) => {
            Ending::Failed(format!("it did not end within {PATIENCE} seconds\n{text}"))
        }
        _ if !output.status.success() => Ending::Failed(format!("{}\n{text}", output.status)),
        Some(need) => Ending::Skipped(need.to_owned()),
        None if text.contains("1 ignored") => Ending::Skipped("to be asked for".to_owned()),
        None if text.contains("1 passed") => Ending::Passed,
        None => Ending::Failed(format!("it did not run\n{text}")),
    }
}

fn judge(test: &Test<'_>, ending: &Ending, expected: &Expected) -> Tally {
    let name = test.full_name();
    match ending {
        Ending::Passed => Tally::of_one(&name, true),
        Ending::Failed(why) => Tally::broken(&format!("{name}: {why}")),
        Ending::Skipped(need) if expected.allows(&name, need) => {
            say(&format!("SKIP {name}: needs {need}"));
            Tally { skipped: 1, ..Tally::default() }
        }
        Ending::Skipped(need) => Tally::broken(&format!("{name}: unexpected skip, needs {need}")),
    }
}
