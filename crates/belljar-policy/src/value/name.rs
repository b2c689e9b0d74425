//! Names: environment variables, system calls, host names of the jar.

use crate::error::{Fault, PolicyError};
use crate::text::{nearest, steers};

/// Environment variable, with a final `*` allowed for a prefix.
pub(crate) fn env_pattern(text: &str) -> Result<String, PolicyError> {
    env_name(text.strip_suffix('*').unwrap_or(text))
        .filter(|name| !name.is_empty())
        .map(|_| text.to_owned())
        .ok_or_else(|| PolicyError::bad(text, "a variable name such as LANG, or a prefix such as LC_*"))
}

/// Environment variable that is set.
pub(crate) fn env_exact(text: &str) -> Result<String, PolicyError> {
    let name = env_name(text).filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| PolicyError::bad(text, "a variable name such as LANG"))
}

fn env_name(text: &str) -> Option<&str> {
    let bad = |c: char| c == '=' || c == '*' || steers(c) || c.is_whitespace();
    (!text.contains(bad)).then_some(text)
}

/// Value of a variable: anything but NUL, which the kernel could not carry.
pub(crate) fn env_value(text: &str) -> Result<String, PolicyError> {
    if text.contains('\0') {
        return Err(PolicyError::bad(text, "a value without a NUL byte"));
    }
    Ok(text.to_owned())
}

/// System call or `@group`, by shape only: the filter compiler knows the names.
pub(crate) fn syscall(text: &str) -> Result<String, PolicyError> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let shape = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if name.is_empty() || name.len() > 64 || !name.bytes().all(shape) {
        return Err(PolicyError::bad(text, "a system call or @group"));
    }
    Ok(text.to_owned())
}

/// Argument condition: one printable line; the filter compiler reads it.
pub(crate) fn condition(text: &str) -> Result<String, PolicyError> {
    let text = text.trim();
    if text.is_empty() || text.len() > 1024 || text.contains(steers) {
        return Err(PolicyError::bad(text, "a condition such as arg1 == TCGETS"));
    }
    Ok(text.to_owned())
}

/// Host name inside the jar.
pub(crate) fn hostname(text: &str) -> Result<String, PolicyError> {
    let shape = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if text.is_empty() || text.len() > 64 || !text.bytes().all(shape) {
        return Err(PolicyError::bad(text, "a host name of 1 to 64 letters, digits, dots and hyphens"));
    }
    Ok(text.to_owned())
}

/// Name of an account or group.
pub(crate) fn account(text: &str) -> Result<String, PolicyError> {
    let shape = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 32 || text.starts_with('-') || !text.bytes().all(shape) {
        return Err(PolicyError::bad(text, "a name of an account"));
    }
    Ok(text.to_owned())
}

/// The row of a small table that `text` names.
pub(crate) fn choice<T: Copy>(
    text: &str,
    what: &'static str,
    table: &[(&'static str, T)],
) -> Result<T, PolicyError> {
    let found = table.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| unknown(text, what, table.iter().map(|(word, _)| *word)))
}

/// The error for a word outside a small set: names all of it.
pub(crate) fn unknown<'a>(
    text: &str,
    what: &'static str,
    words: impl Iterator<Item = &'a str> + Clone,
) -> PolicyError {
    let list: Vec<&str> = words.clone().collect();
    PolicyError::new(Fault::UnknownWord { word: text.to_owned(), what })
        .meant(nearest(text, words))
        .fix(format!("one of: {}", list.join(", ")))
}
