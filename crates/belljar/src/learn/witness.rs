//! What a run was refused: a judge that decides like the policy and remembers each refusal.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Need, Observation};
use crate::broker::{Judge, Request, Rule, Verdict, View, Wanted};

/// Most refusals that are remembered.
const MOST: usize = 10_000;

const ENOENT: i32 = 2;
/// What rules of answers say.
const ANSWER: &str = "answer";
const REFUSED: &str = "refused by the user";

/// What a call does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    /// It opens or changes the object itself.
    Itself,
    /// It makes, moves or removes the object's name: that changes the folder.
    Name,
    /// It makes a folder, and programs are content when there is one.
    Folder,
}

/// Calls that do not act on the object itself.
const ACTS: &[(&str, Act)] = &[
    ("mkdir", Act::Folder),
    ("mkdirat", Act::Folder),
    ("rmdir", Act::Name),
    ("unlink", Act::Name),
    ("unlinkat", Act::Name),
    ("rename", Act::Name),
    ("renameat", Act::Name),
    ("renameat2", Act::Name),
    ("link", Act::Name),
    ("linkat", Act::Name),
    ("symlink", Act::Name),
    ("symlinkat", Act::Name),
    ("mknod", Act::Name),
    ("mknodat", Act::Name),
];

impl Act {
    fn of(call: &str) -> Self {
        ACTS.iter().find(|(name, _)| *name == call).map_or(Self::Itself, |(_, act)| *act)
    }
}

/// Refusals, each once, and unix sockets that were wanted.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<HashSet<Note>>, Mutex<HashSet<Sought>>);

/// An object, what was wanted, and what was to be done to it.
type Note = (PathBuf, Need, Act);

/// A path at which a program looked for somebody who listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Sought {
    pub(super) path: PathBuf,
    /// It only asked whether something is there.
    pub(super) looked: bool,
}

impl Notes {
    /// Where a socket could be that a rule names.
    fn seek(&self, request: &Request<'_>) {
        let (Some(path), Wanted::Connect | Wanted::Look) = (request.path(), request.wanted) else { return };
        let mut kept = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            kept.insert(Sought { path: path.to_path_buf(), looked: request.wanted == Wanted::Look });
        }
    }

    /// Where sockets were looked for, by path, those that were connected to first.
    pub(super) fn sought(&self) -> Vec<Sought> {
        let kept = std::mem::take(&mut *self.1.lock().unwrap_or_else(PoisonError::into_inner));
        let mut kept: Vec<Sought> = kept.into_iter().collect();
        kept.sort();
        kept.dedup_by(|next, first| next.path == first.path);
        kept
    }

    fn add(&self, path: &Path, need: Need, act: Act) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            kept.insert((path.to_path_buf(), need, act));
        }
    }

    /// What the refusals say about the host, as the supervisor's user finds it.
    pub(super) fn observed(&self) -> Vec<Observation> {
        let kept = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        kept.into_iter().filter_map(observed).collect()
    }
}

/// Decides like the policy.
pub(super) struct Witness {
    policy: Arc<dyn Judge>,
    notes: Arc<Notes>,
    nothing: Rule,
    /// The policy's judge asks the user about what only the host has.
    asks: bool,
    /// Somebody has asked already.
    asked: AtomicBool,
}

impl Witness {
    pub(super) fn new(policy: Arc<dyn Judge>, notes: Arc<Notes>, asks: bool) -> Self {
        let nothing = Rule { text: "nothing is granted that no rule names".into(), origin: "default".into() };
        Self { policy, notes, nothing, asks, asked: AtomicBool::new(false) }
    }

    /// What a rule would have to grant, by what was decided.
    fn lacked(&self, request: &Request<'_>, verdict: &Verdict) -> Option<Need> {
        let by_answer = verdict.rule().origin.as_ref() == ANSWER;
        match (verdict.granted(), request.view) {
            // Whoever looks at it may read it then.
            (true, View::Host) => need(request.wanted).or(by_answer.then_some(Need::Read)),
            (true, View::Jar) => None,
            (false, _) if by_answer && verdict.rule().text.as_ref() == REFUSED => None,
            (false, _) => need(request.wanted),
        }
    }
}

impl Judge for Witness {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        let verdict = match request.view {
            // Learning by itself shows the jar nothing that it would not see otherwise.
            View::Host if !self.asks => Verdict::Refuse { errno: ENOENT, rule: self.nothing.clone() },
            _ => self.policy.judge(request),
        };
        // The self-probe comes before the program, and tries what must be refused.
        if !self.asked.swap(true, Ordering::AcqRel) && request.view == View::Host {
            return verdict;
        }
        if let (Some(path), Some(need)) = (request.path(), self.lacked(request, &verdict)) {
            self.notes.add(path, need, Act::of(request.call));
        }
        if !verdict.granted() {
            self.notes.seek(request);
        }
        verdict
    }

    fn reaches_host(&self) -> bool {
        true
    }

    fn lacks(&self, request: &Request<'_>) {
        if !self.asked.swap(true, Ordering::AcqRel) {
            return;
        }
        if let (Some(path), Some(need)) = (request.path(), need(request.wanted)) {
            self.notes.add(path, need, Act::of(request.call));
        }
        self.notes.seek(request);
    }

    fn opens_host(&self) -> bool {
        self.asks && self.policy.opens_host()
    }

    fn writes_host(&self, path: &Path) -> bool {
        self.asks && self.policy.writes_host(path)
    }

    fn patience(&self) -> Duration {
        self.policy.patience()
    }
}

/// Asking whether something is there needs no rule.
fn need(wanted: Wanted) -> Option<Need> {
    match wanted {
        Wanted::Look | Wanted::Connect => None,
        Wanted::Read => Some(Need::Read),
        Wanted::Execute => Some(Need::Execute),
        Wanted::Write | Wanted::Unnamed => Some(Need::Write),
    }
}

/// Reading what the host lacks too needs no rule; making it needs the folder that is there.
fn observed((path, need, act): Note) -> Option<Observation> {
    let kind = |path: &Path| std::fs::metadata(path).ok().map(|meta| meta.is_dir());
    let seen = match (kind(&path), need, act) {
        (Some(true), Need::Write, Act::Folder) => return None,
        (Some(folder), Need::Read | Need::Execute, _) | (Some(folder), _, Act::Itself) => {
            Observation::of(&path, folder, need)
        }
        (_, Need::Write, _) => {
            let folder = path.ancestors().skip(1).find(|folder| kind(folder) == Some(true))?;
            Observation::entry(folder, path.strip_prefix(folder).ok()?)
        }
        (None, _, _) => return None,
    };
    let real = std::fs::canonicalize(&seen.spot).ok()?;
    Some(if real == seen.spot { seen } else { seen.leading_to(real) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_does_decides_what_a_rule_has_to_name() {
        let home = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(home.path()).unwrap();
        let at = |name: &str| base.join(name);
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::write(at("folder/file"), "").unwrap();
        std::os::unix::fs::symlink(at("folder"), at("link")).unwrap();
        let seen = |name: &str, need, call| observed((at(name), need, Act::of(call)));
        let file = Observation::of(at("folder/file"), false, Need::Write);
        assert_eq!(seen("folder/file", Need::Write, "openat"), Some(file.clone()));
        assert_eq!(
            seen("folder/file", Need::Write, "unlink"),
            Some(Observation::entry(at("folder"), "file"))
        );
        assert_eq!(seen("folder", Need::Write, "rmdir"), Some(Observation::entry(&base, "folder")));
        assert_eq!(seen("folder", Need::Write, "mkdir"), None, "it is there");
        assert_eq!(seen("folder/new", Need::Write, "mkdir"), Some(Observation::entry(at("folder"), "new")));
        assert_eq!(seen("gone/a/b", Need::Write, "openat"), Some(Observation::entry(&base, "gone/a/b")));
        assert_eq!(seen("gone", Need::Read, "openat"), None, "the host lacks it too");
        let linked = Observation::of(at("link/file"), false, Need::Read).leading_to(at("folder/file"));
        assert_eq!(seen("link/file", Need::Read, "openat"), Some(linked));
    }
}
