//! Door 2: which calls the broker answers in place of the kernel.

use belljar_bpf::{CompileError, Cond, Filter, RuleError, parse_condition, syscall_number};
use belljar_policy::Subject;
use serde::{Deserialize, Serialize};

use super::domain::{self, DomainPlan};
use super::door::{DOORS, Door, Guard};
use super::filter::{FilterPlan, lower};
use super::step::Step;
use super::{Draft, Engine, narrower, network};
use crate::error::PlanError;
use crate::probe::HostFacts;
use crate::report::Layer;

/// First kernel on which a signal does not repeat a brokered call (`SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`).
const KILLABLE: (u16, u16) = (5, 19);

impl BrokerPlan {
    /// The broker connects for the jar.
    pub(crate) fn connects(&self) -> bool {
        self.calls.iter().any(|call| call == "connect")
    }

    /// Servers of the jar wait on the host's loopback.
    pub(crate) fn serves(&self) -> bool {
        self.calls.iter().any(|call| call == "listen")
    }

    /// Hosts are reached without a network of the jar's own.
    pub(crate) fn relays(&self) -> bool {
        self.calls.iter().any(|call| call.starts_with("setsockopt "))
    }
}

/// What the broker gets to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerPlan {
    /// The calls, sorted; each always or when a condition on its arguments holds.
    pub calls: Vec<String>,
    /// The filter that hands them over, stacked on the policy's own.
    pub filter: FilterPlan,
    /// What Landlock leaves to its own threads; none = they are in no domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainPlan>,
}

/// In which form a call goes to the broker: always (empty), or when a condition holds.
fn form(draft: &Draft<'_>, door: &Door) -> Option<String> {
    let (trace, host_tree) = (draft.policy.trace.value, !draft.namespaced());
    let narrower = narrower::kept(draft);
    let seen = match door.guard {
        _ if !able(draft) => false,
        Guard::Landlock if draft.engine == Engine::Broker => true,
        Guard::Landlock => {
            let moves = !host_tree && MOVED.contains(&door.call);
            trace || narrower || draft.call.asks && (moves || ASKED.contains(&door.call))
        }
        Guard::Broker | Guard::Descriptor if narrower && narrower::changes(door.call) => true,
        Guard::Broker => trace || host_tree || draft.call.asks && LOOKS.contains(&door.call),
        Guard::Descriptor => host_tree,
        Guard::Peers => network::brokered(draft),
        Guard::Addresses => {
            let hosts = network::tells_peers(draft) && network::is_hosts(draft);
            network::is_relayed(draft) || hosts || network::learns_peers(draft)
        }
        Guard::Hosts => network::is_relayed(draft),
        Guard::Servers => network::serves(draft),
        Guard::Log => network::logs(draft).is_some(),
    };
    match door.opens {
        // Descriptors without rights: the kernel's matter where all that it finds may be seen, else the broker's.
        Some(at) if seen && !host_tree => Some(format!("arg{at} & {O_PATH} == 0")),
        Some(at) if !seen && host_tree && able(draft) => Some(format!("arg{at} & {O_PATH} != 0")),
        None if seen && !trace && !host_tree && door.when.is_empty() => Some(path_form(door.call)),
        _ => seen.then(|| door.when.to_owned()),
    }
}

fn path_form(call: &str) -> String {
    let flags = EMPTY.iter().find(|(of, _)| *of == call);
    flags.map_or_else(String::new, |(_, at)| format!("arg{at} & {AT_EMPTY_PATH} == 0"))
}

const AT_EMPTY_PATH: u32 = 0x1000;
const O_PATH: u32 = 0x20_0000;

/// What an answer can grant: opening.
const ASKED: &[&str] = &["open", "openat", "openat2", "creat"];

/// The same in a root of the jar's own: saving by way of a second file.
const MOVED: &[&str] = &["rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat"];

/// What programs look at before they open, so that it has to tell the same.
const LOOKS: &[&str] =
    &["stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat"];

/// Position of flags with which a call may be about a descriptor alone (`AT_EMPTY_PATH`): the kernel's matter.
const EMPTY: &[(&str, u8)] = &[("newfstatat", 3), ("statx", 2)];

/// Whether any call goes to the broker.
pub(super) fn is_needed(draft: &Draft<'_>) -> bool {
    let asked = draft.policy.trace.value || draft.call.asks || network::tells_peers(draft);
    able(draft) && (asked || !draft.namespaced() || narrower::kept(draft))
}

/// Whether there can be a broker here: one that gets the calls, and may look at their arguments.
pub(super) fn able(draft: &Draft<'_>) -> bool {
    can(draft.host, draft.namespaced())
}

/// The same before an engine is chosen.
pub(super) fn can(host: &HostFacts, namespaced: bool) -> bool {
    // Yama's second scope asks for a capability, which its owner has in the jar's user namespace; the third refuses all.
    let looks = match host.yama {
        0 | 1 => true,
        2 => namespaced || host.admin,
        _ => false,
    };
    hands_over(host) && looks
}

/// Whether a filter can hand calls to the supervisor here.
pub(super) fn listens(draft: &Draft<'_>) -> bool {
    hands_over(draft.host)
}

fn hands_over(host: &HostFacts) -> bool {
    host.seccomp_notify && host.kernel >= KILLABLE
}

/// `told` hands over what the filter refuses.
pub(super) fn plan(draft: &mut Draft<'_>, told: Option<Filter>) -> Result<Option<BrokerPlan>, PlanError> {
    let trace = &draft.policy.trace;
    if trace.value && !able(draft) {
        return Err(PlanError::NeedsNotify { rule: "trace", origin: trace.origin.to_string() });
    }
    if draft.call.asks && !able(draft) {
        return Err(PlanError::NeedsNotify { rule: "ask", origin: "--ask".to_owned() });
    }
    let mut rows: Vec<(&str, String)> =
        DOORS.iter().filter_map(|door| Some((door.call, form(draft, door)?))).collect();
    rows.sort_unstable();
    let calls = rows.iter().map(handed).collect::<Result<Vec<_>, _>>();
    let filter = match (told, rows.is_empty()) {
        (None, true) => return Ok(None),
        (Some(told), true) => Ok(told),
        (None, false) => calls.and_then(|calls| Filter::hand_over(&calls)),
        (Some(told), false) => calls.and_then(|calls| told.then(&Filter::hand_over(&calls)?)),
    };
    let filter = filter.map_err(|source| PlanError::Filter { source: Box::new(source) })?;
    draft.step(Step::Broker);
    let traced = draft.policy.trace.value;
    for row in draft.enforced.iter_mut().filter(|row| traced && row.subject == Subject::Fs) {
        if !row.line.layers.contains(&Layer::Broker) {
            row.line.layers.push(Layer::Broker);
        }
    }
    let (calls, filter) = (rows.into_iter().map(shown).collect(), lower(&filter));
    Ok(Some(BrokerPlan { calls, filter, domain: domain::plan(draft) }))
}

fn handed((call, form): &(&str, String)) -> Result<(u32, Option<Cond>), CompileError> {
    let wrong = |source| CompileError::Rule(RuleError::Condition { syscall: (*call).to_owned(), source });
    let when = if form.is_empty() { None } else { Some(parse_condition(form).map_err(wrong)?) };
    // No number is no call: the compiler refuses it.
    Ok((syscall_number(call).unwrap_or(u32::MAX), when))
}

fn shown((call, form): (&str, String)) -> String {
    if form.is_empty() { call.to_owned() } else { format!("{call} when {form}") }
}
