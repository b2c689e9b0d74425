//! One jar from plan to report: opens what the child needs, starts it, attends it, tells how it ended.

mod answers;
mod attended;
mod descriptors;
mod network;
mod owners;
mod passed;
mod promises;
mod quiet;
mod services;
mod talks;
mod verdict;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use belljar_policy::Policy;
use belljar_sys::abi::{TerminalSettings, TerminalSize};
use belljar_sys::wire::Failure;

use crate::command::Command;
use crate::error::StartError;
use crate::event::Events;
use crate::limits::{Amounts, Group};
use crate::plan::{self, Call, Engine, Plan, Refusals, Step};
use crate::prepare::{self, Invocation, Overlay, Storage, Walker, program};
use crate::probe::HostFacts;
use crate::report::Report;
use crate::spawn::{self, Started, raw, supervisor};
use crate::supervise::{self, Hearing, Outcome, Refused, Relay, Signals, Watch};
pub(crate) use attended::Attended;
pub use attended::Killer;
pub(crate) use descriptors::look;
use descriptors::{Look, Streams};
use network::Network;
pub(crate) use owners::of_system;
pub(crate) use quiet::quietly;
pub use services::socket_of;
pub(crate) use services::{Around, named};
use talks::Talks;

/// Who drives the jar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A program with threads and signals of its own.
    Library,
    /// A process whose only job is this jar.
    Foreground,
}

/// A jar that runs.
#[derive(Debug)]
pub(crate) struct Running {
    started: Arc<Started>,
    watch: Watch,
    group: Option<Group>,
    plan: Arc<Plan>,
    limits: belljar_policy::Limits,
    events: Arc<Events>,
    vows: promises::Broken,
    /// Whoever serves the jar's network.
    service: Option<belljar_net::Service>,
    /// The memory of the overlays, where it is looked at.
    aside: Option<Aside>,
    over: bool,
}

/// Memory with the changes of overlays, and whose changes lie where.
pub(crate) type Aside = (OwnedFd, Vec<Overlay>);

pub(crate) type Pipes = [Option<OwnedFd>; 3];

/// Turns a failure record into an error, while the ops it speaks of still live.
pub(crate) type Explain<'a> = &'a dyn Fn(Failure) -> StartError;

/// Plans, prepares and starts; `then` gets the running jar while everything that it was made from still lives.
pub(crate) fn start<R>(
    command: &mut Command,
    mode: Mode,
    then: impl FnOnce(Running, Pipes, Explain<'_>) -> R,
) -> Result<R, StartError> {
    attempt(command, mode, then).map_err(|error| prepare::unmapped().unwrap_or(error))
}

fn attempt<R>(
    command: &mut Command,
    mode: Mode,
    then: impl FnOnce(Running, Pipes, Explain<'_>) -> R,
) -> Result<R, StartError> {
    let foreground = mode == Mode::Foreground;
    let (facts, look) = (Arc::new(command.host_facts()), look(&command.stdio));
    let call = call(command, look, mode);
    let plan = Arc::new(plan::plan(&command.policy, &facts, call)?);
    prepare::refuse_unmapped(&plan)?;
    let talks = Talks::open(command)?;
    let narrowed = passed::narrow(&command.policy.pass_fds, &plan, foreground)?;
    let mut streams = Streams::open(command, look)?;
    let host_terminal = host_terminal(&plan, call.terminals)?;
    let group = group(&plan, command, &facts)?;
    let mut walker = Walker::new(&facts.root_links);
    let mut owners = owners::detach(&plan, &facts, &mut walker)?;
    let (cwd, mut storage) = (working_folder(command)?, storage(&plan)?);
    let mut outside = (judges(command, &talks), Network::open(&plan, command, foreground)?);
    let cgroup: Vec<i32> = group.iter().flat_map(Group::procs).map(|fd| raw(&fd)).collect();
    let (detached, logs, status) = (owners.by_path(), streams.logs(), spawn::status_pair()?);
    let invocation = Invocation {
        stdio: streams.child(),
        host_terminal: host_terminal.as_ref().map(|pair| raw(&pair.1)),
        detached: &detached,
        cgroup: &cgroup,
        witness: raw(&status.0),
        terminal: screen_look(call.terminals),
        narrowed: &narrowed,
        logs: &logs,
        errands: outside.1.errands(),
        ..invocation(command, &cwd)
    };
    storage.kept = descriptors::kept(&invocation, &command.policy.pass_fds);
    let found = program::find(&command.policy, &invocation, &storage)?;
    let prepared = prepare::prepare(&plan, &command.policy, &invocation, &found, &storage, walker)?;
    let signals = if foreground { Some(take_signals()?) } else { None };
    // Keys typed ahead stay with the caller's terminal until there is a program to read them.
    let announce = !foreground || call.terminals != 0;
    let mut started = spawn::spawn(&plan, &prepared, status, announce)?;
    let events = Arc::new(Events::new(command.observer.clone()));
    outside.0.hearing = hearing(&command.policy, &facts, call, &events);
    let hearing = outside.0.hearing.clone();
    let served = quietly(mode, || serve(outside, &command.policy, &plan, &prepared, &mut started, &events));
    let (vows, broker, service) = started.or_end(served)?;
    let mut refused = refused(&plan, hearing);
    started.or_end(spawn::await_exec(announce, &prepared, &started, refused.as_mut()))?;
    owners.settle();
    streams.close_child();
    let master = started.terminal.take().or(host_terminal.map(|(master, _)| master));
    let relay = started.or_end(relay(master, call.terminals))?;
    let mut watch = watch(&plan, command, signals, relay, streams.take_output());
    (watch.broker, watch.refused) = (broker, refused);
    talks.begin(&mut started, &mut watch, &events);
    watch.memory = watch.memory.filter(|_| !facts.cgroup.has("memory"));
    let aside = started.folder.take().map(|folder| (folder, prepared.overlays()));
    let (limits, plan, started) = (command.policy.limits.clone(), Arc::clone(&plan), Arc::new(started));
    let running = Running { started, watch, group, plan, limits, events, vows, service, aside, over: false };
    Ok(then(running, streams.pipes(), &|failure| spawn::failed(&prepared, failure)))
}

/// What the command alone says.
fn invocation<'a>(command: &'a Command, cwd: &'a Path) -> Invocation<'a> {
    Invocation {
        program: &command.program,
        args: &command.args,
        env: &command.env,
        cwd,
        home: command.home.as_deref(),
        stdio: [None; 3],
        host_terminal: None,
        detached: &[],
        watches_aside: command.aside,
        witness: -1,
        terminal: (TerminalSize::default(), None),
        narrowed: &[],
        logs: &[],
        errands: None,
        cgroup: &[],
    }
}

type Served = (promises::Broken, Option<crate::broker::Broker>, Option<belljar_net::Service>);

fn judges(command: &Command, talks: &Talks) -> answers::Judges {
    answers::Judges {
        wrap: command.judge.clone(),
        desk: talks.desk.clone(),
        network: None,
        explains: command.explains,
        hearing: None,
    }
}

/// Starts whoever answers the jar's calls and serves its network, where the plan has them.
fn serve(
    (mut judges, network): (answers::Judges, Network),
    policy: &belljar_policy::Policy,
    plan: &Plan,
    prepared: &prepare::Prepared<'_>,
    started: &mut Started,
    events: &Arc<Events>,
) -> Result<Served, StartError> {
    let vows = promises::start(&mut started.listener, plan, policy, events, judges.hearing.clone())?;
    let asker = plan.asks_hosts().then(|| answers::host_asker(judges.desk.as_ref(), events));
    let (service, beyond) = network.serve(plan, &policy.net, started, events, asker)?;
    judges.network = service.as_ref().filter(|_| plan.asks_hosts()).map(belljar_net::Service::remote);
    let surroundings = answers::Surroundings { plan, prepared, policy, beyond };
    let broker = answers::start(started.listener.take(), surroundings, judges, events)?;
    Ok((vows, broker, service))
}

fn storage(plan: &Plan) -> Result<Storage, StartError> {
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

fn take_signals() -> Result<Signals, StartError> {
    Signals::take().map_err(|source| supervisor("taking over signals", source))
}

fn working_folder(command: &Command) -> Result<PathBuf, StartError> {
    match &command.cwd {
        Some(path) => Ok(path.clone()),
        None => std::env::current_dir().map_err(|source| supervisor("asking for the current folder", source)),
    }
}

/// Where the jar cannot make its own terminal the supervisor makes one.
fn host_terminal(plan: &Plan, terminals: u8) -> Result<Option<(OwnedFd, OwnedFd)>, StartError> {
    if terminals == 0 || plan.init.contains(&Step::OpenTerminal) {
        return Ok(None);
    }
    supervise::host_pair().map(Some).map_err(|source| supervisor("making a terminal", source))
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

/// A standard descriptor that is the caller's terminal: the one that is written to first.
fn screen(terminals: u8) -> i32 {
    [1, 2, 0].into_iter().find(|fd| terminals & (1 << fd) != 0).unwrap_or(1)
}

/// What the jar's terminal starts with.
fn screen_look(terminals: u8) -> (TerminalSize, Option<TerminalSettings>) {
    let look = |fd: std::os::fd::BorrowedFd<'_>| belljar_sys::owned::terminal_look(fd);
    match terminals {
        0 => (TerminalSize::default(), None),
        _ => belljar_sys::owned::with_inherited(screen(terminals), look).unwrap_or_default(),
    }
}

fn relay(master: Option<OwnedFd>, terminals: u8) -> Result<Option<Relay>, StartError> {
    let Some(master) = master else { return Ok(None) };
    let copy = |fd| belljar_sys::owned::duplicate(fd);
    let open = || {
        let failed = |errno: belljar_sys::Errno| std::io::Error::from_raw_os_error(errno.0);
        let keys = (terminals & 1 != 0).then(|| copy(0)).transpose().map_err(failed)?;
        Relay::new(master, copy(screen(terminals)).map_err(failed)?, keys)
    };
    open().map(Some).map_err(|source| supervisor("relaying the terminal", source))
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

impl Running {
    /// What overlays keep aside, to be read after the end.
    pub(crate) fn take_aside(&mut self) -> Option<Aside> {
        self.aside.take()
    }

    /// Lets somebody attend it: a thread, where there is anything to watch before the caller waits.
    pub(crate) fn attended(self) -> Result<Attended, StartError> {
        Attended::begin(self)
    }

    /// Something has to be done for it before its end.
    fn is_watched(&self) -> bool {
        self.service.is_some() || self.watch.is_watched()
    }

    /// Attends to the end, for a library's caller. Init's own exit is waited for only where something hangs on it; else by who
    /// drops what it was attended by.
    fn wait(mut self) -> Result<Report, StartError> {
        let outcome = self.attend()?;
        if outcome.ended.is_none() || self.group.is_some() {
            supervise::reap(&self.started).map_err(|source| supervisor("waiting for the jar", source))?;
        }
        Ok(self.report(&outcome))
    }

    /// Attends to the end, for a foreground job. Init's own exit is not waited for: it says its last word when nothing
    /// else of the jar lives.
    pub(crate) fn finish(mut self, explain: Explain<'_>) -> Result<Report, StartError> {
        self.outcome(explain)
    }

    /// The same for a process that ends with the job: what lives in this process alone is left to its end.
    pub(crate) fn finish_for_good(mut self, explain: Explain<'_>) -> Result<Report, StartError> {
        let report = self.outcome(explain);
        self.group = None;
        self.watch.clerk = None;
        std::mem::forget(self);
        report
    }

    fn outcome(&mut self, explain: Explain<'_>) -> Result<Report, StartError> {
        let outcome = self.attend()?;
        if outcome.failure.is_some() || self.group.is_some() {
            drop(supervise::reap(&self.started));
        }
        match outcome.failure {
            Some(failure) => Err(explain(failure)),
            None => Ok(self.report(&outcome)),
        }
    }

    fn attend(&mut self) -> Result<Outcome, StartError> {
        let outcome = supervise::attend(&self.started, &mut self.watch);
        self.watch.relay = None;
        self.service = None;
        self.over = true;
        outcome.map_err(|source| supervisor("attending the jar", source))
    }

    fn report(&self, outcome: &Outcome) -> Report {
        verdict::report(self, outcome)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            // Nobody is left to tell; the kernel ends the jar with its lifeline in any case.
            drop(supervise::kill(&self.started, self.watch.own_pids));
        }
    }
}
