//! A run that is learned from: the policy it runs under, and what it taught.

use std::path::Path;
use std::sync::Arc;

use belljar_policy::{NetMode, Origin, Policy, Setting};

use super::confined::{Mounts, confined};
use super::witness::{Notes, Witness};
use super::{Ground, PolicyDifference, changes, generalise, peers};
use crate::ask::Never;
use crate::command::Command;
use crate::jar::SSH_AGENT;
use crate::report::Report;

/// What a run taught.
#[derive(Debug)]
#[non_exhaustive]
pub struct Lesson {
    /// How the run ended.
    pub report: Report,
    /// What has to be added to its policy.
    pub difference: PolicyDifference,
    /// What kept the lesson from being whole, one sentence each.
    pub notes: Vec<String>,
}

impl Command {
    /// Runs the program as [`Command::run`] does, with two differences. What it writes to folders that it may write, to the
    /// current folder and to others of the user's that it may read goes to memory and is dropped. And what it lacked comes
    /// back as rules; it stays refused.
    ///
    /// ```no_run
    /// use belljar::{Command, policy::Policy};
    ///
    /// let lesson = Command::new("make").policy(Policy::preset("@strict")?).learn();
    /// for rule in &lesson.difference.rules {
    ///     println!("{} {:?}: {}", rule.path.display(), rule.access, rule.reason);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn learn(&mut self) -> Lesson {
        let here = self.cwd.clone().or_else(|| std::env::current_dir().ok()).unwrap_or_default();
        let (own, home) = (self.policy.clone(), self.home.clone());
        let never = Never::new(home.as_deref(), []);
        let ground = Ground { policy: &own, never: &never, here: &here, home: home.as_deref() };
        let mounts = Mounts::now();
        let (mut policy, mut notes) = confined(ground, &|path: &Path| mounts.look(path));
        // Who wants the agent is seen where it tries to reach it, for which it has to know where that would be.
        if policy.net.mode.value != NetMode::Off {
            policy.env.pass.push(Setting::new(SSH_AGENT.to_owned(), Origin::Default));
        }
        self.policy = Arc::new(self.traced(policy, &mut notes));
        let seen = Arc::new(Notes::default());
        let told = Arc::clone(&seen);
        let asks = self.ask.is_some();
        if let Some(ask) = &mut self.ask {
            // What an answer grants becomes a rule of the lesson.
            ask.write_nothing();
        }
        self.judge(move |policy| Arc::new(Witness::new(policy, Arc::clone(&told), asks)));
        let tells = std::mem::replace(&mut self.tells, true);
        let (report, aside) = self.run_with(true);
        self.tells = tells;
        self.policy = own.clone();
        self.judge = None;
        let written = aside.map(|(folder, overlays)| changes::observed(&folder, &overlays));
        let mut observations = seen.observed();
        match written {
            Some(Ok(found)) => observations.extend(found),
            Some(Err(error)) => notes.push(format!("what was written could not be read: {error}")),
            None => {}
        }
        let sockets = peers::sockets(&seen.sought(), peers::Place { ground, env: &self.env.caller });
        let difference = generalise(&observations, ground).beyond(sockets, &report);
        Lesson { report, difference, notes }
    }

    /// With every call that names a path seen, where this kernel can show them.
    fn traced(&self, mut policy: Policy, notes: &mut Vec<String>) -> Policy {
        let on = Setting::new(true, policy.trace.origin.clone());
        let off = std::mem::replace(&mut policy.trace, on);
        let policy = Arc::new(policy);
        let mut tried = Self::new(&self.program);
        (tried.policy, tried.facts) = (policy, self.facts.clone());
        if let Err(error @ crate::error::StartError::Plan(crate::error::PlanError::NeedsNotify { .. })) =
            tried.plan()
        {
            notes.push(format!("only what was written was seen: {error}"));
            Arc::make_mut(&mut tried.policy).trace = off;
        }
        Arc::unwrap_or_clone(tried.policy)
    }
}
