//! The judge that asks: what the policy's judge refuses may be granted by the user.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::{Access, Decision, Policy, fs_decision};

use super::asker::Settled;
use super::desk::Desk;
use super::prompt::{Prompt, Want};
use super::real::resolved;
use crate::broker::{Judge, Request, Rule, Verdict, View, Wanted};
use crate::event::{self, Event, Observer};

const ENOENT: i32 = 2;
const EACCES: i32 = 13;
/// Longer than a whole line of questions takes that nobody answers.
const LINE: Duration = Duration::from_secs(1200);

/// Asks where the policy refuses.
pub(crate) struct AskJudge {
    inner: Arc<dyn Judge>,
    desk: Arc<Desk>,
    policy: Policy,
    /// The same with rules at the places that their paths lead to.
    places: Policy,
    events: Arc<dyn Observer>,
    /// The jar has a root of its own: what it lacks there only the host has, and what it has there is as it is.
    own_root: bool,
}

impl AskJudge {
    pub(crate) fn new(
        inner: Arc<dyn Judge>,
        desk: Arc<Desk>,
        policy: Policy,
        events: Arc<dyn Observer>,
        own_root: bool,
    ) -> Self {
        let places = resolved(&policy);
        Self { inner, desk, policy, places, events, own_root }
    }

    /// The user's verdict on a path; none when it is no question.
    fn ask(&self, request: &Request<'_>, path: &Path) -> Option<Verdict> {
        let decision = fs_decision(&self.policy, path);
        let hides = |decision: &Decision| decision.access == Some(Access::Hide);
        if hides(&decision) || hides(&fs_decision(&self.places, path)) {
            return None;
        }
        let want = match self.wish(request.wanted, path) {
            Wish::Ask(want) => want,
            Wish::Known(granted) => return Some(self.folder(granted)),
            Wish::Nothing => return None,
        };
        let rule = format!("{} ({})", decision.rule, decision.origin);
        let settled = self.desk.known(&want).unwrap_or_else(|| {
            let program = request.program().unwrap_or_default().into_os_string();
            let (call, pid) = (request.call.to_owned(), Some(request.pid));
            self.desk.ask(Prompt { program, pid, call, want: want.clone(), rule })
        });
        Some(self.verdict(request, path, &want, settled))
    }

    /// What a call about a path is a question about.
    fn wish(&self, wanted: Wanted, path: &Path) -> Wish {
        let (read, write) = (Want::Read(path.to_owned()), Want::Write(path.to_owned()));
        if !self.own_root {
            return match wanted {
                Wanted::Read => Wish::Ask(read),
                Wanted::Write => Wish::Ask(write),
                _ => Wish::Nothing,
            };
        }
        let found = std::fs::symlink_metadata(path).ok();
        let (folder, program) = found.as_ref().map_or((false, false), |meta| {
            (meta.is_dir(), meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        });
        match wanted {
            Wanted::Unnamed if folder => Wish::Ask(Want::Unnamed(path.to_owned())),
            Wanted::Unnamed => Wish::Nothing,
            _ if folder => Wish::Known(wanted == Wanted::Look && self.desk.leads_to_granted(path)),
            Wanted::Write if found.is_none() => Wish::Ask(Want::Create(path.to_owned())),
            Wanted::Write => Wish::Ask(write),
            Wanted::Read => Wish::Ask(read),
            _ if found.is_none() => Wish::Nothing,
            Wanted::Look if self.desk.known(&read).is_some_and(Settled::granted) => Wish::Ask(read),
            _ if program => Wish::Ask(Want::Execute(path.to_owned())),
            _ => Wish::Ask(read),
        }
    }

    /// A folder is never granted by an answer: the host's descriptor of one leads to all that is around it.
    fn folder(&self, granted: bool) -> Verdict {
        let rule = |text: &str| Rule { text: text.into(), origin: "default".into() };
        match granted {
            true => Verdict::Grant(rule("a file below it was granted")),
            false => Verdict::Refuse { errno: self.absent(), rule: rule("only a rule grants a folder") },
        }
    }

    fn absent(&self) -> i32 {
        if self.own_root { ENOENT } else { EACCES }
    }

    fn verdict(&self, request: &Request<'_>, path: &Path, want: &Want, settled: Settled) -> Verdict {
        let origin = "answer".into();
        if matches!(want, Want::Execute(_)) && settled.granted() {
            let rule = Rule { text: "granted from the next run on".into(), origin };
            return Verdict::Refuse { errno: self.absent(), rule };
        }
        let rule = Rule { text: settled.why.to_string().into(), origin };
        if !settled.granted() {
            return Verdict::Refuse { errno: self.absent(), rule };
        }
        let access = if request.wanted.writes() { event::Access::Write } else { event::Access::Read };
        let event = Event::new(event::Verdict::Granted, request.call, path.as_os_str());
        self.events.event(event.access(access).by(request.pid).rule(&rule.text, &rule.origin));
        Verdict::Grant(rule)
    }

    /// In the host's tree the object is already there to be looked at. A folder would let in all that lies below it.
    fn is_askable(&self, request: &Request<'_>, path: &Path) -> bool {
        let plain = || std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
        request.view == View::Host || (!self.own_root && plain())
    }
}

/// What is to be asked.
enum Wish {
    Ask(Want),
    /// It is known without a question whether it is granted.
    Known(bool),
    Nothing,
}

impl Judge for AskJudge {
    fn judge(&self, request: &Request<'_>) -> Verdict {
        let verdict = match request.view {
            View::Host => Verdict::Refuse { errno: ENOENT, rule: nothing() },
            View::Jar => self.inner.judge(request),
        };
        let asked = |path: &Path| self.is_askable(request, path).then(|| self.ask(request, path)).flatten();
        match (verdict.granted(), request.path()) {
            (false, Some(path)) => asked(path).unwrap_or(verdict),
            _ => verdict,
        }
    }

    fn opens_host(&self) -> bool {
        self.own_root
    }

    /// Each question ends by itself when nobody answers, and few wait before it.
    fn patience(&self) -> Duration {
        LINE
    }

    fn writes_host(&self, path: &Path) -> bool {
        self.desk.known(&Want::Write(path.to_owned())).is_some_and(Settled::granted)
    }
}

fn nothing() -> Rule {
    Rule { text: "nothing is granted that no rule names".into(), origin: "default".into() }
}
