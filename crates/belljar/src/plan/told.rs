//! Refusals of the filter that are told to the user: which calls, what they were about, and which flag lets them through.
//!
//! The filter hands these to its listener in place of answering them itself. The listener's side needs nothing but the
//! registers, and answers what the filter would have answered.

use std::ffi::OsStr;
use std::sync::{Arc, OnceLock};

use belljar_bpf::{Action, SeccompData, constants, syscall_number};
use belljar_policy::{NetMode, Origin, Policy, Setting, syscall_decision};

use super::filter::FilterPlan;
use super::{Call, plan};
use crate::event::{Access, Event, Verdict};
use crate::probe::HostFacts;

/// A call that an ordinary user may make outside a jar, that programs make seldom, and that they need when they make it.
struct Told {
    call: &'static str,
    /// What it was about, from its registers.
    object: fn([u64; 6]) -> String,
    /// The rule, where the call itself is granted and only these arguments are not.
    rule: &'static str,
    /// Flags that may help, the narrowest first. One is named only after it was tried on the plan.
    remedies: &'static [Remedy],
}

/// A change of the policy, as a flag makes it.
#[derive(Clone, Copy)]
enum Remedy {
    /// `--allow-syscall` with a group.
    Group(&'static str),
    /// `--allow-syscall` with the call itself.
    Itself,
    /// `--debug`.
    Debug,
    /// `--net`.
    Net(NetMode),
}

const ITSELF: &[Remedy] = &[Remedy::Itself];
const TRACING: &[Remedy] = &[Remedy::Debug, Remedy::Itself];
const SOCKETS: &[Remedy] =
    &[Remedy::Group("@socket-unix"), Remedy::Net(NetMode::None), Remedy::Net(NetMode::Host), Remedy::Itself];
const SYSTEM_V: &[Remedy] = &[Remedy::Group("@sysv-ipc")];
const NO_SOCKET: &str = "no sockets but those of the network that is granted, and pairs";
const NO_NAMESPACES: &str = "no namespaces of its own";
const NO_SET_ID: &str = "no set-user-id and set-group-id files";
const NO_IPC: &str = "no queues and shared memory without a namespace for them";
const NO_WATCH: &str = "no watching of paths on the host's own tree";
const NOT_SO: &str = "not with these arguments";

/// Without a right to make namespaces or files of that kind the call fails in the kernel, whatever the filter says.
const NOTHING: &[Remedy] = &[];

const TABLE: &[Told] = &[
    Told { call: "socket", object: socket, rule: NO_SOCKET, remedies: SOCKETS },
    Told { call: "socketpair", object: socket, rule: NO_SOCKET, remedies: SOCKETS },
    Told { call: "ptrace", object: request, rule: NOT_SO, remedies: TRACING },
    Told { call: "process_vm_readv", object: nothing, rule: NOT_SO, remedies: TRACING },
    Told { call: "process_vm_writev", object: nothing, rule: NOT_SO, remedies: TRACING },
    Told { call: "pidfd_getfd", object: nothing, rule: NOT_SO, remedies: TRACING },
    Told { call: "kcmp", object: nothing, rule: NOT_SO, remedies: TRACING },
    Told { call: "clone", object: |args| namespaces(args[0]), rule: NO_NAMESPACES, remedies: NOTHING },
    Told { call: "unshare", object: |args| namespaces(args[0]), rule: NO_NAMESPACES, remedies: NOTHING },
    Told { call: "setns", object: nothing, rule: NO_NAMESPACES, remedies: NOTHING },
    Told { call: "bpf", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "perf_event_open", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "keyctl", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "add_key", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "request_key", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "personality", object: |args| format!("{:#x}", args[0]), rule: NOT_SO, remedies: ITSELF },
    Told { call: "prctl", object: option, rule: NOT_SO, remedies: NOTHING },
    Told { call: "modify_ldt", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "memfd_create", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "name_to_handle_at", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "fanotify_init", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "vmsplice", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "sched_setattr", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "seccomp", object: nothing, rule: NOT_SO, remedies: ITSELF },
    Told { call: "chmod", object: |args| mode(args[1]), rule: NO_SET_ID, remedies: NOTHING },
    Told { call: "fchmod", object: |args| mode(args[1]), rule: NO_SET_ID, remedies: NOTHING },
    Told { call: "fchmodat", object: |args| mode(args[2]), rule: NO_SET_ID, remedies: NOTHING },
    Told { call: "fchmodat2", object: |args| mode(args[2]), rule: NO_SET_ID, remedies: NOTHING },
    Told { call: "shmget", object: nothing, rule: NO_IPC, remedies: SYSTEM_V },
    Told { call: "semget", object: nothing, rule: NO_IPC, remedies: SYSTEM_V },
    Told { call: "msgget", object: nothing, rule: NO_IPC, remedies: SYSTEM_V },
    Told { call: "mq_open", object: nothing, rule: NO_IPC, remedies: NOTHING },
    Told { call: "inotify_init", object: nothing, rule: NO_WATCH, remedies: NOTHING },
    Told { call: "inotify_init1", object: nothing, rule: NO_WATCH, remedies: NOTHING },
];

/// Numbers of the calls whose refusals are told.
pub(super) fn numbers() -> Vec<u32> {
    TABLE.iter().filter_map(|row| syscall_number(row.call)).collect()
}

/// Whether refusals of this call are told.
pub(crate) fn is_told(nr: u32) -> bool {
    static NUMBERS: OnceLock<Vec<u32>> = OnceLock::new();
    NUMBERS.get_or_init(numbers).contains(&nr)
}

fn nothing(_: [u64; 6]) -> String {
    String::new()
}

/// Family and kind. The kernel takes both as 32 bits.
fn socket([family, kind, ..]: [u64; 6]) -> String {
    let waits = if kind & NONBLOCK == 0 { "" } else { " SOCK_NONBLOCK" };
    format!("{} {}{waits}", named("AF_", family & 0xFFFF_FFFF), named("SOCK_", kind & 0xF))
}

const NONBLOCK: u64 = 0o4000;

fn request([request, ..]: [u64; 6]) -> String {
    named("PTRACE_", request)
}

fn option([option, ..]: [u64; 6]) -> String {
    named("PR_", option)
}

fn mode(mode: u64) -> String {
    format!("mode {:o}", mode & 0o7777)
}

fn namespaces(flags: u64) -> String {
    let bits = constants().filter(|(name, bit)| name.starts_with("CLONE_NEW") && flags & bit == *bit);
    bits.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

/// The constant with this beginning and value. Of several names the last one: `AF_UNIX` and not `AF_LOCAL`.
fn named(prefix: &str, value: u64) -> String {
    let found = constants().filter(|(name, known)| name.starts_with(prefix) && *known == value).last();
    found.map_or_else(|| format!("{prefix}{value}"), |(name, _)| name.to_owned())
}

/// What the filter of a policy refuses, without a listener's help.
#[derive(Debug)]
pub(crate) struct Refusals {
    policy: Arc<Policy>,
    host: Arc<HostFacts>,
    call: Call,
    plain: Option<FilterPlan>,
}

impl Refusals {
    /// For the jar that this was planned from. Nothing is worked out before the first refusal.
    pub(crate) fn new(policy: Arc<Policy>, host: Arc<HostFacts>, call: Call) -> Self {
        let call = Call { tells: false, learns: false, ..call };
        Self { policy, host, call, plain: None }
    }

    /// The error that the filter itself would have given; none for a call that it does not refuse.
    pub(crate) fn errno(&mut self, data: &SeccompData) -> Option<u16> {
        if self.plain.is_none() {
            self.plain = plan(&self.policy, &self.host, self.call).ok().map(|plan| plan.filter);
        }
        match self.plain.as_ref()?.verdict(data) {
            Action::Errno(errno) => Some(errno),
            _ => None,
        }
    }

    /// What is told of a refused call.
    pub(crate) fn event(&self, data: &SeccompData, pid: u32) -> Option<Event> {
        let row = TABLE.iter().find(|row| syscall_number(row.call) == Some(data.nr))?;
        let object = (row.object)(data.args);
        let event = Event::new(Verdict::Denied, row.call, OsStr::new(&object)).access(Access::Call).by(pid);
        let (rule, origin) = self.rule(row);
        Some(event.rule(&rule, &origin))
    }

    /// The same event with the flag that lets the call through: the first that does so when it is tried.
    pub(crate) fn remedied(&self, event: Event, data: &SeccompData) -> Event {
        let row = TABLE.iter().find(|row| row.call == event.call);
        let mut remedies = row.map_or(NOTHING, |row| row.remedies).iter();
        match remedies.find(|remedy| self.helps(**remedy, &event.call, data)) {
            Some(remedy) => event.flag(&remedy.flag(row.map_or("", |row| row.call))),
            None => event,
        }
    }

    fn helps(&self, remedy: Remedy, call: &str, data: &SeccompData) -> bool {
        let policy = remedy.applied(Policy::clone(&self.policy), call);
        plan(&policy, &self.host, self.call).is_ok_and(|plan| plan.filter.verdict(data) == Action::Allow)
    }

    fn rule(&self, row: &Told) -> (String, String) {
        let holds =
            |group: &str, call: &str| belljar_bpf::group(group).is_ok_and(|group| group.lets_through(call));
        let decision = syscall_decision(&self.policy, row.call, &holds);
        match decision.allowed {
            true => (row.rule.to_owned(), Origin::Default.to_string()),
            false => (decision.rule, decision.origin.to_string()),
        }
    }
}

impl Remedy {
    fn flag(self, call: &str) -> String {
        match self {
            Self::Group(group) => format!("--allow-syscall {group}"),
            Self::Itself => format!("--allow-syscall {call}"),
            Self::Debug => "--debug".to_owned(),
            Self::Net(NetMode::None) => "--net none".to_owned(),
            Self::Net(_) => "--net host".to_owned(),
        }
    }

    fn applied(self, mut policy: Policy, call: &str) -> Policy {
        let allow = |name: &str| Setting::new(name.to_owned(), Origin::Api);
        match self {
            Self::Group(group) => policy.syscalls.allow.push(allow(group)),
            Self::Itself => policy.syscalls.allow.push(allow(call)),
            Self::Debug => policy.debug = Setting::new(true, Origin::Api),
            Self::Net(mode) => policy.net.mode = Setting::new(mode, Origin::Api),
        }
        policy
    }
}
