//! The two suites with runners of their own: attacks and real programs. Both end with a line of counts, print
//! `SKIP` and `FAIL` lines by name, and compare their skips with a checked-in list of their own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow};

use super::Built;
use super::tally::Tally;
use crate::account::Account;
use crate::command::say;
use crate::stage::Stage;

/// Seconds after which a whole suite is killed and failed.
const PATIENCE: u32 = 900;

/// The most runners of attacks at once: some attacks use up what all processes of an account share.
const RUNNERS: usize = 4;

/// The attacks against the binary as it is shipped.
pub(super) fn escape(built: &Built, account: &Account, stage: &Stage) -> Result<Tally> {
    let hooked = stage.hooked(&super::binaries::with_test_hooks()?)?;
    let belljar = stage.program(&built.belljar)?;
    attacks(
        built,
        account,
        stage,
        &[OsStr::new("--hooked"), hooked.as_os_str(), OsStr::new("--belljar"), belljar.as_os_str()],
    )
}

/// Host features that the attacks must not miss.
const MASKS: &[&str] = &["landlock", "landlock=3"];

/// The attacks against a build that can be told that the host lacks something: nothing may escape there either.
///
/// Control runs know no mask. Where this run has just done them for the same account they are not done again.
pub(super) fn masked(built: &Built, account: &Account, stage: &Stage) -> Result<Tally> {
    let belljar = stage.hooked(&super::binaries::with_test_hooks()?)?;
    let mut total = Tally::default();
    for mask in MASKS {
        say(&format!("-- without {mask}"));
        let mut words = ["--mask", mask, "--belljar"].map(OsStr::new).to_vec();
        words.push(belljar.as_os_str());
        words.extend(built.has_part("escape").then_some(OsStr::new("--proven")));
        total.add(attacks(built, account, stage, &words)?);
    }
    Ok(total)
}

/// All attacks with these words, by two runners for each processor: attacks wait for nine tenths of their time.
fn attacks(built: &Built, account: &Account, stage: &Stage, words: &[&OsStr]) -> Result<Tally> {
    let runner = stage.program(built.workspace.named("escape")?)?;
    let runners = std::thread::available_parallelism().map_or(1, usize::from).saturating_mul(2).min(RUNNERS);
    let must = must();
    let share = |number: usize| {
        let mut command = account.command(&runner, PATIENCE);
        command.args(["run", "--against", "belljar", "--share", &format!("{number}/{runners}")]).args(words);
        follow(&mut command, must.as_deref())
    };
    std::thread::scope(|scope| {
        let started: Vec<_> = (1..=runners).map(|number| scope.spawn(move || share(number))).collect();
        let mut total = Tally::default();
        for runner in started {
            total.add(runner.join().map_err(|_| anyhow!("a thread died"))??);
        }
        Ok(total)
    })
}

/// Real programs, outside and inside a jar.
pub(super) fn programs(built: &Built, account: &Account, stage: &Stage) -> Result<Tally> {
    let runner = stage.program(built.workspace.named("programs")?)?;
    let belljar = stage.program(&built.belljar)?;
    let mut command = account.command(&runner, PATIENCE);
    command.arg("--belljar").arg(&belljar);
    follow(&mut command, must().as_deref())
}

/// Needs whose skips are failures here.
fn must() -> Option<String> {
    std::env::var("BELLJAR_MUST").ok().filter(|list| !list.is_empty())
}

/// Shows the failures and skips of a suite while it runs, and returns its counts.
pub(super) fn follow(command: &mut Command, must: Option<&str>) -> Result<Tally> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("the output is a pipe")?;
    let mut last = None;
    let mut broken = Tally::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        last = Tally::parse(&line).or(last);
        if !line.starts_with("ok") {
            say(&line);
        }
        if is_forbidden(&line, must) {
            broken.add(Tally::broken("a skip that BELLJAR_MUST forbids"));
        }
    }
    let status = child.wait()?;
    let mut tally = last.with_context(|| format!("the suite printed no counts and ended with {status}"))?;
    if !status.success() && tally.failed == 0 {
        tally.add(Tally::broken(&format!("the suite ended with {status}")));
    }
    tally.add(broken);
    Ok(tally)
}

fn is_forbidden(line: &str, must: Option<&str>) -> bool {
    let need =
        line.strip_prefix("SKIP").and_then(|rest| rest.split_once("needs ")).map(|(_, need)| need.trim());
    must.is_some_and(|list| list.split(',').any(|name| Some(name) == need))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, must: Option<&str>) -> Result<Tally> {
        follow(Command::new("sh").args(["-c", script]), must)
    }

    #[test]
    fn counts_are_those_of_the_suite() {
        let script = "echo 'ok a'; echo 'SKIP b: needs c'; echo '1 passed, 0 failed, 1 skipped'";
        assert_eq!(shell(script, None).unwrap(), Tally { passed: 1, failed: 0, skipped: 1 });
        assert_eq!(shell(script, Some("x,c")).unwrap().failed, 1);
    }

    #[test]
    fn a_suite_that_dies_is_a_failure() {
        assert!(shell("true", None).is_err());
        assert_eq!(shell("echo '1 passed, 0 failed, 0 skipped'; exit 3", None).unwrap().failed, 1);
    }
}
