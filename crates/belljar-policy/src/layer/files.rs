//! Setters of `[fs]`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{Layer, Scalar, Word, add, contradiction, once};
use crate::error::PolicyError;
use crate::model::{Access, Bytes, FsRule, FsSubject};
use crate::text::printable;
use crate::value::{name, path, spot};
use crate::words::{self, ACCESS};

/// `"PATH" = "read"` and `--read PATH`.
pub(crate) fn grant(layer: &mut Layer, word: Word<'_>, access: Access) -> Result<(), PolicyError> {
    let spot = spot::spot(word.raw()?, word.base)?;
    let Some(subject) = spot.subject else { return Ok(()) };
    if subject == FsSubject::Program && !matches!(access, Access::Read) {
        return Err(PolicyError::bad(words::word(ACCESS, &access), "an access of @program")
            .fix("@program is read: its file, interpreter and libraries"));
    }
    if access == Access::Hide && spot.dest.is_some() {
        let text = printable(word.raw()?);
        return Err(
            PolicyError::bad(&text, "a place to hide").fix("name the place in the jar alone, without SRC:")
        );
    }
    let optional = spot.optional;
    let rule = FsRule { subject, dest: spot.dest, access, optional, dangerous: false, origin: word.origin };
    insert(if access == Access::Hide { &mut layer.hidden } else { &mut layer.rules }, rule)
}

/// What letters grant. Other sets of letters would get more than they say.
const VEIL: &[(&[u8], Access)] =
    &[(b"r", Access::ReadNoexec), (b"rx", Access::Read), (b"rwxc", Access::Write)];

/// `fs.unveil` and `--unveil PATH:LETTERS`.
pub(crate) fn unveil(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let raw = word.raw()?.as_bytes();
    let at = raw.iter().rposition(|byte| *byte == b':');
    let (path, letters) =
        at.and_then(|at| Some((raw.get(..at)?, raw.get(at.checked_add(1)?..)?))).unwrap_or((raw, b""));
    let mut sorted = letters.to_vec();
    sorted.sort_by_key(|letter| b"rwxc".iter().position(|known| known == letter));
    let access = VEIL.iter().find(|(known, _)| *known == sorted.as_slice()).map(|(_, access)| *access);
    let access = access.ok_or_else(|| {
        PolicyError::bad(&printable(word.raw().unwrap_or_default()), "of the form PATH:LETTERS").fix(
            "the letters are r (read), rx (and run) or rwxc (and write, create, remove); what is written runs only with the promise exec",
        )
    })?;
    layer.veil.get_or_insert_with(|| word.origin.clone());
    grant(layer, Word { value: Scalar::Text(OsStr::from_bytes(path)), ..word }, access)
}

/// One rule per place: equal ones join, others contradict.
fn insert(rules: &mut Vec<FsRule>, new: FsRule) -> Result<(), PolicyError> {
    match rules.iter_mut().find(|old| same_spot(old, &new)) {
        Some(old) if old.access == new.access && old.subject == new.subject => old.optional &= new.optional,
        Some(old) => return Err(clash(old, &new)),
        None => rules.push(new),
    }
    Ok(())
}

fn clash(old: &FsRule, new: &FsRule) -> PolicyError {
    let side = |rule: &FsRule| format!("{} {}", words::word(ACCESS, &rule.access), rule.written());
    let about = new.inside().map_or_else(|| "@program".to_owned(), path::written);
    contradiction(&about, (&side(old), &old.origin), (&side(new), &new.origin))
}

/// Both rules are about the same place in the jar. Paths are folded, so bytes decide.
pub(crate) fn same_spot(a: &FsRule, b: &FsRule) -> bool {
    a.inside().map(std::path::Path::as_os_str) == b.inside().map(std::path::Path::as_os_str)
}

/// `fs.dangerously-grant`.
pub(crate) fn dangerous(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let path = path::plain(word.raw()?, word.base)?;
    add(&mut layer.permitted, word.setting(path));
    Ok(())
}

/// `fs.tmp`.
pub(crate) fn tmp(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let size = super::process::size_or_none(&word)?;
    if size == Some(Bytes(0)) {
        return Err(PolicyError::bad("0", "a size").fix("no /tmp at all is none"));
    }
    once(&mut layer.tmp, word.key, word.setting(size))
}

/// `fs.throw-away`.
pub(crate) fn throw_away(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let size = super::process::size_or_none(&word)?;
    if size == Some(Bytes(0)) {
        return Err(PolicyError::bad("0", "a size").fix("no room for such writes is none"));
    }
    once(&mut layer.throw_away, word.key, word.setting(size))
}

/// `fs.proc`.
pub(crate) fn proc(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let view = name::choice(word.text()?, "view of /proc", words::PROC_VIEWS)?;
    once(&mut layer.proc, word.key, word.setting(view))
}

/// `fs.dev`.
pub(crate) fn dev(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let view = name::choice(word.text()?, "view of /dev", words::DEV_VIEWS)?;
    once(&mut layer.dev, word.key, word.setting(view))
}

/// `fs.cwd`: a path inside the jar.
pub(crate) fn cwd(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let path = path::plain(word.raw()?, word.base)?;
    once(&mut layer.cwd, word.key, word.setting(path))
}

/// `fs.root`.
pub(crate) fn root(layer: &mut Layer, word: Word<'_>) -> Result<(), PolicyError> {
    let path = path::plain(word.raw()?, word.base)?;
    once(&mut layer.root, word.key, word.setting(path))
}
