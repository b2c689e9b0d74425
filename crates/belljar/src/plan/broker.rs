//! Door 2: which calls the broker answers in place of the kernel.

use belljar_bpf::{Filter, syscall_number};
use belljar_policy::Subject;
use serde::{Deserialize, Serialize};

use super::Draft;
use super::filter::{FilterPlan, lower};
use super::step::Step;
use crate::broker::{Guard, TABLE};
use crate::error::PlanError;
use crate::report::Layer;

/// First kernel on which a signal does not repeat a brokered call (`SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`).
const KILLABLE: (u16, u16) = (5, 19);

/// What the broker gets to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerPlan {
    /// Names of the calls, sorted.
    pub calls: Vec<String>,
    /// The filter that hands them over, stacked on the policy's own.
    pub filter: FilterPlan,
}

fn goes(draft: &Draft<'_>, guard: Guard) -> bool {
    let missed = !draft.namespaced() && guard == Guard::Broker;
    able(draft) && (draft.policy.trace.value || missed)
}

fn able(draft: &Draft<'_>) -> bool {
    draft.host.seccomp_notify && draft.host.kernel >= KILLABLE
}

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<Option<BrokerPlan>, PlanError> {
    let trace = &draft.policy.trace;
    if trace.value && !able(draft) {
        return Err(PlanError::NeedsNotify { rule: "trace", origin: trace.origin.to_string() });
    }
    let mut calls: Vec<&str> =
        TABLE.iter().filter(|row| goes(draft, row.guard)).map(|row| row.call).collect();
    calls.sort_unstable();
    let numbers: Vec<u32> = calls.iter().filter_map(|call| syscall_number(call)).collect();
    if numbers.is_empty() {
        return Ok(None);
    }
    let filter =
        Filter::hand_over(&numbers).map_err(|source| PlanError::Filter { source: Box::new(source) })?;
    draft.step(Step::Broker);
    for row in draft.enforced.iter_mut().filter(|row| row.subject == Subject::Fs) {
        row.line.layers.push(Layer::Broker);
    }
    Ok(Some(BrokerPlan { calls: calls.into_iter().map(str::to_owned).collect(), filter: lower(&filter) }))
}
