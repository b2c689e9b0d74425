//! The policy of a run that is learned from: what may be written is written to memory, nothing else is granted more.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Bytes, FsRule, FsSubject, Origin, Policy, Setting, fs_decision};
use rustix::fs::{Access as May, access};

use super::{Ground, Need};
use crate::jar::of_system;

/// Memory for what is written, where the policy names none.
const ROOM: Bytes = Bytes(1 << 30);

/// What stands at a path of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordinary {
    /// A folder that the caller may write, that is no part of the system, and that is one file system.
    Own,
    /// Another folder.
    Folder,
    /// No folder, or nothing.
    Other,
}

/// Where file systems are mounted.
pub(super) struct Mounts(Vec<PathBuf>);

impl Mounts {
    pub(super) fn now() -> Self {
        Self::read(&std::fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    fn read(text: &[u8]) -> Self {
        Self(text.split(|byte| *byte == b'\n').filter_map(mount_point).collect())
    }

    pub(super) fn look(&self, path: &Path) -> Ordinary {
        // An overlay would hide what is mounted below it.
        let whole = || !self.0.iter().any(|at| at != path && at.starts_with(path));
        match std::fs::metadata(path) {
            Ok(meta) if !meta.is_dir() => Ordinary::Other,
            Ok(_) if !of_system(path) && access(path, May::WRITE_OK).is_ok() && whole() => Ordinary::Own,
            Ok(_) => Ordinary::Folder,
            Err(_) => Ordinary::Other,
        }
    }
}

/// Fifth field of a line; the kernel writes blanks in it as three octal digits.
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let mut rest = line.split(|byte| *byte == b' ').nth(4)?;
    let mut name = Vec::with_capacity(rest.len());
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = (byte == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(blank) => {
                name.push(blank);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                name.push(byte);
                rest = tail;
            }
        }
    }
    Some(PathBuf::from(OsString::from_vec(name)))
}

/// How many places a table of mounts names, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub(super) fn mounts(text: &[u8]) -> usize {
    Mounts::read(text).0.len()
}

/// The policy to learn under, and what a reader should know about it.
pub(super) fn confined(ground: Ground<'_>, look: &dyn Fn(&Path) -> Ordinary) -> (Policy, Vec<String>) {
    let mut policy = ground.policy.clone();
    let mut notes = Vec::new();
    for rule in &mut policy.fs.rules {
        let before = rule.access;
        rule.access = kept_aside(rule, look);
        if before == Access::Write && rule.access == Access::Read {
            let why = "it is no folder of yours, or other file systems are mounted below it";
            notes.push(format!("{} was not written while learning: {why}", rule.written()));
        }
    }
    match here(&policy, ground, look) {
        Ok(rule) => policy.fs.rules.extend(rule),
        Err(why) => notes.push(format!("the current folder was not written while learning: {why}")),
    }
    let none = || Setting::new(ROOM, Origin::Default);
    policy.fs.throw_away.get_or_insert_with(none);
    (policy, notes)
}

/// What a rule grants while learning. A word of the command line that says read means it; files cannot be laid over.
fn kept_aside(rule: &FsRule, look: &dyn Fn(&Path) -> Ordinary) -> Access {
    let place = rule.outside().map_or(Ordinary::Other, look);
    let spoken = matches!(rule.origin, Origin::Flag(_) | Origin::Api) || rule.dest.is_some();
    match (rule.access, place) {
        (Access::Write, Ordinary::Own) => Access::Cow,
        (Access::Write, _) => Access::Read,
        (Access::Read, Ordinary::Own) if !spoken => Access::Cow,
        (access, _) => access,
    }
}

/// A rule for the current folder, where none lays it over yet.
fn here(
    policy: &Policy,
    ground: Ground<'_>,
    look: &dyn Fn(&Path) -> Ordinary,
) -> Result<Option<FsRule>, String> {
    let here = ground.here;
    let decision = fs_decision(policy, here);
    match decision.access.filter(|_| decision.allowed) {
        Some(Access::Cow) => return Ok(None),
        // Belljar's own /tmp is memory already.
        Some(Access::Write) => return Ok(None),
        Some(Access::Read) => {}
        _ => return Err("the policy does not grant reading it".to_owned()),
    }
    match ground.never.refuses(&super::generalise::want(here, Need::Write)) {
        Some(why) => return Err(why.to_owned()),
        None if matches!(decision.origin, Origin::Flag(_) | Origin::Api) => {
            return Err(format!("{} says otherwise", decision.rule));
        }
        None if look(here) != Ordinary::Own => {
            return Err("it belongs to someone else, or other file systems are mounted below it".to_owned());
        }
        None => {}
    }
    let subject = FsSubject::Path(here.to_path_buf());
    let rule = FsRule {
        subject,
        dest: None,
        access: Access::Cow,
        optional: false,
        dangerous: false,
        origin: Origin::Default,
    };
    Ok(Some(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_the_names_of_mount_points_are_read() {
        let line = b"36 35 98:0 / /mnt/a\\040b\\134c rw,noatime master:1 - ext3 /dev/root rw";
        assert_eq!(mount_point(line), Some(PathBuf::from("/mnt/a b\\c")));
        assert_eq!(mount_point(b"36 35 98:0 /"), None);
        assert_eq!(mount_point(b"1 2 3 4 /odd\\9 x"), Some(PathBuf::from("/odd\\9")));
    }
}
