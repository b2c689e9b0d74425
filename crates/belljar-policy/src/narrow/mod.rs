//! What two policies both grant: a policy found in a place that is not trusted may only narrow.

mod files;
mod lists;

use std::collections::BTreeMap;

use crate::model::{
    ActionRule, DevView, Dropped, FdMode, Limits, NetMode, Origin, PassFd, Policy, ProcView, Requirement,
    ServiceRule, Setting,
};
use crate::value::Written;
use crate::words::{SUBJECTS, word};

/// The result of [`narrow`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Narrowed {
    /// Grants nothing that the parent refuses, and nothing that the child refuses but system calls for which the parent has a
    /// condition.
    pub policy: Policy,
    /// What the child asked for and does not get, each with the reason.
    pub refused: Vec<Dropped>,
}

/// Collects what is refused.
pub(crate) type Refused = Vec<Dropped>;

/// The intersection of a trusted policy and one that may only narrow it.
///
/// ```
/// use belljar_policy::{Policy, fs_decision, narrow};
/// let parent = Policy::none().read("/opt")?;
/// let child = Policy::none().write("/opt/app")?.read("/srv")?;
/// let narrowed = narrow(&parent, &child);
/// assert_eq!(narrowed.refused.len(), 2);
/// assert!(!fs_decision(&narrowed.policy, "/srv".as_ref()).allowed);
/// assert!(!fs_decision(&narrowed.policy, "/opt/other".as_ref()).allowed);
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn narrow(parent: &Policy, child: &Policy) -> Narrowed {
    let mut refused = Refused::new();
    let mut policy = Policy::none();
    files::narrow(&mut policy, parent, child, &mut refused);
    lists::narrow(&mut policy, parent, child, &mut refused);
    policy.actions = actions(parent, child, &mut refused);
    policy.services = services(parent, child, &mut refused);
    policy.limits = limits(&parent.limits, &child.limits);
    policy.require = parent.require.clone();
    policy.require.extend(child.require.iter().filter(|new| !known(&parent.require, new)).cloned());
    guarantees(&mut policy, parent, child, &mut refused);
    policy.pass_fds = descriptors(parent, child, &mut refused);
    policy.debug = lesser(&parent.debug, &child.debug, "debug", &mut refused);
    policy.trace = if parent.trace.value { parent.trace.clone() } else { child.trace.clone() };
    policy.promises = promises(&parent.promises, &child.promises);
    policy.umask = child.umask.clone().or_else(|| parent.umask.clone());
    policy.hostname = child.hostname.clone().or_else(|| parent.hostname.clone());
    policy.dropped = parent.dropped.clone();
    Narrowed { policy, refused }
}

/// Entries of the child that the parent has too, done by the same.
fn actions(parent: &Policy, child: &Policy, refused: &mut Refused) -> Vec<ActionRule> {
    let has = |wanted: &&ActionRule| {
        parent.actions.iter().any(|own| (own.action, &own.with) == (wanted.action, &wanted.with))
    };
    for wanted in child.actions.iter().filter(|wanted| !has(wanted)) {
        let rule = format!("actions.{} = {}", wanted.action.name(), wanted.with.written());
        refuse(refused, rule, &wanted.origin, "the outer policy does not have it");
    }
    child.actions.iter().filter(has).cloned().collect()
}

/// Entries of the child that the parent has too.
fn services(parent: &Policy, child: &Policy, refused: &mut Refused) -> Vec<ServiceRule> {
    let has = |wanted: &&ServiceRule| {
        parent.services.iter().any(|own| (own.service, &own.names) == (wanted.service, &wanted.names))
    };
    for wanted in child.services.iter().filter(|wanted| !has(wanted)) {
        let because = "the outer policy does not have it";
        refuse(refused, format!("services {}", wanted.written()), &wanted.origin, because);
    }
    child.services.iter().filter(has).cloned().collect()
}

/// What both promise; a policy that promises nothing in particular leaves it to the other.
fn promises(parent: &Option<Setting<String>>, child: &Option<Setting<String>>) -> Option<Setting<String>> {
    let (Some(own), Some(asked)) = (parent, child) else { return parent.clone().or_else(|| child.clone()) };
    let both: Vec<&str> =
        own.value.split(' ').filter(|word| asked.value.split(' ').any(|new| new == *word)).collect();
    let origin = if both.len() == own.value.split(' ').count() { &own.origin } else { &asked.origin };
    Some(Setting::new(both.join(" "), origin.clone()))
}

fn known(list: &[Requirement], new: &Requirement) -> bool {
    list.iter().any(|old| old.subject == new.subject && old.demand == new.demand)
}

/// Notes that the child asked for more than the parent has.
pub(crate) fn refuse(refused: &mut Refused, rule: String, origin: &Origin, because: impl Into<String>) {
    refused.push(Dropped { rule, origin: origin.clone(), because: because.into() });
}

/// The smaller of two settings; the child is told when its own is larger.
pub(crate) fn lesser<T: Rank + Written + Clone>(
    parent: &Setting<T>,
    child: &Setting<T>,
    key: &str,
    refused: &mut Refused,
) -> Setting<T> {
    if child.value.rank() <= parent.value.rank() {
        return child.clone();
    }
    let limit = format!("{} allows {} only", parent.origin, parent.value.written());
    refuse(refused, format!("{key} = {}", child.value.written()), &child.origin, limit);
    parent.clone()
}

/// How much a word grants.
pub(crate) trait Rank {
    fn rank(&self) -> u8;
}

impl Rank for bool {
    fn rank(&self) -> u8 {
        u8::from(*self)
    }
}

impl Rank for ProcView {
    fn rank(&self) -> u8 {
        u8::from(*self != Self::None)
    }
}

impl Rank for DevView {
    fn rank(&self) -> u8 {
        u8::from(*self != Self::None)
    }
}

impl Rank for NetMode {
    fn rank(&self) -> u8 {
        match self {
            Self::Off => 0,
            Self::None => 1,
            Self::List => 2,
            Self::Host => 3,
        }
    }
}

/// The smaller amount; a limit is smaller than none. A child's larger amount is no request for more, so nobody is told.
pub(crate) fn least<T: Ord + Clone>(
    parent: &Option<Setting<T>>,
    child: &Option<Setting<T>>,
) -> Option<Setting<T>> {
    match (parent, child) {
        (Some(parent), Some(child)) if parent.value < child.value => Some(parent.clone()),
        (parent, child) => child.clone().or_else(|| parent.clone()),
    }
}

fn limits(parent: &Limits, child: &Limits) -> Limits {
    Limits {
        memory: least(&parent.memory, &child.memory),
        pids: least(&parent.pids, &child.pids),
        wall: least(&parent.wall, &child.wall),
        cpu: least(&parent.cpu, &child.cpu),
        files: least(&parent.files, &child.files),
        fsize: least(&parent.fsize, &child.fsize),
        data: least(&parent.data, &child.data),
        output: least(&parent.output, &child.output),
    }
}

/// The child cannot weaken; what it requires is no longer allowed to be weaker.
fn guarantees(policy: &mut Policy, parent: &Policy, child: &Policy, refused: &mut Refused) {
    for weaker in &child.weaker {
        if !parent.weaker.iter().any(|own| own.value == weaker.value) {
            let rule = format!("allow-weaker {}", word(SUBJECTS, &weaker.value));
            refuse(refused, rule, &weaker.origin, "the outer policy does not allow it");
        }
    }
    let required = |subject| policy.require.iter().any(|demand| demand.subject == subject);
    let kept = parent.weaker.iter().filter(|own| !required(own.value));
    policy.weaker = kept.cloned().collect();
}

fn descriptors(parent: &Policy, child: &Policy, refused: &mut Refused) -> Vec<PassFd> {
    let mut kept = Vec::new();
    for wanted in &child.pass_fds {
        let own = parent.pass_fds.iter().find(|own| own.fd == wanted.fd);
        match own {
            Some(own) if own.mode == FdMode::Any || own.mode == wanted.mode => kept.push(wanted.clone()),
            Some(own) => kept.push(own.clone()),
            None => refuse(
                refused,
                format!("pass-fds {}", wanted.fd),
                &wanted.origin,
                "the outer policy does not pass it",
            ),
        }
    }
    kept
}

/// Entries of a map that both sides have with the same value, and the parent's others.
pub(crate) fn parents_map<T: PartialEq + Clone>(
    key: &str,
    parent: &BTreeMap<String, Setting<T>>,
    child: &BTreeMap<String, Setting<T>>,
    refused: &mut Refused,
) -> BTreeMap<String, Setting<T>> {
    for (name, value) in child {
        if parent.get(name).is_none_or(|own| own.value != value.value) {
            refuse(refused, format!("{key}.{name}"), &value.origin, "only the outer policy can set it");
        }
    }
    parent.clone()
}
