//! The broker of one jar: what it decides by, whom it tells, as whom it acts.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use belljar_policy::{Policy, fs_decision};

use crate::broker::{self, Broker, Elsewhere, Judge, Place, Rule, Setup, Table, Wanted};
use crate::command::Wrap;
use crate::error::StartError;
use crate::event::{self, Event, Events};
use crate::plan::{Engine, Plan, Step};
use crate::prepare::{Prepared, Seen};
use crate::spawn::supervisor;

/// Starts answering for a jar whose plan asks for it.
pub(super) fn start(
    listener: Option<OwnedFd>,
    plan: &Plan,
    prepared: &Prepared<'_>,
    policy: &Policy,
    wrap: Option<Wrap>,
    events: &Arc<Events>,
) -> Result<Option<Broker>, StartError> {
    let Some(listener) = listener else { return Ok(None) };
    let host_tree = plan.engine == Engine::Landlock;
    let elsewhere = if host_tree { Elsewhere::HostTree } else { Elsewhere::OwnRoot };
    let places = prepared.seen.iter().map(|seen| place(policy, seen)).collect();
    let table: Arc<dyn Judge> = Arc::new(Table::new(places, elsewhere));
    let judge = wrap.map_or_else(|| Arc::clone(&table), |wrap| wrap.0(Arc::clone(&table)));
    let told = Told { events: Arc::clone(events), policy: policy.clone() };
    let setup = Setup { listener, judge, observer: Some(Arc::new(told)), host_tree, user: user(plan) };
    broker::start(setup).map(Some).map_err(|source| supervisor("starting the broker", source))
}

fn place(policy: &Policy, seen: &Seen) -> Place {
    let decision = fs_decision(policy, &seen.path);
    let rule = Rule { text: decision.rule.into(), origin: decision.origin.to_string().into() };
    Place { path: seen.path.clone(), access: seen.access, rule }
}

/// Whom the jar runs as, where root starts it.
fn user(plan: &Plan) -> Option<(u32, u32)> {
    plan.init.iter().find_map(|step| match step {
        Step::BecomeUser { uid, gid } => Some((*uid, *gid)),
        _ => None,
    })
}

/// Keeps refusals for the report.
struct Told {
    events: Arc<Events>,
    policy: Policy,
}

impl broker::Observer for Told {
    fn saw(&self, request: &broker::Request<'_>, verdict: &broker::Verdict) {
        let (false, Some(path)) = (verdict.granted(), request.path()) else { return };
        let rule = verdict.rule();
        let event = Event::new(event::Verdict::Denied, request.call, path.as_os_str())
            .access(access(request.wanted))
            .by(request.pid)
            .rule(&rule.text, &rule.origin);
        let flag = fs_decision(&self.policy, path).flag.or_else(|| write_flag(request, path.as_os_str()));
        event::Observer::event(
            &*self.events,
            match flag {
                Some(flag) => event.flag(&flag),
                None => event,
            },
        );
    }
}

/// What may be read may still not be written.
fn write_flag(request: &broker::Request<'_>, path: &OsStr) -> Option<String> {
    (request.wanted == Wanted::Write).then(|| format!("--write {}", belljar_policy::printable(path)))
}

fn access(wanted: Wanted) -> event::Access {
    match wanted {
        Wanted::Look => event::Access::Look,
        Wanted::Read => event::Access::Read,
        Wanted::Execute => event::Access::Execute,
        Wanted::Write => event::Access::Write,
    }
}
