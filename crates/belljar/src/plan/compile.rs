//! The planner's rules as a filter, and what there is to say about it.

use belljar_bpf::{Action, Filter, FilterBuilder, FilterSpec, RuleError, SeccompData};
use belljar_policy::Origin;
use belljar_sys::child::PROBE_MARK;

use super::filter::{FilterPlan, build, kills, lower, rule_error};
use super::removals::{EACCES, no_sockets};
use super::{Draft, broker, promises, told};
use crate::error::PlanError;

/// A filter, and what there is to say about it.
pub(super) struct Compiled {
    pub(super) surface: String,
    /// Refusals are told to a listener of its own.
    pub(super) tells: bool,
    pub(super) filter: FilterPlan,
    /// Hands them over to the broker's listener.
    pub(super) told: Option<Filter>,
}

pub(super) fn compile(draft: &Draft<'_>) -> Result<Compiled, PlanError> {
    let spec = quiet_probe(draft, build(draft)?)?.spec();
    let tells = tells(draft, &spec);
    let surface = spec.surface().to_string();
    let filters = match draft.call.tells && !kills(draft) && broker::is_needed(draft) {
        true => spec.compile_apart(&told::numbers()).map(|(told, left)| (left, Some(told))),
        false if tells => spec.compile_telling(&told::numbers()).map(|filter| (filter, None)),
        false => spec.compile().map(|filter| (filter, None)),
    };
    let (filter, told) = filters.map_err(|source| PlanError::Filter { source: Box::new(source) })?;
    Ok(Compiled { surface, tells, filter: lower(&filter), told })
}

/// The last look before exec asks for a socket too: nobody needs to hear of that one, and a start would wait for the answer.
fn quiet_probe(draft: &Draft<'_>, builder: FilterBuilder) -> Result<FilterBuilder, PlanError> {
    if !is_quiet(draft) {
        return Ok(builder);
    }
    let rule_error = |source| rule_error(source, &Origin::Default);
    let mark = format!("arg3 == {PROBE_MARK}");
    let marked = belljar_bpf::parse_condition(&mark)
        .map_err(|source| RuleError::Condition { syscall: "socket".to_owned(), source })
        .map_err(rule_error)?;
    let socket = belljar_bpf::syscall_number("socket").unwrap_or(u32::MAX);
    builder.planned(socket, Some(&marked), EACCES).map_err(rule_error)
}

pub(super) fn is_quiet(draft: &Draft<'_>) -> bool {
    draft.call.tells && no_sockets(draft)
}

/// Whether refusals are told to a listener of the filter's own, which is sent away when the filter holds already, or by a
/// ticket.
fn tells(draft: &Draft<'_>, spec: &FilterSpec) -> bool {
    let sends = belljar_bpf::syscall_number("sendmsg")
        .is_some_and(|nr| spec.interpret(&SeccompData::x86_64(nr, [0; 6])) == Action::Allow);
    would_tell(draft) && (sends || draft.policy.promises.is_some())
}

/// Whether they are where the filter lets the listener be sent. A process can have one.
pub(super) fn would_tell(draft: &Draft<'_>) -> bool {
    let watched = draft.policy.promises.is_none() || promises::tells(draft);
    let alone = watched && !kills(draft) && !broker::is_needed(draft);
    draft.call.tells && alone && broker::listens(draft)
}
