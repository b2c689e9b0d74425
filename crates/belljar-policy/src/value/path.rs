//! Paths as text: `~` home, relative forms, escapes.
//!
//! A backslash stands before a `:` or a backslash that belongs to the name, and `\xNN` is any byte; every other backslash is
//! itself. So each byte string that can be a path can be written, while raw control characters are refused.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use crate::error::{Fault, PolicyError};
use crate::text::{printable, push_byte, steers};

/// What relative paths and `~` are measured from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) home: Option<&'a Path>,
}

impl Base<'_> {
    /// For paths that are absolute.
    pub(crate) fn none() -> Self {
        Self { folder: Path::new("/"), home: None }
    }
}

/// One path without `?` and `SRC:DEST`: a folder or file on the host.
pub(crate) fn plain(raw: &OsStr, base: Base<'_>) -> Result<PathBuf, PolicyError> {
    check_control(raw)?;
    match split(raw.as_bytes(), raw)? {
        (source, None) => expand(source, base),
        _ => Err(PolicyError::bad(&printable(raw), "a single path").fix("a colon in a name is written \\:")),
    }
}

pub(super) fn check_control(raw: &OsStr) -> Result<(), PolicyError> {
    let bad = |chunk: std::str::Utf8Chunk<'_>| chunk.valid().chars().any(steers);
    if !raw.as_bytes().utf8_chunks().any(bad) {
        return Ok(());
    }
    Err(PolicyError::new(Fault::Control(printable(raw)))
        .fix("write the byte as \\xNN if the name really has it (\\x0a is a new line)"))
}

pub(super) type Halves = (Vec<u8>, Option<Vec<u8>>);

/// Splits at the first plain colon and removes the escapes.
pub(super) fn split(bytes: &[u8], raw: &OsStr) -> Result<Halves, PolicyError> {
    let (mut source, mut dest): Halves = (Vec::with_capacity(bytes.len()), None);
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b':' && dest.is_none() {
            dest = Some(Vec::new());
            continue;
        }
        let (byte, tail) = if byte == b'\\' { escape(tail) } else { (byte, tail) };
        rest = tail;
        dest.as_mut().unwrap_or(&mut source).push(byte);
    }
    let empty = source.is_empty() || dest.as_ref().is_some_and(Vec::is_empty);
    if empty || source.contains(&0) || dest.as_ref().is_some_and(|dest| dest.contains(&0)) {
        return Err(PolicyError::bad(&printable(raw), "a path"));
    }
    Ok((source, dest))
}

/// The byte after a backslash, and what follows it.
fn escape(tail: &[u8]) -> (u8, &[u8]) {
    match tail {
        [b':', rest @ ..] => (b':', rest),
        [b'\\', rest @ ..] => (b'\\', rest),
        [b'x', high, low, rest @ ..] => hex(*high, *low).map_or((b'\\', tail), |byte| (byte, rest)),
        _ => (b'\\', tail),
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? << 4) | digit(low)?)
}

pub(super) fn expand(source: Vec<u8>, base: Base<'_>) -> Result<PathBuf, PolicyError> {
    let path = PathBuf::from(OsString::from_vec(source));
    if !path.as_os_str().as_bytes().starts_with(b"~") {
        return Ok(fold(&base.folder.join(path)));
    }
    let mut parts = path.components();
    let first = parts.next().map(Component::as_os_str);
    if first != Some(OsStr::new("~")) {
        return Err(PolicyError::bad(&printable(path.as_os_str()), "a path").fix(
            "only ~ itself is known; another user's home is written in full, a name with ~ as ./~name",
        ));
    }
    let home = base.home.ok_or_else(|| {
        PolicyError::new(Fault::NoHome(printable(path.as_os_str()))).fix("write the whole path")
    })?;
    Ok(fold(&home.join(parts.as_path())))
}

/// `.` and `..` and doubled slashes removed by text alone; `..` stops at `/`.
///
/// ```
/// assert_eq!(belljar_policy::fold("/a/./b//../c".as_ref()), std::path::Path::new("/a/c"));
/// ```
#[must_use]
pub fn fold(path: &Path) -> PathBuf {
    let mut out = PathBuf::with_capacity(path.as_os_str().len());
    out.push("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// Two folded paths are the same. Bytes decide; comparing component by component is many times slower.
pub(crate) fn same(a: &Path, b: &Path) -> bool {
    a.as_os_str() == b.as_os_str()
}

/// `path` is `folder` or below it, both folded.
pub(crate) fn below(path: &Path, folder: &Path) -> bool {
    let (path, folder) = (path.as_os_str().as_bytes(), folder.as_os_str().as_bytes());
    folder == b"/" || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// A path as a policy writes it, in the form that [`plain`] reads back.
pub(crate) fn written(path: &Path) -> String {
    let mut out = String::with_capacity(path.as_os_str().len());
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            write_char(&mut out, c);
        }
        for byte in chunk.invalid() {
            push_byte(&mut out, *byte);
        }
    }
    out
}

fn write_char(out: &mut String, c: char) {
    if matches!(c, ':' | '\\') {
        out.push('\\');
    }
    if !steers(c) {
        return out.push(c);
    }
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        push_byte(out, byte);
    }
}

/// Serde form of a path: [`written`] text, so that every path of the host can be stored.
pub(crate) mod form {
    use super::{Base, Path, PathBuf, plain, written};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use std::ffi::OsStr;

    pub(crate) fn serialize<S: Serializer>(path: &Path, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&written(path))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(from)?;
        plain(OsStr::new(&text), Base::none()).map_err(D::Error::custom)
    }
}

/// [`form`] for an optional path.
pub(crate) mod option_form {
    use super::{PathBuf, form, written};
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    #[derive(Deserialize)]
    struct Wrapped(#[serde(with = "form")] PathBuf);

    pub(crate) fn serialize<S: Serializer>(path: &Option<PathBuf>, out: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(written).serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(from)?.map(|wrapped| wrapped.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Base<'static> {
        Base { folder: Path::new("/work"), home: Some(Path::new("/home/u")) }
    }

    #[test]
    fn relative_home_and_dots() {
        for (text, path) in [
            (".", "/work"),
            ("src", "/work/src"),
            ("../x//y/.", "/x/y"),
            ("/../..", "/"),
            ("~", "/home/u"),
            ("~/.cargo", "/home/u/.cargo"),
            ("./~x", "/work/~x"),
            ("/a\\:b", "/a:b"),
            ("/a\\\\b", "/a\\b"),
            ("/a\\n", "/a\\n"),
            ("/a\\x0a", "/a\n"),
        ] {
            assert_eq!(plain(OsStr::new(text), base()).unwrap(), Path::new(path), "{text}");
        }
    }

    #[test]
    fn every_name_survives_writing() {
        for bytes in [&b"/a\xff\xfe:b\\c\n\x1b"[..], b"/\\x41", "/\u{202e}".as_bytes()] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let text = written(path);
            assert!(!text.chars().any(steers), "{text:?}");
            assert_eq!(plain(OsStr::new(&text), base()).unwrap(), path);
        }
    }
}
