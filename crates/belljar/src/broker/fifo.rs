//! Opens of FIFOs, which wait for the other end, and bytes that are waited for: no thread waits with them. Like the kernel, a reader that waits lets writers
//! in; unlike calls that are held up they have no deadline, since they hold nothing but a descriptor.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use belljar_sys::notify::Answer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, tee};

use super::caller::Caller;
use super::clock::TICK;
use super::open::{How, hand_over, open_again, waiting};
use super::own::Held;
use super::receive::Receiving;
use super::shared::Shared;
use super::task::{Served, Stop, Task, deliver};

/// Most opens that wait at once.
const MOST: usize = 1024;
/// Ticks between two looks at an open: longer ones the longer it waits, and the more of them there are.
const SELDOM: u64 = 10;
/// Looks that cost no more than this many opens do at once.
const AT_ONCE: usize = 16;
/// Another signal than a fatal one has come (`ERESTARTSYS`): the kernel repeats the call or ends it, as its handler wants.
const INTERRUPTED: Answer = Answer::Error(belljar_sys::Errno(512));

/// Opens that wait.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Vec<Waiting>>);

#[derive(Debug)]
struct Waiting {
    id: u64,
    caller: Caller,
    what: What,
    since: u64,
    next: u64,
}

#[derive(Debug)]
enum What {
    Open(End, How),
    Bytes(Box<Receiving>),
}

#[derive(Debug)]
enum End {
    /// Open for reading.
    Reader(OwnedFd),
    /// Open without rights.
    Writer(OwnedFd),
}

/// A FIFO that may be opened.
pub(super) fn open(task: &Task<'_>, held: &Held, how: How) -> Served {
    let again = |how| open_again(task.shared, &held.fd, how);
    match how.access() {
        0 => reader(task, again(how.impatient())?, how),
        1 if !how.is_impatient() => match again(how.impatient()) {
            Err(Errno::NXIO) => wait(task, End::Writer(held.fd.try_clone()?), how),
            fd => hand_over(waiting(fd?, how)?, how),
        },
        _ => hand_over(again(how)?, how),
    }
}

/// A FIFO that is open for reading.
pub(super) fn reader(task: &Task<'_>, fd: OwnedFd, how: How) -> Served {
    if how.is_impatient() || has_writer(&fd)? {
        return hand_over(waiting(fd, how)?, how);
    }
    wait(task, End::Reader(fd), how)
}

fn wait(task: &Task<'_>, end: End, how: How) -> Served {
    enter(task, What::Open(end, how))
}

/// Nothing has come yet.
pub(super) fn wait_for_bytes(task: &Task<'_>, receiving: Receiving) -> Served {
    enter(task, What::Bytes(Box::new(receiving)))
}

fn enter(task: &Task<'_>, what: What) -> Served {
    let since = task.shared.roster.tick();
    let mut room = task.shared.room.waiting();
    if room.len() >= MOST {
        return Err(Errno::NFILE.into());
    }
    room.push(Waiting { id: task.id(), caller: task.caller(), what, since, next: since });
    Err(Stop::Waits)
}

/// Whether somebody writes, or has done so since it was opened.
fn has_writer(fd: &OwnedFd) -> Result<bool, Errno> {
    let mut set = [PollFd::new(fd, PollFlags::IN)];
    if poll(&mut set, Some(&Timespec::default()))? > 0 {
        return Ok(true);
    }
    // Copies nothing of what is not there, but tells whether something may come.
    let (_kept, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    match tee(fd, &into, 1, SpliceFlags::NONBLOCK) {
        Ok(0) => Ok(false),
        Ok(_) | Err(Errno::AGAIN) => Ok(true),
        Err(errno) => Err(errno),
    }
}

impl Room {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers whoever need not wait any more; false when nobody waits.
    pub(super) fn look(&self, shared: &Shared, tick: u64) -> bool {
        let mut room = self.waiting();
        let crowd = u64::try_from(room.len() / AT_ONCE).unwrap_or(0);
        room.retain_mut(|one| {
            if one.next > tick {
                return true;
            }
            let age = tick.saturating_sub(one.since);
            one.next = tick.saturating_add((age / 8).clamp(1, one.seldom())).saturating_add(crowd);
            !one.is_over(shared, age)
        });
        !room.is_empty()
    }
}

impl Waiting {
    /// Whether its wait is over; it has its answer then.
    fn is_over(&self, shared: &Shared, age: u64) -> bool {
        if self.caller.is_interrupted() && shared.listener.is_valid(self.id) {
            let answered = shared.listener.answer(self.id, INTERRUPTED);
            tracing::trace!(?answered, "a signal ends the wait");
            return true;
        }
        if !shared.listener.is_valid(self.id) {
            return true;
        }
        let served = match &self.what {
            What::Open(end, how) => end.opened(shared, *how).transpose().map(|fd| hand_over(fd?, *how)),
            What::Bytes(receiving) => receiving
                .take(shared, self.id)
                .transpose()
                .or_else(|| receiving.late(TICK.saturating_mul(u32::try_from(age).unwrap_or(u32::MAX)))),
        };
        let is_over = served.is_some();
        if let Some(served) = served {
            deliver(&shared.listener, self.id, served);
        }
        is_over
    }

    /// Most ticks between two looks. Whoever waits for bytes waits for one tick more than it has to, at most.
    fn seldom(&self) -> u64 {
        match self.what {
            What::Open(..) => SELDOM,
            What::Bytes(_) => 1,
        }
    }
}

impl End {
    fn opened(&self, shared: &Shared, how: How) -> Result<Option<OwnedFd>, Errno> {
        match self {
            Self::Reader(fd) if !has_writer(fd)? => Ok(None),
            Self::Reader(fd) => Ok(Some(waiting(fcntl_dupfd_cloexec(fd, 0)?, how)?)),
            Self::Writer(path) => match open_again(shared, path, how.impatient()) {
                Err(Errno::NXIO) => Ok(None),
                fd => Ok(Some(waiting(fd?, how)?)),
            },
        }
    }
}
