//! Amounts: resource limits always, a control group where there is one, the supervisor's watch for the rest.

use belljar_policy::{Setting, Subject};

use super::step::{Rlimit, Step};
use super::{Draft, filter};
use crate::report::Layer;

/// Queued signals are counted per user of the host, whatever the namespace: a jar must leave some to the others.
const SIGNALS: u64 = 1024;

/// Bytes of a core dump. Too few for a file; and where the host pipes dumps to a handler of its own, which runs as root and
/// is not kept off by 0, the kernel takes 1 as "no".
const CORE: u64 = 1;

pub(super) fn plan(draft: &mut Draft<'_>) {
    draft.step(Step::Rlimit(Rlimit::Core, CORE, CORE));
    draft.step(Step::Rlimit(Rlimit::Sigpending, SIGNALS, SIGNALS));
    simple(draft);
    cpu(draft);
    pids(draft);
    memory(draft);
    if uses_cgroup(draft) {
        draft.step(Step::JoinCgroup);
    }
}

/// Limits that one resource limit holds for each process.
fn simple(draft: &mut Draft<'_>) {
    let limits = &draft.policy.limits;
    let rows = [
        (Rlimit::Fsize, limits.fsize.as_ref().map(|s| (s.value.0, s.origin.clone())), "largest file"),
        (
            Rlimit::Data,
            limits.data.as_ref().map(|s| (s.value.0, s.origin.clone())),
            "private memory of a process",
        ),
        (
            Rlimit::Nofile,
            limits.files.as_ref().map(|s| (u64::from(s.value), s.origin.clone())),
            "descriptors of a process",
        ),
    ];
    for (kind, limit, what) in rows {
        if let Some((value, origin)) = limit {
            draft.step(Step::Rlimit(kind, value, value));
            draft.holds(Subject::Memory, format!("{what}: {value}"), origin, &[Layer::Rlimit]);
        }
    }
}

/// SIGXCPU at the soft limit, SIGKILL a second later.
fn cpu(draft: &mut Draft<'_>) {
    if let Some(Setting { value, origin }) = &draft.policy.limits.cpu {
        let seconds = value.as_secs().saturating_add(u64::from(value.subsec_nanos() > 0)).max(1);
        draft.step(Step::Rlimit(Rlimit::Cpu, seconds, seconds.saturating_add(1)));
        draft.holds(
            Subject::Cpu,
            format!("processor time: {value:?}"),
            origin,
            &[Layer::Supervisor, Layer::Rlimit],
        );
    }
}

/// Calls that make processes and threads.
const PROCESSES: &[&str] = &["fork", "vfork", "clone", "clone3"];

fn pids(draft: &mut Draft<'_>) {
    let Some(Setting { value, origin }) = &draft.policy.limits.pids else { return };
    let rule = format!("processes: {value}");
    if draft.namespaced() {
        // Init is counted too.
        let count = u64::from(*value).saturating_add(1);
        draft.step(Step::Rlimit(Rlimit::Nproc, count, count));
        let mut layers = vec![Layer::Rlimit];
        if has(draft, "pids") {
            layers.push(Layer::Cgroup);
        }
        draft.holds(Subject::Pids, rule, origin, &layers);
    } else if *value == 1 && PROCESSES.iter().all(|call| filter::never_granted(draft, call)) {
        // Of all the user's processes: none can be added.
        draft.step(Step::Rlimit(Rlimit::Nproc, 0, 0));
        draft.holds(Subject::Pids, rule, origin, &[Layer::Rlimit, Layer::Seccomp]);
    } else if has(draft, "pids") {
        draft.holds(Subject::Pids, rule, origin, &[Layer::Cgroup]);
    } else {
        let gap = "without user namespaces or a control group the count would include your other processes";
        draft.gap(Subject::Pids, rule, origin, &[], gap);
    }
}

/// The whole tree: by a control group, else watched by the supervisor, with each process held by its own limit.
fn memory(draft: &mut Draft<'_>) {
    let Some(Setting { value, origin }) = &draft.policy.limits.memory else { return };
    let rule = format!("memory: {} bytes", value.0);
    if has(draft, "memory") {
        draft.holds(Subject::Memory, rule, origin, &[Layer::Cgroup, Layer::Rlimit]);
    } else {
        draft.holds(Subject::Memory, rule, origin, &[Layer::Rlimit, Layer::Supervisor]);
    }
    if draft.policy.limits.data.is_none() {
        draft.step(Step::Rlimit(Rlimit::Data, value.0, value.0));
    }
}

fn uses_cgroup(draft: &Draft<'_>) -> bool {
    let limits = &draft.policy.limits;
    (limits.memory.is_some() && has(draft, "memory")) || (limits.pids.is_some() && has(draft, "pids"))
}

/// Whether the memory of the tree is only watched: then memory that belongs to no process must not be had.
pub(super) fn watched_memory(draft: &Draft<'_>) -> bool {
    draft.policy.limits.memory.is_some() && !has(draft, "memory")
}

fn has(draft: &Draft<'_>, controller: &str) -> bool {
    draft.host.cgroup.has(controller)
}
