//! Reads the plain form of a command after `--`, without clap: building its tree costs more than all other work of the
//! supervisor in user mode. Whatever is not plain (help, mistakes, letters in one word) is left to clap, and a test shows
//! that both read the same.

use std::ffi::{OsStr, OsString};

use belljar::policy::{Key, Kind};

use crate::request;
use crate::subcommand::{Operand, Sub};
use crate::words::Words;

/// The words, or none when clap has to look.
pub(crate) fn read(sub: &'static Sub, typed: &[OsString]) -> Option<Words> {
    let dashes = typed.iter().position(|word| word == "--")?;
    let (options, command) = typed.split_at_checked(dashes)?;
    let command = command.get(1..).filter(|command| !command.is_empty())?;
    let mut words = Words::default();
    let mut options = options.iter();
    while let Some(word) = options.next() {
        option(sub, word.to_str()?, &mut options, &mut words)?;
    }
    words.set_rest(command.to_vec());
    (sub.operand == Operand::Command).then_some(words)
}

fn option<'a>(
    sub: &'static Sub,
    word: &str,
    after: &mut impl Iterator<Item = &'a OsString>,
    words: &mut Words,
) -> Option<()> {
    let (name, attached) = match word.split_once('=') {
        Some((name, value)) if name.starts_with("--") => (name, Some(OsStr::new(value))),
        _ => (word, None),
    };
    let (key, flag) = find(sub, name)?;
    if key.kind == Kind::Switch {
        words.give(key.name, flag, None);
        return attached.is_none().then_some(());
    }
    let value = attached.or_else(|| after.next().map(OsString::as_os_str)).filter(|value| is_plain(value))?;
    (!is_taken(key, words)).then(|| words.give(key.name, flag, Some(value)))
}

/// The row of a flag, and the flag.
fn find(sub: &'static Sub, name: &str) -> Option<(&'static Key, &'static str)> {
    request::rows(sub).find_map(|key| Some((key, *key.flags.iter().find(|flag| **flag == name)?)))
}

/// Not empty, and not to be mistaken for an option.
fn is_plain(value: &OsStr) -> bool {
    !value.is_empty() && !value.as_encoded_bytes().starts_with(b"-")
}

/// Only policy keys may be given again: the policy says what is wrong with it.
fn is_taken(key: &Key, words: &Words) -> bool {
    request::is_option(key) && words.has(key.name)
}
