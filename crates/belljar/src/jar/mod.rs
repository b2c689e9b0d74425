//! One jar from plan to report: opens what the child needs, starts it, attends it, tells how it ended.

mod answers;
mod attended;
mod descriptors;
mod ended;
mod fence;
mod kept;
mod lent;
mod network;
mod owners;
mod passed;
mod promises;
mod screen;
mod servers;
mod services;
mod stages;
mod talks;
mod verdict;
mod whose;

use std::os::fd::OwnedFd;
use std::sync::Arc;

use belljar_sys::wire::Failure;

use crate::command::Command;
use crate::error::StartError;
use crate::event::Events;
use crate::limits::Group;
use crate::plan::Plan;
use crate::prepare::{self, Overlay, Storage, program};
use crate::report::{Report, Void};
use crate::service::syslog::Scribe;
use crate::spawn::{self, Started, supervisor};
use crate::supervise::{self, Outcome, Watch};
use crate::threads::Mode;
use crate::walk::Walker;
pub(crate) use attended::Attended;
pub use attended::Killer;
pub(crate) use descriptors::look;
pub(crate) use kept::Kept;
use lent::Lent;
pub(crate) use owners::of_system;
pub(crate) use services::Around;
pub use services::socket_of;
pub(crate) use services::{SSH_AGENT, named, restricted};
use stages::Decided;

/// A jar that runs.
#[derive(Debug)]
pub(crate) struct Running {
    started: Arc<Started>,
    watch: Watch,
    group: Option<Group>,
    plan: Arc<Plan>,
    /// Placements of the plan that have come to nothing.
    void: Vec<(usize, Void)>,
    limits: belljar_policy::Limits,
    /// What becomes of calls that no rule names.
    otherwise: belljar_policy::Otherwise,
    events: Arc<Events>,
    vows: promises::Broken,
    /// Whoever serves the jar's network.
    service: Option<belljar_net::Service>,
    /// Whoever writes down what programs log.
    scribe: Option<Scribe>,
    /// The memory of the overlays, where it is looked at.
    aside: Option<Aside>,
    lent: Lent,
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
    let mut earlier = std::mem::take(&mut command.kept);
    let done = attempt(command, &mut earlier, mode, then);
    command.kept = earlier;
    done.map_err(|error| prepare::unmapped().unwrap_or(error))
}

fn attempt<R>(
    command: &Command,
    earlier: &mut Kept,
    mode: Mode,
    then: impl FnOnce(Running, Pipes, Explain<'_>) -> R,
) -> Result<R, StartError> {
    // A process of its own has them open: the run-time of its language sees to that.
    let _stand_ins = (mode == Mode::Library).then(descriptors::stand_ins).transpose()?;
    let decided = Decided::on(command, earlier, mode)?;
    let mut walker = Walker::new(&decided.facts.root_links);
    let (mut opened, handed, named) = stages::open(command, &decided, earlier, &mut walker)?;
    let invocation = named.invocation(command);
    let kept = descriptors::kept(&invocation, &command.policy.pass_fds);
    let storage = Storage { kept, ..stages::storage(&decided.plan)? };
    let found = program::find(&command.policy, &invocation, &storage)?;
    let prepared = prepare::prepare(&decided.plan, &command.policy, &invocation, &found, &storage, walker)?;
    let running = stages::begin(command, &decided, &mut opened, handed, &prepared)?;
    opened.leave(earlier);
    Ok(then(running, opened.streams.pipes(), &|failure| spawn::failed(&prepared, failure)))
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
        self.lent.give_back();
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
        if let Some(scribe) = self.scribe.take() {
            verdict::logged(&scribe.finish(), &self.events);
        }
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
