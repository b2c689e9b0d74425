//! `belljar-request`: the same program under another name, inside a jar. Asks the supervisor for an action.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use belljar::Command;
use belljar::action::client::{RequestError, request};
use belljar::action::frame::Outcome;
use belljar::action::{ACTIONS, HELPER};

use crate::screen;

/// Exit status when nothing could be asked.
const UNASKED: u8 = 125;

/// The program was called by the helper's name.
pub(crate) fn is_meant(own_name: &OsString) -> bool {
    Path::new(own_name).file_name().is_some_and(|name| name == HELPER)
}

/// Gives this very program to a jar that may ask.
pub(crate) fn lend(command: &mut Command, asks: bool) {
    if asks {
        // A program that cannot tell where it lies names something that no jar gets: the start is refused.
        command.helper(std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into()));
    }
}

/// Asks, and says what came of it: 0 done, 1 refused, 125 not asked.
pub(crate) fn main(words: Vec<OsString>) -> u8 {
    let mut words = words.into_iter();
    let Some(name) = words.next().and_then(|name| name.into_string().ok()) else { return usage() };
    if matches!(name.as_str(), "-h" | "--help") {
        return usage();
    }
    match request(&name, words.map(OsString::into_vec).collect(), io::stdin().lock()) {
        Ok((Outcome::Done, _)) => 0,
        Ok((outcome, reason)) => {
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            say(&format!("{name}: {}{reason}", outcome.text()));
            1
        }
        Err(RequestError::Unknown(_)) => usage(),
        Err(error) => {
            say(&error.to_string());
            UNASKED
        }
    }
}

fn usage() -> u8 {
    let mut text = String::from("asks belljar for something outside this jar:\n");
    for action in ACTIONS {
        text.push_str(&format!("  {HELPER} {action}\n"));
    }
    screen::say(&text);
    UNASKED
}

fn say(text: &str) {
    screen::say(&format!("{HELPER}: {text}\n"));
}
