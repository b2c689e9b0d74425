//! From what may be done and what this host can do, to what will be done. Pure: nothing here touches the machine.

pub(crate) mod actions;
mod broker;
mod compile;
mod domain;
mod door;
mod files;
mod filter;
mod filters;
mod huge_pages;
mod landlock;
mod limits;
mod narrower;
mod network;
mod order;
mod privileges;
mod promises;
mod ready;
mod removals;
mod requirements;
mod show;
mod step;
mod texts;
mod told;
mod void;

use belljar_policy::{NetMode, Policy, Subject};
use serde::{Deserialize, Serialize};

pub use broker::BrokerPlan;
pub use domain::DomainPlan;
#[cfg(test)]
pub(crate) use door::DOORS;
pub use filter::FilterPlan;
pub(crate) use filter::sock_filters;
pub use landlock::LandlockPlan;
pub(crate) use landlock::{
    BIND_TCP, CONNECT_TCP, FS_DIR_ONLY, FS_PROCESSES, FS_READ_DIR, FS_WRITE_FILE, FS_WRITES, landlock_knows,
};
pub(crate) use network::{ALONE, NAMES, PROXIES};
pub(crate) use promises::PROMISED;
pub use promises::PromisePlan;
#[doc(hidden)]
pub use ready::{Shape, compiled};
pub use step::{Place, Placed, Rlimit, Step};
pub(crate) use told::{Refusals, is_told};

use crate::error::PlanError;
use crate::probe::{HostFacts, Userns};
use crate::report::{Enforcement, Layer};

/// What the planner must know about the call besides the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Standard descriptors that are terminals (bit mask).
    pub terminals: u8,
    /// The supervisor's thread lives as long as the jar: the kernel may end the jar with it.
    pub dies_with_thread: bool,
    /// Somebody wants to hear what the filter refuses, and the supervisor attends from the start.
    pub tells: bool,
    /// The user is asked about what the policy does not grant.
    pub asks: bool,
    /// Somebody wants to know which hosts the program lacks, by their names.
    pub learns: bool,
    /// The program seals itself off before anything hostile reaches it: from then on it neither runs nor maps what it writes.
    pub workers: bool,
}

impl Call {
    /// A call whose standard descriptors in this bit mask are terminals.
    #[must_use]
    pub fn new(terminals: u8, dies_with_thread: bool) -> Self {
        Self { terminals, dies_with_thread, tells: false, asks: false, learns: false, workers: false }
    }
}

/// Which way of confining was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Engine {
    /// Own namespaces and root, then Landlock and the filter.
    Namespaces,
    /// Landlock and the filter on the host's own tree.
    Landlock,
    /// The filter and the broker on the host's own tree: nothing else decides about paths.
    Broker,
}

impl Engine {
    /// The jar lives in the host's tree.
    #[must_use]
    pub fn is_host_tree(self) -> bool {
        self != Self::Namespaces
    }
}

/// Namespaces of the jar's own.
pub const CLONE_NEWNS: u64 = 0x0002_0000;
/// Control-group namespace.
pub const CLONE_NEWCGROUP: u64 = 0x0200_0000;
/// Host-name namespace.
pub const CLONE_NEWUTS: u64 = 0x0400_0000;
/// System V and POSIX queue namespace.
pub const CLONE_NEWIPC: u64 = 0x0800_0000;
/// User namespace.
pub const CLONE_NEWUSER: u64 = 0x1000_0000;
/// Process namespace.
pub const CLONE_NEWPID: u64 = 0x2000_0000;
/// Network namespace.
pub const CLONE_NEWNET: u64 = 0x4000_0000;

/// Everything that will be done, in order, and what holds each rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// Way of confining.
    pub engine: Engine,
    /// Namespaces to create, as `clone` flags.
    pub namespaces: u64,
    /// Steps of the jar's init.
    pub init: Vec<Step>,
    /// Steps of the program's process.
    pub program: Vec<Step>,
    /// Landlock; none = this kernel has none.
    pub landlock: Option<LandlockPlan>,
    /// The system call filter.
    pub filter: FilterPlan,
    /// What the broker answers in place of the kernel; none = nothing needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<BrokerPlan>,
    /// What the program has promised; none = the filter alone decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promises: Option<PromisePlan>,
    /// Each rule with the layers that hold it.
    pub enforced: Vec<Enforcement>,
    /// What a user may want to know and need not act on.
    pub notes: Vec<String>,
}

impl Plan {
    /// The broker sees connections before they are made, and can ask about them.
    pub(crate) fn asks_hosts(&self) -> bool {
        let served = self.init.iter().any(|step| matches!(step, Step::Serve { .. }));
        let open = self.landlock.as_ref().is_none_or(|landlock| landlock.net == 0);
        let broker = self.broker.as_ref();
        broker.is_some_and(|broker| broker.relays() || served && open && broker.connects())
    }

    /// Namespaces that the clone makes, and those that init makes itself beside the network, which a process of its own
    /// makes meanwhile; none when the clone makes all.
    pub(crate) fn split_namespaces(&self) -> Option<(u64, u32)> {
        const FIRST: u64 = CLONE_NEWUSER | CLONE_NEWPID;
        let apart = self.namespaces & CLONE_NEWNET != 0 && self.init.contains(&Step::Loopback);
        let later = u32::try_from(self.namespaces & !(FIRST | CLONE_NEWNET)).ok()?;
        apart.then_some((self.namespaces & FIRST, later))
    }
}

/// The planner's draft.
struct Draft<'a> {
    policy: &'a Policy,
    host: &'a HostFacts,
    call: Call,
    engine: Engine,
    /// Some rule gives less than a grant around it.
    narrower: bool,
    steps: Vec<Step>,
    enforced: Vec<Row>,
    notes: Vec<String>,
}

/// A row of the table, with the subject that `[require]` and `--allow-weaker` name.
struct Row {
    subject: Subject,
    line: Enforcement,
}

impl<'a> Draft<'a> {
    fn new(policy: &'a Policy, host: &'a HostFacts, call: Call) -> Result<Self, PlanError> {
        let engine = choose_engine(host)?;
        let narrower = engine == Engine::Namespaces && narrower::are_there(policy);
        let (steps, enforced, notes) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { policy, host, call, engine, narrower, steps, enforced, notes })
    }

    fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn holds(&mut self, subject: Subject, rule: impl Into<String>, origin: impl ToString, layers: &[Layer]) {
        self.row(subject, rule.into(), origin.to_string(), layers, None);
    }

    fn gap(
        &mut self,
        subject: Subject,
        rule: impl Into<String>,
        origin: impl ToString,
        layers: &[Layer],
        gap: &str,
    ) {
        self.row(subject, rule.into(), origin.to_string(), layers, Some(gap.to_owned()));
    }

    fn row(&mut self, subject: Subject, rule: String, origin: String, layers: &[Layer], gap: Option<String>) {
        let line = Enforcement { rule, origin, layers: layers.to_vec(), gap, void: None };
        self.enforced.push(Row { subject, line });
    }

    fn namespaced(&self) -> bool {
        self.engine == Engine::Namespaces
    }
}

/// Chooses for each rule who enforces it on this host.
///
/// # Errors
/// A rule that nothing here can enforce and that may not be weaker, a requirement that is unmet, or a policy that
/// contradicts itself.
pub fn plan(policy: &Policy, host: &HostFacts, call: Call) -> Result<Plan, PlanError> {
    let mut draft = Draft::new(policy, host, call)?;
    files::plan(&mut draft)?;
    actions::plan(&mut draft)?;
    network::plan(&mut draft)?;
    privileges::plan(&mut draft)?;
    limits::plan(&mut draft);
    let landlock = landlock::plan(&mut draft);
    let (filter, told) = filter::plan(&mut draft)?;
    let broker = broker::plan(&mut draft, told)?;
    let promises = promises::plan(&mut draft, &filter, broker.is_some())?;
    requirements::check(&draft)?;
    let (engine, namespaces) = (draft.engine, namespaces(&draft));
    let (init, program) = order::arrange(draft.steps);
    let enforced = draft.enforced.into_iter().map(|row| row.line).collect();
    let notes = draft.notes;
    Ok(Plan { engine, namespaces, init, program, landlock, filter, broker, promises, enforced, notes })
}

/// Whether a plan lets nothing of a system call through, whatever the policy's lists say of it: `openat2`, or `socket` without
/// any network.
///
/// ```
/// use belljar::policy::Policy;
/// let policy = Policy::preset("@base")?.set("net.mode", "off")?;
/// let facts = belljar::probe::probe();
/// assert!(belljar::plan::takes_away(&policy, &facts, "socket"));
/// assert!(!belljar::plan::takes_away(&policy, &facts, "read"));
/// # Ok::<(), belljar::policy::PolicyError>(())
/// ```
#[must_use]
pub fn takes_away(policy: &Policy, host: &HostFacts, call: &str) -> bool {
    let takes = |draft: Draft<'_>| {
        removals::in_force(&draft).any(|removal| removal.call == call && removal.when.is_none())
    };
    Draft::new(policy, host, Call::default()).is_ok_and(takes)
}

fn choose_engine(host: &HostFacts) -> Result<Engine, PlanError> {
    if !host.seccomp {
        return Err(PlanError::NoSeccomp);
    }
    match (host.userns, host.landlock) {
        _ if has_namespaces(host) => Ok(Engine::Namespaces),
        (_, 0) if broker::can(host, false) => Ok(Engine::Broker),
        (userns, 0) => Err(PlanError::NoEngine { userns }),
        _ => Ok(Engine::Landlock),
    }
}

/// Whether a jar gets namespaces and a root of its own here.
pub(crate) fn has_namespaces(host: &HostFacts) -> bool {
    host.userns == Userns::Available && host.mount_fds
}

fn namespaces(draft: &Draft<'_>) -> u64 {
    if !draft.namespaced() {
        return 0;
    }
    let own_net = !matches!(draft.policy.net.mode.value, NetMode::Host | NetMode::Off);
    let net = if own_net { CLONE_NEWNET } else { 0 };
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | net
}
