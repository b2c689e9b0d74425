//! Promises of a program that knows nothing of it: a filter before the policy's own. And filters that end what they refuse.

use belljar_bpf::{Action, CompileError, Promises, RuleError, Ticket};
use belljar_policy::{Origin, Subject};
use serde::{Deserialize, Serialize};

use super::Draft;
use super::filter::{FilterPlan, lower};
use super::step::Step;
use crate::error::PlanError;
use crate::report::Layer;

/// What every program needs, be it to end.
const NEEDED: &str = "stdio";

/// How the rule about promises begins; the words follow.
pub(crate) const PROMISED: &str = "only what is promised: ";

/// What the program has promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisePlan {
    /// The words, by name; none where only the policy's own rules hold.
    pub words: String,
    /// The supervisor is told of a call outside of them, names it and ends its process; else the kernel ends it.
    pub tells: bool,
    /// What they allow goes on to the policy's own rules. The start itself takes a ticket that is made anew for each run.
    pub filter: FilterPlan,
}

pub(super) fn plan(
    draft: &mut Draft<'_>,
    own: &FilterPlan,
    brokered: bool,
) -> Result<Option<PromisePlan>, PlanError> {
    let Some(setting) = &draft.policy.promises else { return Ok(killing(draft, own)) };
    let wrong = |source| PlanError::Promise { source, origin: setting.origin.to_string() };
    let promises: Promises = setting.value.parse().map_err(wrong)?;
    if !promises.has(NEEDED) {
        return Err(PlanError::PromisesTooLittle { origin: setting.origin.to_string() });
    }
    // A process can have one listener.
    let tells = !brokered && tells(draft);
    let refusal = if tells { Action::Notify } else { Action::KillProcess };
    let filter = filter(promises, refusal, own)?;
    draft.steps.retain(|step| *step != Step::Seccomp);
    draft.step(Step::Promise);
    draft.holds(
        Subject::Syscalls,
        format!("{PROMISED}{promises}"),
        setting.origin.clone(),
        &[Layer::Seccomp],
    );
    if !tells && !promises.has("error") {
        draft.notes.push("a call that is not promised ends the process without being named".to_owned());
    }
    Ok(Some(PromisePlan { words: promises.to_string(), tells, filter }))
}

/// A filter that ends the process for what it does not let through, and so has to let the program's own start through: by a
/// ticket.
fn killing(draft: &mut Draft<'_>, own: &FilterPlan) -> Option<PromisePlan> {
    if !super::filter::kills(draft) {
        return None;
    }
    draft.steps.retain(|step| *step != Step::Seccomp);
    draft.step(Step::Promise);
    let origin = draft.policy.syscalls.otherwise.as_ref().map(|setting| setting.origin.clone());
    let rule = "any other call ends its process".to_owned();
    draft.holds(Subject::Syscalls, rule, origin.unwrap_or(Origin::Default), &[Layer::Seccomp]);
    Some(PromisePlan { words: String::new(), tells: false, filter: own.clone() })
}

/// Whether violations are told, where no broker has the listener.
pub(super) fn tells(draft: &Draft<'_>) -> bool {
    let promises = draft.policy.promises.as_ref().and_then(|setting| setting.value.parse::<Promises>().ok());
    promises.is_some_and(|promises| !promises.has("error")) && super::broker::listens(draft)
}

fn filter(promises: Promises, refusal: Action, own: &FilterPlan) -> Result<FilterPlan, PlanError> {
    let rule = |source: RuleError| PlanError::Syscall {
        source: Box::new(source),
        origin: Origin::Default.to_string(),
    };
    let made = |source: CompileError| PlanError::Filter { source: Box::new(source) };
    let rules = promises.rules(refusal).map_err(rule)?;
    // abort() and raise(): whom a signal reaches is decided by the policy's own rules, namespaces and Landlock.
    let number = belljar_bpf::syscall_number("tgkill").unwrap_or(u32::MAX);
    let first = rules.planned(number, None, Action::Allow).map_err(rule)?.compile().map_err(made)?;
    let whole = first.then(&own.raise()).map_err(made)?;
    // Room for the ticket.
    whole.ticketed(Ticket { first: 0, second: 0 }).map_err(made)?;
    Ok(lower(&whole))
}

impl PromisePlan {
    /// The filter of one run.
    pub(crate) fn with_ticket(&self, ticket: Ticket) -> Result<Vec<belljar_sys::abi::SockFilter>, PlanError> {
        let ticketed = self.filter.raise().ticketed(ticket);
        let filter = ticketed.map_err(|source| PlanError::Filter { source: Box::new(source) })?;
        Ok(super::sock_filters(&lower(&filter)))
    }
}
