//! The judge that asks: what the policy's judge refuses may be granted by the user.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::{Access, Policy, fs_decision};

use super::asker::Settled;
use super::desk::Desk;
use super::prompt::{Prompt, Want};
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
        Self { inner, desk, policy, events, own_root }
    }

    /// The user's verdict on a path; none when it is no question.
    fn ask(&self, request: &Request<'_>, path: &Path) -> Option<Verdict> {
        let want = want(request.wanted, path)?;
        let decision = fs_decision(&self.policy, path);
        if decision.access == Some(Access::Hide) {
            return None;
        }
        let rule = format!("{} ({})", decision.rule, decision.origin);
        let settled = self.desk.known(&want).unwrap_or_else(|| {
            let program = request.program().unwrap_or_default().into_os_string();
            let (call, pid) = (request.call.to_owned(), Some(request.pid));
            self.desk.ask(Prompt { program, pid, call, want: want.clone(), rule })
        });
        Some(self.verdict(request, path, settled))
    }

    fn verdict(&self, request: &Request<'_>, path: &Path, settled: Settled) -> Verdict {
        let rule = Rule { text: settled.why.to_string().into(), origin: "answer".into() };
        if !settled.granted() {
            let errno = if self.own_root { ENOENT } else { EACCES };
            return Verdict::Refuse { errno, rule };
        }
        let access = if request.wanted == Wanted::Write { event::Access::Write } else { event::Access::Read };
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

/// Looking is no question, and executing cannot be granted: the kernel would run what lies at the path then.
fn want(wanted: Wanted, path: &Path) -> Option<Want> {
    match wanted {
        Wanted::Read => Some(Want::Read(path.to_owned())),
        Wanted::Write => Some(Want::Write(path.to_owned())),
        _ => None,
    }
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
}

fn nothing() -> Rule {
    Rule { text: "nothing is granted that no rule names".into(), origin: "default".into() }
}
