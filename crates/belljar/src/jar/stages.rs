//! The stages of a start: what is decided, what is opened by that, and how the prepared jar begins. Each takes what the one
//! before it has made.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use belljar_policy::{Otherwise, Policy};
use belljar_sys::Fd;
use belljar_sys::abi::{TerminalSettings, TerminalSize};
use belljar_sys::owned;
use belljar_sys::spawn::{Blocked, Sequence};

use super::descriptors::{Look, Streams};
use super::fence::Fence;
use super::kept::Kept;
use super::lent::Lent;
use super::network::Network;
use super::owners::{self, Owners};
use super::screen::{host_terminal, relay, screen_look};
use super::talks::Talks;
use super::{Running, answers, look, passed, promises};
use crate::broker::{Broker, Hearing, Refused};
use crate::command::Command;
use crate::error::StartError;
use crate::event::Events;
use crate::limits::{Amounts, Group};
use crate::plan::{self, Call, Engine, Plan, Refusals, Step};
use crate::prepare::{self, Invocation, Narrowed, Storage};
use crate::probe::HostFacts;
use crate::service::syslog::{self, Intake, Scribe};
use crate::spawn::{self, Started, raw, supervisor};
use crate::supervise::{self, Relay, Signals, Watch};
use crate::threads::{Mode, quietly};
use crate::walk::Walker;

/// What is known before anything is opened.
pub(super) struct Decided {
    pub(super) facts: Arc<HostFacts>,
    pub(super) plan: Arc<Plan>,
    look: Look,
    call: Call,
    mode: Mode,
}

impl Decided {
    pub(super) fn on(command: &Command, earlier: &mut Kept, mode: Mode) -> Result<Self, StartError> {
        let (facts, look) = (command.host_facts(), look(&command.stdio));
        let call = call(command, look, mode);
        let plan = earlier.plan(&command.policy, &facts, call)?;
        prepare::refuse_unmapped(&plan)?;
        Ok(Self { facts, plan, look, call, mode })
    }
}

/// What stays open until the jar has what it needs of it.
pub(super) struct Opened {
    pub(super) streams: Streams,
    lent: Lent,
    owners: Owners,
    host_terminal: Option<(OwnedFd, OwnedFd)>,
}

/// What the running jar takes over.
pub(super) struct Handed {
    talks: Talks,
    group: Option<Group>,
    judges: answers::Judges,
    network: Network,
    log: Option<syslog::Opened>,
    status: (OwnedFd, OwnedFd),
}

/// How the ops name what is open: by numbers, and by the paths that it was opened by.
pub(super) struct Named {
    narrowed: Vec<Narrowed>,
    stdio: [Option<Fd>; 3],
    logs: Vec<(Fd, Fd)>,
    host_terminal: Option<Fd>,
    sent: Vec<PathBuf>,
    cgroup: Vec<Fd>,
    ids: (u32, u32),
    witness: Fd,
    errands: Option<Fd>,
    terminal: (TerminalSize, Option<TerminalSettings>),
    cwd: PathBuf,
}

/// Opens what the plan needs of the host.
pub(super) fn open(
    command: &Command,
    decided: &Decided,
    earlier: &mut Kept,
    walker: &mut Walker<'_>,
) -> Result<(Opened, Handed, Named), StartError> {
    let Decided { plan, facts, look, call, mode } = decided;
    let foreground = *mode == Mode::Foreground;
    // Before the rest: with the lowest number there is nothing below it for init to close.
    let status = spawn::status_pair()?;
    let talks = Talks::open(command)?;
    let narrowed = passed::narrow(&command.policy.pass_fds, plan, foreground)?;
    let streams = Streams::open(command, *look)?;
    let host_terminal = host_terminal(plan, call.terminals)?;
    let group = group(plan, command, facts)?;
    let owners = owners::look(plan, facts, walker, earlier.take_spaces())?;
    let cwd = working_folder(command)?;
    let judges = judges(command, &talks);
    let network = Network::open(plan, command, foreground)?;
    let log = syslog::open(&command.policy)?;
    let named = Named {
        narrowed,
        stdio: streams.child(),
        logs: streams.logs(),
        host_terminal: host_terminal.as_ref().map(|pair| raw(&pair.1)),
        sent: owners.paths(),
        cgroup: group.iter().flat_map(Group::procs).map(|fd| raw(&fd)).collect(),
        ids: (facts.uid, facts.gid),
        witness: raw(&status.0),
        errands: network.errands(),
        terminal: screen_look(call.terminals),
        cwd,
    };
    // A library's caller goes on using its own meanwhile.
    let lent = if foreground { Lent::look(*look) } else { Lent::default() };
    let opened = Opened { streams, lent, owners, host_terminal };
    Ok((opened, Handed { talks, group, judges, network, log, status }, named))
}

impl Opened {
    /// What the next start of the command can use again.
    pub(super) fn leave(&mut self, next: &mut Kept) {
        next.put_spaces(self.owners.take_spaces());
    }
}

impl Named {
    /// What is run, with what is open.
    pub(super) fn invocation<'a>(&'a self, command: &'a Command) -> Invocation<'a> {
        Invocation {
            program: &command.program,
            args: &command.args,
            env: &command.env,
            cwd: &self.cwd,
            home: command.home.as_deref(),
            stdio: self.stdio,
            host_terminal: self.host_terminal,
            sent: &self.sent,
            watches_aside: command.aside,
            witness: self.witness,
            terminal: self.terminal,
            narrowed: &self.narrowed,
            logs: &self.logs,
            errands: self.errands,
            cgroup: &self.cgroup,
            ids: self.ids,
        }
    }
}

/// Starts what was prepared and whoever serves it. Nothing of the jar is left when this fails.
pub(super) fn begin(
    command: &Command,
    decided: &Decided,
    opened: &mut Opened,
    handed: Handed,
    prepared: &prepare::Prepared<'_>,
) -> Result<Running, StartError> {
    // Keys typed ahead stay with the caller's terminal until there is a program to read them.
    let announce = decided.mode == Mode::Library || decided.call.terminals != 0;
    let sequence = spawn::sequence(&decided.plan, prepared, announce);
    let start = Start { prepared, sequence: &sequence, fence: None, signals: None };
    let Some(domain) = Fence::domain(&decided.plan) else {
        return begin_with(command, decided, opened, handed, start);
    };
    // Threads take over what is blocked when they are made, and nothing else may be: the clone blocks the rest for itself.
    let mut blocked = spawn::block_signals()?;
    let signals = take_signals(decided.mode, &mut blocked)?;
    drop(blocked);
    std::thread::scope(|scope| {
        let fence = Fence::raise(scope, domain, decided.mode, prepared)?;
        begin_with(command, decided, opened, handed, Start { fence: Some(&fence), signals, ..start })
    })
}

/// How a prepared jar comes into being.
struct Start<'a, 'env> {
    prepared: &'a prepare::Prepared<'a>,
    sequence: &'env Sequence<'env>,
    fence: Option<&'a Fence<'env>>,
    signals: Option<Signals>,
}

fn begin_with(
    command: &Command,
    decided: &Decided,
    opened: &mut Opened,
    handed: Handed,
    Start { prepared, sequence, fence, signals }: Start<'_, '_>,
) -> Result<Running, StartError> {
    let Decided { plan, facts, call, mode, .. } = decided;
    let Handed { talks, group, mut judges, network, log, status } = handed;
    let mut blocked = spawn::block_signals()?;
    let signals = if fence.is_some() { signals } else { take_signals(*mode, &mut blocked)? };
    let clones = |blocked: &Blocked, end: OwnedFd| match fence {
        Some(fence) => fence.run(move || owned::spawn(sequence, &end)),
        None => Ok(owned::spawn_blocked(blocked, sequence, &end)),
    };
    let owners = &mut opened.owners;
    let mut started =
        spawn::spawn(plan, prepared, status, blocked, clones, |blocked| owners.translate(blocked))?;
    let events = Arc::new(Events::new(command.observer.clone()));
    let hearing = hearing(&command.policy, facts, *call, &events);
    judges.hearing.clone_from(&hearing);
    let asks = (call.asks || call.learns) && plan.asks_hosts();
    let scribe = quietly(*mode, || log.map(Scribe::start).transpose());
    let scribe = started.or_end(scribe.map_err(|source| supervisor("starting the log", source)))?;
    let served = (network, scribe.as_ref().map(Scribe::intake));
    let serve =
        || serve((judges, served, asks), &command.policy, (plan, fence), prepared, &mut started, &events);
    let served = quietly(*mode, serve);
    let (vows, broker, service) = started.or_end(served)?;
    let mut refused = refused(plan, hearing);
    let alarm = broker.as_ref().map(Broker::alarm);
    started.or_end(spawn::await_exec(sequence.announce, prepared, &started, refused.as_mut(), alarm))?;
    opened.owners.settle();
    opened.streams.close_child();
    let master = started.terminal.take().or(opened.host_terminal.take().map(|(master, _)| master));
    let relay = started.or_end(relay(master, call.terminals))?;
    let mut watch = watch(plan, command, signals, relay, opened.streams.take_output());
    (watch.broker, watch.refused) = (broker, refused);
    talks.begin(&mut started, &mut watch, &events);
    watch.memory = watch.memory.filter(|_| !facts.cgroup.has("memory"));
    let aside = started.folder.take().map(|folder| (folder, prepared.overlays()));
    let (limits, plan, started) = (command.policy.limits.clone(), Arc::clone(plan), Arc::new(started));
    let void = prepared.void().to_vec();
    Ok(Running {
        started,
        watch,
        group,
        plan,
        void,
        limits,
        otherwise: command.policy.syscalls.otherwise.as_ref().map_or(Otherwise::Refuse, |set| set.value),
        events,
        vows,
        service,
        scribe,
        aside,
        lent: std::mem::take(&mut opened.lent),
        over: false,
    })
}

type Served = (promises::Broken, Option<Broker>, Option<belljar_net::Service>);

fn judges(command: &Command, talks: &Talks) -> answers::Judges {
    answers::Judges {
        wrap: command.judge.clone(),
        desk: talks.desk.clone(),
        network: None,
        explains: command.explains,
        hearing: None,
        home: command.home.clone(),
    }
}

/// Starts whoever answers the jar's calls and serves its network, where the plan has them.
fn serve(
    (mut judges, (network, log), asks): (answers::Judges, (Network, Option<Intake>), bool),
    policy: &Policy,
    (plan, fence): (&Plan, Option<&Fence<'_>>),
    prepared: &prepare::Prepared<'_>,
    started: &mut Started,
    events: &Arc<Events>,
) -> Result<Served, StartError> {
    let vows = promises::start(&mut started.listener, plan, policy, events, judges.hearing.clone())?;
    let asker = asks.then(|| answers::host_asker(judges.desk.as_ref(), events));
    let (service, beyond) = network.serve(plan, policy, started, events, (asker, log))?;
    judges.network = service.as_ref().filter(|_| asks).map(belljar_net::Service::remote);
    let surroundings = answers::Surroundings { plan, prepared, policy, beyond };
    let broker = answers::start(started.listener.take(), surroundings, judges, events, fence)?;
    Ok((vows, broker, service))
}

pub(super) fn storage(plan: &Plan) -> Result<Storage, StartError> {
    let handed = plan.broker.as_ref().map(|broker| plan::sock_filters(&broker.filter)).unwrap_or_default();
    let served = plan.served().unwrap_or_default();
    let relayed = plan.broker.as_ref().is_some_and(plan::BrokerPlan::relays);
    let storage = Storage { handed, served, relayed, ..Storage::default() };
    let Some(promises) = &plan.promises else {
        return Ok(Storage { filter: plan::sock_filters(&plan.filter), ..storage });
    };
    let ticket = promises::ticket()?;
    let known = belljar_bpf::Ticket { first: ticket.first, second: ticket.second };
    Ok(Storage { filter: promises.with_ticket(known)?, ticket: Some(ticket), ..storage })
}

fn call(command: &Command, look: Look, mode: Mode) -> Call {
    Call {
        terminals: look.terminals,
        dies_with_thread: mode == Mode::Foreground,
        tells: command.tells,
        asks: command.ask.is_some(),
        learns: command.aside,
        workers: command.workers,
    }
}

/// Hears what the filter refuses, where somebody wants to know.
fn hearing(
    policy: &Arc<Policy>,
    facts: &Arc<HostFacts>,
    call: Call,
    events: &Arc<Events>,
) -> Option<Arc<Hearing>> {
    let refusals = || Refusals::new(Arc::clone(policy), Arc::clone(facts), call);
    call.tells.then(|| Arc::new(Hearing::new(refusals(), Arc::clone(events))))
}

/// The filter's own listener, where it has one.
fn refused(plan: &Plan, hearing: Option<Arc<Hearing>>) -> Option<Refused> {
    hearing.filter(|_| plan.program.contains(&Step::TellingSeccomp)).map(Refused::new)
}

/// Before other threads are started.
fn take_signals(mode: Mode, blocked: &mut Blocked) -> Result<Option<Signals>, StartError> {
    let taken = (mode == Mode::Foreground).then(|| Signals::take(blocked)).transpose();
    taken.map_err(|source| supervisor("taking over signals", source))
}

fn working_folder(command: &Command) -> Result<PathBuf, StartError> {
    match &command.cwd {
        Some(path) => Ok(path.clone()),
        None => match std::env::current_dir() {
            // Nobody needs a folder that was removed, unless the program is named from there.
            Err(gone) if gone.kind() == ErrorKind::NotFound && !is_named_from_there(command) => {
                Ok("/".into())
            }
            asked => asked.map_err(|source| supervisor("asking for the current folder", source)),
        },
    }
}

/// The program is a relative path, and not a name that is searched for.
fn is_named_from_there(command: &Command) -> bool {
    Path::new(&command.program).is_relative() && command.program.as_bytes().contains(&b'/')
}

fn group(plan: &Plan, command: &Command, facts: &HostFacts) -> Result<Option<Group>, StartError> {
    if !plan.init.contains(&Step::JoinCgroup) {
        return Ok(None);
    }
    let limits = &command.policy.limits;
    let has = |controller| facts.cgroup.has(controller);
    // What has no controller here is held by something else, as the plan says.
    let amounts = Amounts {
        memory: limits.memory.as_ref().filter(|_| has("memory")).map(|limit| limit.value.0),
        // Init is counted too.
        pids: limits.pids.as_ref().filter(|_| has("pids")).map(|limit| limit.value.saturating_add(1)),
        cpu_percent: None,
    };
    Group::create(&facts.cgroup, &amounts).map(Some).map_err(|error| StartError::Limit(error.to_string()))
}

fn watch(
    plan: &Plan,
    command: &Command,
    signals: Option<Signals>,
    relay: Option<Relay>,
    output: supervise::Output,
) -> Watch {
    let limits = &command.policy.limits;
    Watch {
        own_pids: plan.engine == Engine::Namespaces,
        wall: limits.wall.as_ref().map(|limit| limit.value),
        memory: limits.memory.as_ref().map(|limit| limit.value.0),
        memory_close: false,
        cpu: limits.cpu.as_ref().map(|limit| limit.value),
        signals,
        relay,
        broker: None,
        output,
        ..Watch::default()
    }
}
