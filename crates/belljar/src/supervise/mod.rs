//! While a jar runs: one loop over its status socket, the caller's signals, its terminal, its output and the clock.

mod outlet;
mod output;
mod signals;
mod spent;
mod terminal;
mod tree;
mod window;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use belljar_sys::wire::{Command, Ended, Event, Failure};
use belljar_sys::{Errno, owned};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, pidfd_send_signal};

pub(crate) use outlet::{Outlet, Patience};
pub(crate) use output::Output;
pub(crate) use signals::Signals;
use spent::Spent;
pub(crate) use terminal::{Relay, host_pair};
pub use window::Terminal;

use crate::action::Clerk;
use crate::ask::Attendant;
use crate::broker::{Broker, Refused};
use crate::report::LimitKind;
use crate::spawn::{self, Started};

/// How often the memory of a tree is looked at where no control group holds it.
const MEMORY_PERIOD: Duration = Duration::from_millis(20);
/// The same once a tree holds a good part of its limit: two processors fill tens of megabytes in a long period.
const CLOSE_PERIOD: Duration = Duration::from_millis(2);
/// How often the processor time of a tree is looked at.
const CPU_PERIOD: Duration = Duration::from_millis(50);
/// How long a jar without a PID namespace may take to end itself before its init is killed.
const GRACE: Duration = Duration::from_millis(500);

/// What the supervisor watches beside the status socket.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The jar's processes live in a PID namespace: killing its init kills all.
    pub(crate) own_pids: bool,
    /// Wall-clock limit, from the start.
    pub(crate) wall: Option<Duration>,
    /// Memory of the tree in bytes, where nothing else holds it.
    pub(crate) memory: Option<u64>,
    /// The tree held more than an eighth of that limit when it was looked at last.
    pub(crate) memory_close: bool,
    /// Processor time of the tree.
    pub(crate) cpu: Option<Duration>,
    /// How much of it was seen.
    pub(crate) spent: Spent,
    /// Signals to pass on.
    pub(crate) signals: Option<Signals>,
    /// Answers calls.
    pub(crate) broker: Option<Broker>,
    /// Hears what the filter refuses.
    pub(crate) refused: Option<Refused>,
    /// Terminal to relay.
    pub(crate) relay: Option<Relay>,
    /// Output to count.
    pub(crate) output: Output,
    /// Puts questions to the user.
    pub(crate) attendant: Option<Attendant>,
    /// Serves the jar's requests.
    pub(crate) clerk: Option<Clerk>,
    /// Readable when nobody has patience for the last output's readers any more.
    pub(crate) stop: Option<Arc<OwnedFd>>,
}

impl Watch {
    /// Something may be left to do after the jar's end: output that its reader has yet to take.
    pub(crate) fn relays(&self) -> bool {
        self.relay.is_some() || !self.output.is_empty()
    }

    /// Something has to be done before the jar's end.
    pub(crate) fn is_watched(&self) -> bool {
        let clocks = self.wall.is_some() || self.memory.is_some() || self.cpu.is_some();
        let talks = self.attendant.is_some() || self.clerk.is_some();
        let answers = self.broker.is_some() || self.refused.is_some();
        clocks
            || talks
            || answers
            || self.signals.is_some()
            || self.relay.is_some()
            || !self.output.is_empty()
    }
}

/// How a run ended, as the supervisor saw it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Init's last word.
    pub(crate) ended: Option<Ended>,
    /// A step that failed before the program ran.
    pub(crate) failure: Option<Failure>,
    /// The first limit that the supervisor itself saw reached.
    pub(crate) limit: Option<LimitKind>,
    /// Signals passed on.
    pub(crate) forwarded: Vec<i32>,
    /// Most memory that was seen at once, where it was watched.
    pub(crate) peak: u64,
    /// User and system time of a tree that was killed, which init did not live to tell.
    pub(crate) spent: Option<[Duration; 2]>,
}

/// Attends a jar until its end. Everything of it is gone when this returns.
///
/// # Errors
/// Polling failed; the jar is killed then.
pub(crate) fn attend(started: &Started, watch: &mut Watch) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let result = follow(started, watch, &mut outcome);
    if outcome.ended.is_none() && outcome.failure.is_none() {
        outcome.spent = Some(spent::so_far(started.child.pid));
        outcome.peak = outcome.peak.max(tree::memory(started.child.pid));
        kill(started, watch.own_pids)?;
    }
    // Questions are over, and the terminal is as it was before they were put.
    watch.attendant = None;
    let drained = drain(watch, outcome.limit.is_some());
    if watch.output.is_over() {
        outcome.limit.get_or_insert(LimitKind::Output);
    }
    result.and(drained).map(|()| outcome)
}

/// Brings the last output to its readers; after a limit they have only a moment for it.
fn drain(watch: &mut Watch, limited: bool) -> io::Result<()> {
    let until = limited.then(|| Instant::now() + GRACE);
    let stop = watch.signals.as_ref().map(AsFd::as_fd);
    let patience = Patience { until, stop: stop.or(watch.stop.as_ref().map(|stop| stop.as_fd())) };
    if let Some(relay) = &mut watch.relay {
        relay.drain(&mut watch.output, patience);
    }
    match watch.output.drain(patience) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn follow(started: &Started, watch: &mut Watch, outcome: &mut Outcome) -> io::Result<()> {
    loop {
        let ready = wait(started, watch)?;
        talk(watch);
        if let Some(refused) = &mut watch.refused {
            match ready.refused {
                seen if seen.contains(PollFlags::IN) => refused.turn(),
                seen if seen.contains(PollFlags::HUP) => refused.end(),
                seen if seen.is_empty() => {}
                _ => refused.listen(None),
            }
        }
        // Looked at anew: keys may have come for a question that has been shown since.
        if ready.relay
            && !is_asking(watch)
            && let Some(relay) = &mut watch.relay
        {
            relay.pump(started, &mut watch.output, &mut outcome.forwarded)?;
        }
        if ready.output {
            watch.output.pump()?;
        }
        if watch.output.is_over() {
            outcome.limit.get_or_insert(LimitKind::Output);
            return Ok(());
        }
        if ready.signals {
            signals::pass_on(started, watch, &mut outcome.forwarded)?;
        }
        if ready.status && last_word(started, watch, outcome)? {
            return Ok(());
        }
        if let Some(limit) = exceeded(started, watch, outcome) {
            outcome.limit.get_or_insert(limit);
            return Ok(());
        }
    }
}

/// Questions to the user and requests of the jar, as far as they can be dealt with at once.
fn talk(watch: &mut Watch) {
    if let Some(attendant) = &mut watch.attendant {
        attendant.turn(Instant::now());
    }
    if let Some(clerk) = &mut watch.clerk {
        clerk.turn(Instant::now());
    }
}

/// The socket says how it ended; its silent end means that init was killed from outside. False for a word before that.
fn last_word(started: &Started, watch: &mut Watch, outcome: &mut Outcome) -> io::Result<bool> {
    let (event, mut fds) = spawn::receive(&started.status)?;
    match event {
        Some(Event::Listener) if watch.refused.is_some() => {
            watch.refused.iter_mut().for_each(|refused| refused.listen(fds.pop()));
            return Ok(false);
        }
        Some(Event::Ended(ended)) => outcome.ended = Some(ended),
        Some(Event::Failed(failure)) => outcome.failure = Some(failure),
        _ => {}
    }
    Ok(true)
}

fn exceeded(started: &Started, watch: &mut Watch, outcome: &mut Outcome) -> Option<LimitKind> {
    if watch.wall.is_some_and(|wall| started.at.elapsed() >= wall) {
        return Some(LimitKind::Wall);
    }
    if let Some(limit) = watch.memory {
        let used = tree::memory(started.child.pid);
        outcome.peak = outcome.peak.max(used);
        watch.memory_close = used > limit / 8;
        if used > limit {
            return Some(LimitKind::Memory);
        }
    }
    let limit = watch.cpu?;
    (watch.spent.look(started.child.pid) >= limit).then_some(LimitKind::Cpu)
}

/// What poll found.
struct Ready {
    status: bool,
    signals: bool,
    relay: bool,
    output: bool,
    refused: PollFlags,
}

impl Ready {
    /// A word of init.
    const WORD: Self =
        Self { status: true, signals: false, relay: false, output: false, refused: PollFlags::empty() };
}

/// Who wants to hear of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Status,
    Signals,
    Broker,
    Refused,
    Terminal,
    Question,
    Request,
    Output,
}

/// The jar's own terminal waits while the user is asked on the caller's.
fn is_asking(watch: &Watch) -> bool {
    watch.attendant.as_ref().is_some_and(Attendant::is_asking)
}

fn sources<'w>(started: &'w Started, watch: &'w Watch) -> impl Iterator<Item = (Source, PollFd<'w>)> {
    let of = |source| move |(fd, flags)| (source, PollFd::from_borrowed_fd(fd, flags));
    let readable = |source| move |fd| (source, PollFd::from_borrowed_fd(fd, PollFlags::IN));
    let asking = is_asking(watch);
    let terminal = watch.relay.iter().filter(move |_| !asking).flat_map(Relay::interests);
    let signals = watch.signals.iter().map(AsFd::as_fd);
    let questions = watch.attendant.iter().flat_map(Attendant::interests);
    std::iter::once(readable(Source::Status)(started.status.as_fd()))
        .chain(signals.map(readable(Source::Signals)))
        .chain(watch.broker.iter().map(Broker::alarm).map(readable(Source::Broker)))
        .chain(watch.refused.iter().filter_map(Refused::interest).map(readable(Source::Refused)))
        .chain(terminal.map(of(Source::Terminal)))
        .chain(questions.map(of(Source::Question)))
        .chain(watch.clerk.iter().filter_map(Clerk::interest).map(readable(Source::Request)))
        .chain(watch.output.interests().map(of(Source::Output)))
}

fn wait(started: &Started, watch: &Watch) -> io::Result<Ready> {
    let (owners, mut set): (Vec<Source>, Vec<PollFd<'_>>) = sources(started, watch).unzip();
    let left = time_left(started, watch);
    if set.len() == 1 && left.is_none() {
        // Nothing else is watched: whoever reads the word waits for it.
        return Ok(Ready::WORD);
    }
    match poll(&mut set, left.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let seen = |owner| {
        let of_owner = set.iter().zip(&owners).filter(|(_, of)| **of == owner);
        of_owner.fold(PollFlags::empty(), |seen, (fd, _)| seen | fd.revents())
    };
    let ready = |owner| !seen(owner).is_empty();
    if ready(Source::Broker) {
        return Err(io::Error::other("the broker has failed"));
    }
    Ok(Ready {
        status: ready(Source::Status),
        signals: ready(Source::Signals),
        relay: ready(Source::Terminal),
        output: ready(Source::Output),
        refused: seen(Source::Refused),
    })
}

fn time_left(started: &Started, watch: &Watch) -> Option<Timespec> {
    let wall = watch.wall.map(|wall| wall.saturating_sub(started.at.elapsed()));
    let memory = watch.memory.map(|_| if watch.memory_close { CLOSE_PERIOD } else { MEMORY_PERIOD });
    let cpu = watch.cpu.map(|_| CPU_PERIOD);
    let question = watch.attendant.as_ref().and_then(|attendant| attendant.time_left(Instant::now()));
    let transfer = watch.clerk.as_ref().and_then(|clerk| clerk.time_left(Instant::now()));
    let left = [wall, memory, cpu, question, transfer].into_iter().flatten().min()?;
    Timespec::try_from(left).ok()
}

/// Ends the whole tree and waits for its end.
pub(crate) fn kill(started: &Started, own_pids: bool) -> io::Result<()> {
    end(started, own_pids)?;
    reap(started)
}

/// The same, but that somebody else reaps init.
pub(crate) fn end(started: &Started, own_pids: bool) -> io::Result<()> {
    if !own_pids
        && spawn::command(&started.status, Command::Kill).is_ok()
        && gone_by(&started.child.pidfd, Some(Instant::now() + GRACE))?
    {
        return Ok(());
    }
    match pidfd_send_signal(&started.child.pidfd, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => gone_by(&started.child.pidfd, None).map(drop),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits for the end of init, which is the last process of its namespace; false when the time has come before.
fn gone_by(pidfd: &OwnedFd, until: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        match poll(&mut [PollFd::new(pidfd, PollFlags::IN)], left.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Waits for init itself. When it is gone, so are its namespaces' processes.
pub(crate) fn reap(started: &Started) -> io::Result<()> {
    match owned::reap(&started.child.pidfd) {
        // Somebody else has waited for it.
        Ok(()) | Err(Errno::CHILD) => Ok(()),
        Err(errno) => Err(io::Error::from_raw_os_error(errno.0)),
    }
}
