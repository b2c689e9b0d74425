//! Setters of `[limits]`, `[require]` and the keys about the program itself.

use std::time::Duration;

use super::{Amount, Layer, Scalar, Word, add, contradiction, once, wrong};
use crate::error::PolicyError;
use crate::model::{Bytes, Demand, FdMode, PassFd, Requirement, Subject};
use crate::value::{Kind, amount, name};
use crate::words::{FD_MODES, LAYERS, SUBJECTS};

/// Whether the word is the text `none`, which lifts a limit of an earlier layer.
fn is_none(word: &Word<'_>) -> bool {
    matches!(word.value, Scalar::Text(text) if text == "none")
}

/// A size, or `none`.
pub(super) fn size_or_none(word: &Word<'_>) -> Result<Option<Bytes>, PolicyError> {
    match word.value {
        _ if is_none(word) => Ok(None),
        Scalar::Int(number) => amount::size(&number.to_string()).map(Some),
        _ => amount::size(word.text()?).map(Some),
    }
}

/// A limit in bytes. Less than `least` is refused: zero could only mean "off", and in little memory no program starts.
pub(crate) fn limit_size(slot: &mut Amount<Bytes>, word: Word<'_>, least: u64) -> Result<(), PolicyError> {
    let size = size_or_none(&word)?;
    match size {
        Some(Bytes(0)) if least > 0 => {
            return Err(PolicyError::bad("0", "a limit").fix("no limit is none"));
        }
        Some(Bytes(few)) if few < least => {
            let what = "a size that a program starts in";
            return Err(PolicyError::bad(&few.to_string(), what).fix("numbers alone are bytes: write M or G"));
        }
        _ => {}
    }
    once(slot, word.key, word.setting(size))
}

/// A limit in time.
pub(crate) fn limit_time(slot: &mut Amount<Duration>, word: Word<'_>) -> Result<(), PolicyError> {
    let time = match word.value {
        _ if is_none(&word) => None,
        Scalar::Int(number) => Some(amount::duration(&number.to_string())?),
        _ => Some(amount::duration(word.text()?)?),
    };
    if time == Some(Duration::ZERO) {
        return Err(PolicyError::bad("0", "a limit").fix("no limit is none"));
    }
    once(slot, word.key, word.setting(time))
}

/// A limit in pieces.
pub(crate) fn limit_count(slot: &mut Amount<u32>, word: Word<'_>) -> Result<(), PolicyError> {
    let Kind::Count(most) = word.kind else { return Err(wrong("a number", "another kind")) };
    let count = match word.value {
        _ if is_none(&word) => None,
        Scalar::Int(number) => Some(count(number, most)?),
        _ => return Err(PolicyError::bad(word.text()?, "a number or none")),
    };
    once(slot, word.key, word.setting(count))
}

fn count(number: i64, most: u32) -> Result<u32, PolicyError> {
    let found = u32::try_from(number).ok().filter(|number| (1..=most).contains(number));
    found.ok_or_else(|| {
        PolicyError::bad(&number.to_string(), "a number in range").fix(format!("1 to {most}, or none"))
    })
}

/// `[require]` and `--require SUBJECT=N|LAYER`.
pub(crate) fn demand(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let (subject, demand) = match (word.name, word.value) {
        (Some(subject), Scalar::Int(number)) => (subject, layers(number)?),
        (Some(subject), _) => (subject, layer_name(word.text()?)?),
        (None, _) => flag_demand(word.text()?)?,
    };
    let subject = name::choice(subject, "subject", SUBJECTS)?;
    let known = layer.require.iter().any(|old| old.subject == subject && old.demand == demand);
    if !known {
        layer.require.push(Requirement { subject, demand, origin: word.origin });
    }
    Ok(())
}

fn flag_demand(text: &str) -> Result<(&str, Demand), PolicyError> {
    let (subject, value) = text
        .split_once('=')
        .ok_or_else(|| PolicyError::bad(text, "of the form SUBJECT=N or SUBJECT=LAYER"))?;
    let demand = value.parse().map_or_else(|_| layer_name(value), layers);
    Ok((subject, demand?))
}

fn layers(number: i64) -> Result<Demand, PolicyError> {
    let found = u8::try_from(number).ok().filter(|number| (1..=4).contains(number));
    found
        .map(Demand::Layers)
        .ok_or_else(|| PolicyError::bad(&number.to_string(), "a number of layers, 1 to 4"))
}

fn layer_name(text: &str) -> Result<Demand, PolicyError> {
    name::choice(text, "layer", LAYERS)?;
    Ok(Demand::Layer(text.to_owned()))
}

/// `allow-weaker`.
pub(crate) fn weaker(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let subject: Subject = name::choice(word.text()?, "subject", SUBJECTS)?;
    add(&mut layer.weaker, word.setting(subject));
    Ok(())
}

/// `pass-fds` and `--pass-fd N[:read|write]`.
pub(crate) fn descriptor(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let written = match word.value {
        Scalar::Int(number) => number.to_string(),
        _ => word.text()?.to_owned(),
    };
    let (number, mode) = match written.split_once(':') {
        Some((number, mode)) => (number, name::choice(mode, "descriptor mode", FD_MODES)?),
        None => (written.as_str(), FdMode::Any),
    };
    let fd = number.parse().ok().filter(|fd| *fd > 2 && number.bytes().all(|byte| byte.is_ascii_digit()));
    let fd =
        fd.ok_or_else(|| PolicyError::bad(&written, "a descriptor from 3 to 65535; 0 to 2 always pass"))?;
    let new = PassFd { fd, mode, origin: word.origin };
    match layer.pass_fds.iter().find(|old| old.fd == fd) {
        Some(old) if old.mode != mode => Err(contradiction(
            &format!("descriptor {fd}"),
            ("one mode", &old.origin),
            ("another", &new.origin),
        )),
        Some(_) => Ok(()),
        None => {
            layer.pass_fds.push(new);
            Ok(())
        }
    }
}

/// A key that is on or off.
pub(super) fn switch(word: &Word<'_>) -> Result<bool, PolicyError> {
    let Scalar::Bool(on) = word.value else { return Err(wrong("true or false", "another type")) };
    Ok(on)
}

/// `debug`.
pub(crate) fn debug(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let on = switch(&word)?;
    once(&mut layer.debug, word.key, word.setting(on))
}

/// `promise`: words of lower-case letters, which the planner knows.
pub(crate) fn promise(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let shape = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte == b' ';
    if text.len() > 512 || !text.bytes().all(shape) {
        return Err(PolicyError::bad(text, "words such as \"stdio rpath\""));
    }
    let mut words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    once(&mut layer.promises, word.key, word.setting(words.join(" ")))
}

/// `trace`.
pub(crate) fn trace(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let on = switch(&word)?;
    once(&mut layer.trace, word.key, word.setting(on))
}

/// `umask`, in octal digits.
pub(crate) fn umask(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let mask = u32::from_str_radix(text, 8).ok().filter(|mask| digits && *mask <= 0o777);
    let mask = mask.ok_or_else(|| PolicyError::bad(text, "an octal mask such as 022"))?;
    once(&mut layer.umask, word.key, word.setting(mask))
}

/// `hostname`.
pub(crate) fn hostname(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let name = name::hostname(word.text()?)?;
    once(&mut layer.hostname, word.key, word.setting(name))
}
