//! The setter of `[actions]`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::{Layer, Word, contradiction};
use crate::error::PolicyError;
use crate::model::ActionRule;
use crate::value::{Written as _, name, path};
use crate::words::ACTIONS;

/// `[actions]` and `--action NAME=PATH`.
pub(crate) fn action(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let (name, with) = match word.name {
        Some(name) => (name.to_owned(), word.raw()?),
        None => flag_action(word.raw()?)?,
    };
    let action = name::choice(&name, "action", ACTIONS)?;
    let with = path::plain(with, word.base)?;
    let new = ActionRule { action, with, origin: word.origin };
    match layer.actions.iter().find(|old| old.action == action) {
        Some(old) if old.with != new.with => {
            let (first, second) = (old.with.written(), new.with.written());
            Err(contradiction(&format!("actions.{name}"), (&first, &old.origin), (&second, &new.origin)))
        }
        Some(_) => Ok(()),
        None => {
            layer.actions.push(new);
            Ok(())
        }
    }
}

fn flag_action(text: &OsStr) -> Result<(String, &OsStr), PolicyError> {
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=');
    let halves = at.and_then(|at| Some((bytes.get(..at)?, bytes.get(at.saturating_add(1)..)?)));
    let (name, with) = halves.ok_or_else(|| {
        PolicyError::bad(&crate::printable(text), "of the form NAME=PATH")
            .fix("for example: --action open-url=/usr/bin/xdg-open")
    })?;
    Ok((String::from_utf8_lossy(name).into_owned(), OsStr::from_bytes(with)))
}
