//! `belljar policy check|show|schema`.

use super::end;
use crate::arguments::Words;
use crate::request;

/// `belljar policy` alone: the argument tree asks for one of its subcommands before this is reached.
pub(crate) fn list(_: &Words) -> u8 {
    crate::front::BELLJAR_FAILED
}

pub(crate) fn check(words: &Words) -> u8 {
    let file = words.rest().next().unwrap_or_default().to_owned();
    end(request::file(file).map(|_| 0))
}
