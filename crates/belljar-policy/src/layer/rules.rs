//! Setters of `[env]` and `[syscalls]`.

use super::{Layer, Word, add, contradiction, once};
use crate::error::PolicyError;
use crate::value::name;
use crate::words::OTHERWISE;

/// `env.pass` and `--env NAME|PREFIX*|NAME=VALUE`.
pub(crate) fn env_pass(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    if let Some((key, value)) = text.split_once('=').filter(|_| word.from_flag) {
        return set_variable(layer, key, value, word);
    }
    let pattern = name::env_pattern(text)?;
    if let Some(old) = layer.set.get(&pattern) {
        return Err(contradiction(&pattern, ("a fixed value", &old.origin), ("pass", &word.origin)));
    }
    add(&mut layer.pass, word.setting(pattern));
    Ok(())
}

/// `env.set`.
pub(crate) fn env_set(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let (key, value) = (word.name.unwrap_or(""), word.text()?);
    set_variable(layer, key, value, word)
}

fn set_variable(layer: &mut Layer, key: &str, value: &str, word: Word<'_>) -> Result<(), PolicyError> {
    let (key, value) = (name::env_exact(key)?, name::env_value(value)?);
    if let Some(old) = layer.pass.iter().find(|old| old.value == key) {
        return Err(contradiction(&key, ("pass", &old.origin), ("a fixed value", &word.origin)));
    }
    let mut slot = layer.set.remove(&key);
    once(&mut slot, &key, word.setting(value))?;
    layer.set.extend(slot.map(|setting| (key, setting)));
    Ok(())
}

/// `syscalls.allow`.
pub(crate) fn syscall_allow(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let call = name::syscall(word.text()?)?;
    add(&mut layer.calls, word.setting(call));
    Ok(())
}

/// `syscalls.deny`.
pub(crate) fn syscall_deny(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let call = name::syscall(word.text()?)?;
    add(&mut layer.no_calls, word.setting(call));
    Ok(())
}

/// `syscalls.when` and `--when 'CALL: CONDITION'`.
pub(crate) fn syscall_when(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let text = word.text()?;
    let pair = word.name.map(|call| (call, text)).or_else(|| text.split_once(':'));
    let (call, condition) =
        pair.ok_or_else(|| PolicyError::bad(text, "of the form `ioctl: arg1 == TCGETS`"))?;
    let call = name::syscall(call.trim())?;
    let mut slot = layer.when.remove(&call);
    once(&mut slot, &call, word.setting(name::condition(condition)?))?;
    layer.when.extend(slot.map(|setting| (call, setting)));
    Ok(())
}

/// `syscalls.otherwise`.
pub(crate) fn syscall_otherwise(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let answer = name::choice(word.text()?, "answer", OTHERWISE)?;
    once(&mut layer.otherwise, word.key, word.setting(answer))
}
