//! The policy of a run that is learned from: what may be written is written to memory, nothing else is granted more.

use std::path::Path;

use belljar_policy::{Access, Bytes, FsRule, FsSubject, Origin, Policy, Setting, fs_decision};
use rustix::fs::{Access as May, access};

use super::{Ground, Need};
use crate::jar::of_system;

/// Memory for what is written, where the policy names none.
const ROOM: Bytes = Bytes(1 << 30);

/// What stands at a path of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordinary {
    /// A folder that the caller may write and that is no part of the system.
    Own,
    /// Another folder.
    Folder,
    /// No folder, or nothing.
    Other,
}

impl Ordinary {
    pub(super) fn of(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(meta) if !meta.is_dir() => Self::Other,
            Ok(_) if !of_system(path) && access(path, May::WRITE_OK).is_ok() => Self::Own,
            Ok(_) => Self::Folder,
            Err(_) => Self::Other,
        }
    }
}

/// The policy to learn under, and what a reader should know about it.
pub(super) fn confined(ground: Ground<'_>, look: &dyn Fn(&Path) -> Ordinary) -> (Policy, Vec<String>) {
    let mut policy = ground.policy.clone();
    let mut notes = Vec::new();
    for rule in &mut policy.fs.rules {
        let before = rule.access;
        rule.access = kept_aside(rule, look);
        if before == Access::Write && rule.access == Access::Read {
            notes.push(format!("{} is a file: it was not written while learning", rule.written()));
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
        (Access::Write, Ordinary::Other) => Access::Read,
        (Access::Write, _) => Access::Cow,
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
        None if look(here) != Ordinary::Own => return Err("it belongs to someone else".to_owned()),
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
