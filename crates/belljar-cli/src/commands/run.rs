//! `belljar run` and `belljar shell`.

use std::ffi::{OsStr, OsString};

use belljar::Command;
use belljar::report::Verdict;

use crate::ending::Ending;
use crate::fault::Fault;
use crate::lacking::Lacking;
use crate::words::Words;
use crate::{asking, petition, request};

/// Shell of a caller who names none.
const SHELL: &str = "/bin/sh";

/// What `belljar filter` starts from.
const FILTER: &str = "@filter";

pub(crate) fn run(words: &Words) -> u8 {
    command(words, to_its_end)
}

pub(crate) fn filter(words: &Words) -> u8 {
    based(words, Some(FILTER), to_its_end)
}

fn to_its_end(mut command: Command, ending: Ending<'_>) -> u8 {
    command.run_and_exit(|report| ending.finish(report))
}

/// What was typed after `--` as a command, under the policy of the options; `then` runs it.
pub(crate) fn command(words: &Words, then: impl FnOnce(Command, Ending<'_>) -> u8) -> u8 {
    based(words, None, then)
}

fn based(words: &Words, preset: Option<&'static str>, then: impl FnOnce(Command, Ending<'_>) -> u8) -> u8 {
    let mut rest = words.rest();
    match rest.next() {
        Some(program) => whole(words, preset, (program, &rest.collect::<Vec<_>>()), then),
        // The argument tree requires a command, so this is never reached by typing.
        None => Ending::silent().fail(&Fault::new(
            Verdict::SetupFailed,
            "no command after --",
            "belljar run -- COMMAND",
        )),
    }
}

pub(crate) fn shell(words: &Words) -> u8 {
    let named = std::env::var_os("SHELL").filter(|shell| shell.as_encoded_bytes().starts_with(b"/"));
    whole(words, None, (&named.unwrap_or_else(|| OsString::from(SHELL)), &[]), to_its_end)
}

fn whole(
    words: &Words,
    preset: Option<&'static str>,
    (program, arguments): (&OsStr, &[&OsStr]),
    then: impl FnOnce(Command, Ending<'_>) -> u8,
) -> u8 {
    let ending = match Ending::open(words) {
        Ok(ending) => ending.with(Lacking::new(words, preset)),
        Err(fault) => return Ending::silent().fail(&fault),
    };
    match made(words, preset, program) {
        Ok(mut command) => {
            command.args(arguments);
            if words.has("explain") {
                command.explain();
            }
            ending.observe(&mut command);
            then(command, ending)
        }
        Err(fault) => ending.fail(&fault),
    }
}

/// The program under the policy of the words, and whom it may ask.
fn made(words: &Words, preset: Option<&'static str>, program: &OsStr) -> Result<Command, Fault> {
    let cwd = request::current_folder()?;
    let (policy, files) = request::policy_from(words, preset, cwd.clone())?;
    let has_actions = !policy.actions.is_empty();
    let mut command = Command::new(program);
    command.policy(policy);
    petition::lend(&mut command, has_actions);
    asking::set_up(&mut command, words, &cwd, files)?;
    command.current_dir(cwd);
    Ok(command)
}
