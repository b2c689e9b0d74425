//! `belljar policy check|show|schema`.

use super::{end, show as answer, show_json};
use crate::fault::Fault;
use crate::request;
use crate::words::Words;

/// `belljar policy` alone: the argument tree asks for one of its subcommands before this is reached.
pub(crate) fn list(_: &Words) -> u8 {
    crate::subcommand::BELLJAR_FAILED
}

pub(crate) fn check(words: &Words) -> u8 {
    let file = words.rest().next().unwrap_or_default().to_owned();
    end(request::file(file).map(|_| 0))
}

pub(crate) fn show(words: &Words) -> u8 {
    end(shown(words))
}

fn shown(words: &Words) -> Result<u8, Fault> {
    let policy = request::policy(words)?;
    if words.has("json") {
        return show_json(serde_json::to_string_pretty(&policy), 0);
    }
    Ok(answer(&belljar::policy::to_toml(&policy, words.has("origin")), 0))
}

pub(crate) fn schema(_: &Words) -> u8 {
    answer(&belljar::policy::schema(), 0)
}
