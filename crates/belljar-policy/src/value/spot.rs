//! The path of a rule: `?` optional, `SRC:DEST`, `@program`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, PathBuf};

use serde::{Deserialize, Serialize};

use super::path::{Base, check_control, expand, fold, form, same, split};
use crate::error::{Fault, PolicyError};
use crate::text::printable;

/// What a path rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FsSubject {
    /// An absolute host path, `~` and relative forms already expanded, `.` and `..` folded, symlinks not resolved.
    Path(#[serde(with = "form")] PathBuf),
    /// The program's own file, its interpreter and its libraries (`"@program"`).
    Program,
}

/// A rule's path, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// None: an optional path below a home folder that does not exist.
    pub(crate) subject: Option<FsSubject>,
    pub(crate) dest: Option<PathBuf>,
    pub(crate) optional: bool,
}

/// Reads the path of a rule.
pub(crate) fn spot(raw: &OsStr, base: Base<'_>) -> Result<Spot, PolicyError> {
    let bytes = raw.as_bytes();
    let (optional, bytes) = match bytes.strip_prefix(b"?") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    if bytes.starts_with(b"@") {
        return program(bytes, optional);
    }
    if is_plain(bytes) {
        let path = PathBuf::from(OsStr::from_bytes(bytes));
        return Ok(Spot { subject: Some(FsSubject::Path(path)), dest: None, optional });
    }
    check_control(raw)?;
    let (source, dest) = split(bytes, raw)?;
    let subject = match expand(source, base) {
        Err(error) if optional && matches!(error.fault(), Fault::NoHome(_)) => None,
        other => Some(FsSubject::Path(other?)),
    };
    let dest = dest.map(|dest| inside(dest, raw)).transpose()?;
    // SRC:SRC says no more than SRC.
    let dest = dest.filter(|dest| !matches!(&subject, Some(FsSubject::Path(path)) if same(path, dest)));
    Ok(Spot { subject, dest, optional })
}

/// An absolute, folded path of printable ASCII without escapes or colons: nearly every rule, taken as it is.
fn is_plain(bytes: &[u8]) -> bool {
    let mut last = b'/';
    for &byte in bytes.iter().skip(1) {
        let special = matches!(byte, b':' | b'\\') || !(b' '..=b'~').contains(&byte);
        if special || last == b'/' && matches!(byte, b'/' | b'.') {
            return false;
        }
        last = byte;
    }
    bytes.first() == Some(&b'/') && last != b'/'
}

fn program(bytes: &[u8], optional: bool) -> Result<Spot, PolicyError> {
    if bytes == b"@program" {
        return Ok(Spot { subject: Some(FsSubject::Program), dest: None, optional });
    }
    let word = String::from_utf8_lossy(bytes).into_owned();
    Err(PolicyError::new(Fault::UnknownWord { word, what: "special path" })
        .meant(Some("@program"))
        .fix("a file whose name starts with @ is written ./@name"))
}

fn inside(dest: Vec<u8>, raw: &OsStr) -> Result<PathBuf, PolicyError> {
    let path = PathBuf::from(OsString::from_vec(dest));
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return Err(PolicyError::bad(
            &printable(raw),
            "a rule whose place in the jar is absolute, without ..",
        ));
    }
    Ok(fold(&path))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn base() -> Base<'static> {
        Base { folder: Path::new("/work"), home: Some(Path::new("/home/u")) }
    }

    fn at(path: &str) -> Spot {
        Spot { subject: Some(FsSubject::Path(PathBuf::from(path))), dest: None, optional: false }
    }

    #[test]
    fn optional_and_remapped() {
        let got = spot(OsStr::new("?~/a:/b/c"), base()).unwrap();
        assert_eq!(got, Spot { dest: Some("/b/c".into()), optional: true, ..at("/home/u/a") });
        let homeless = Base { home: None, ..base() };
        assert_eq!(spot(OsStr::new("?~/a"), homeless).unwrap().subject, None);
        assert!(matches!(spot(OsStr::new("~/a"), homeless).unwrap_err().fault(), Fault::NoHome(_)));
    }

    #[test]
    fn refused() {
        for bad in [
            "",
            "?",
            ":",
            "/a:",
            ":/a",
            "/a:b",
            "/a:/b/../c",
            "~root",
            "@prog",
            "/a\u{1b}[m",
            "/a\\x00",
            "/a\u{202e}",
        ] {
            assert!(spot(OsStr::new(bad), base()).is_err(), "{bad:?}");
        }
    }
}
