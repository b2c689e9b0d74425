//! Who attends a library's jar: the caller's own wait where nothing is to be done before the end, else a thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::Running;
use crate::error::StartError;
use crate::report::Report;
use crate::spawn::{Started, supervisor};
use crate::supervise::{self, Relay, Terminal};
use crate::threads::{Mode, quietly};

/// Stack of a thread that attends. A report's texts lie on the heap.
const STACK: usize = 256 * 1024;

/// A jar that somebody attends. Dropping it ends the jar.
#[derive(Debug)]
pub(crate) struct Attended {
    killer: Killer,
    terminal: Option<Terminal>,
    by: By,
}

#[derive(Debug)]
enum By {
    /// Whoever waits for it.
    Caller(Box<Running>),
    /// A thread; and what becomes readable at its end, where that may come after the jar's.
    Thread(JoinHandle<Result<Report, StartError>>, Option<Arc<OwnedFd>>),
    /// It has ended; none when attending it has failed.
    Nobody(Option<Report>),
}

/// Ends a jar, from any thread. It keeps nothing of the jar alive.
#[derive(Clone, Debug)]
pub struct Killer {
    started: Arc<Started>,
    own_pids: bool,
    stop: Option<Arc<OwnedFd>>,
}

impl Killer {
    /// Ends every process of the jar; none lives when this returns. Nothing happens when it has ended before.
    ///
    /// # Errors
    /// The kernel's.
    pub fn kill(&self) -> Result<(), StartError> {
        if let Some(stop) = &self.stop {
            signal(stop);
        }
        let ended = supervise::end(&self.started, self.own_pids);
        ended.map_err(|source| supervisor("ending the jar", source))
    }
}

impl Attended {
    /// Starts the thread, where one is needed.
    pub(super) fn begin(mut running: Running) -> Result<Self, StartError> {
        let (started, own_pids) = (Arc::clone(&running.started), running.watch.own_pids);
        let terminal = running.watch.relay.as_ref().map(Relay::terminal);
        if !running.is_watched() {
            let killer = Killer { started, own_pids, stop: None };
            return Ok(Self { killer, terminal, by: By::Caller(Box::new(running)) });
        }
        let failed = |source| supervisor("starting a thread that attends the jar", source);
        // Descriptors are what a program with very many jars has least of.
        let event = || running.watch.relays().then(event).transpose().map_err(failed);
        let (stop, over) = (event()?, event()?);
        let told = Told(over.clone());
        running.watch.stop.clone_from(&stop);
        let thread = Builder::new().name("jar".to_owned()).stack_size(STACK);
        let thread =
            quietly(Mode::Library, || thread.spawn(move || attend(running, told))).map_err(failed)?;
        let killer = Killer { started, own_pids, stop };
        Ok(Self { killer, terminal, by: By::Thread(thread, over) })
    }

    pub(crate) fn id(&self) -> u32 {
        self.killer.started.child.pid.unsigned_abs()
    }

    pub(crate) fn killer(&self) -> &Killer {
        &self.killer
    }

    pub(crate) fn terminal(&self) -> Option<&Terminal> {
        self.terminal.as_ref()
    }

    /// Readable once the jar has ended.
    pub(crate) fn ready(&self) -> BorrowedFd<'_> {
        match &self.by {
            By::Thread(_, Some(over)) => over.as_fd(),
            _ => self.killer.started.child.pidfd.as_fd(),
        }
    }

    /// The report, if the jar has ended.
    pub(crate) fn try_wait(&mut self) -> Result<Option<Report>, StartError> {
        let over = is_readable(self.ready()).map_err(|source| supervisor("looking at the jar", source))?;
        if over { self.wait().map(Some) } else { Ok(None) }
    }

    /// The report, once the jar has ended.
    pub(crate) fn wait(&mut self) -> Result<Report, StartError> {
        let failed = |why: &'static str| supervisor("attending the jar", io::Error::other(why));
        let ended = match std::mem::replace(&mut self.by, By::Nobody(None)) {
            By::Caller(running) => running.wait(),
            By::Thread(thread, _) => thread.join().unwrap_or_else(|_| Err(failed("its thread has panicked"))),
            By::Nobody(report) => report.ok_or_else(|| failed("it has failed before")),
        };
        self.by = By::Nobody(ended.as_ref().ok().cloned());
        ended
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        if !matches!(self.by, By::Nobody(_)) {
            // Nobody is left to tell; the kernel ends the jar with its lifeline in any case.
            drop(self.killer.kill());
            drop(self.wait());
        }
        // Its last word was enough to report; nothing of it stays in the process table.
        drop(supervise::reap(&self.killer.started));
    }
}

/// Tells at its end that the thread has nothing more to do, also when it panics.
struct Told(Option<Arc<OwnedFd>>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.iter().for_each(|over| signal(over));
    }
}

fn attend(running: Running, told: Told) -> Result<Report, StartError> {
    let ended = running.wait();
    drop(told);
    ended
}

fn event() -> io::Result<Arc<OwnedFd>> {
    Ok(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
}

/// Makes it readable for good.
fn signal(event: &OwnedFd) {
    if let Err(errno) = rustix::io::write(event, &1_u64.to_ne_bytes()) {
        tracing::debug!(%errno, "an event was told before");
    }
}

fn is_readable(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&now)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
