//! One file for each subcommand.

mod asks;
pub(crate) mod decode;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod learn;
mod links;
mod past;
pub(crate) mod plan;
pub(crate) mod policy;
mod promised;
pub(crate) mod run;
pub(crate) mod why;

use belljar::report::Verdict;

use crate::fault::Fault;
use crate::screen;
use crate::subcommand::BELLJAR_FAILED;

/// Exit status of a refusal: an answer, not a failure.
const REFUSED: u8 = 1;

/// Ends a command whose answer goes to standard output.
fn end(answer: Result<u8, Fault>) -> u8 {
    match answer {
        Ok(status) => status,
        Err(fault) => {
            screen::say(&fault.text());
            fault.verdict.exit_code()
        }
    }
}

/// Shows an answer; a closed pipe is a failure, so that half an answer is not taken for a whole one.
fn show(text: &str, status: u8) -> u8 {
    if screen::answer(text) { status } else { BELLJAR_FAILED }
}

/// Shows a value that was turned into JSON text.
fn show_json(text: serde_json::Result<String>, status: u8) -> Result<u8, Fault> {
    let text = text.map_err(|error| Fault::from_error(Verdict::Internal, &error, ""))?;
    Ok(if screen::answer_json(&(text + "\n")) { status } else { BELLJAR_FAILED })
}
