//! The thread that reads what programs of a jar say and writes it down. It makes no other system calls than that takes.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use belljar_net::Bucket;
use belljar_sys::call;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;

use super::Opened;
use super::outlet::{Line, Outlet};
use super::said::Said;
use crate::broker::thread_filter;
use crate::service::log::Level;
use crate::supervise::Patience;

mod speaker;

use speaker::Speaker;

/// Programs that have the log open at once.
const MOST_SPEAKERS: usize = 128;
/// Lines within a second, and how many may come at once.
const PER_SECOND: u32 = 200;
const AT_ONCE: u32 = 1000;
/// How long the last lines may wait for a reader.
const LAST: Duration = Duration::from_secs(2);
const STACK: usize = 256 * 1024;

/// Calls that writing down takes, beside those of any thread.
const CALLS: &[&str] = &[
    // what is said, and where it goes
    "recvmsg",
    "recvfrom",
    "read",
    "write",
    "sendto",
    "poll",
    "ppoll",
    "close",
    // whether a file is still in its place
    "fstat",
    "newfstatat",
];

/// What became of what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// More was said at once than is taken.
    pub(crate) hurried: u64,
    /// All that the policy grants was said before.
    pub(crate) spent: u64,
    /// The place did not take it.
    pub(crate) lost: u64,
    /// Why the place is not what it was, at the end.
    pub(crate) moved: Option<String>,
}

/// Takes programs that want to say something, from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Intake(Arc<Door>);

#[derive(Debug)]
struct Door {
    waiting: Mutex<Vec<Speaker>>,
    /// Those and the ones that are heard.
    speakers: AtomicUsize,
    over: AtomicBool,
    bell: OwnedFd,
}

impl Door {
    fn ring(&self) {
        if let Err(errno) = rustix::io::write(&self.bell, &1_u64.to_ne_bytes()) {
            tracing::trace!(%errno, "the scribe has been rung for already");
        }
    }
}

impl Intake {
    /// Takes the other end of what a program speaks to; a packet is a message, of a stream a line is.
    pub(crate) fn take(&self, socket: OwnedFd, packets: bool) -> Result<(), Errno> {
        let more = |now: usize| (now < MOST_SPEAKERS).then_some(now + 1);
        let taken = self.0.speakers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_| Errno::CONNREFUSED)?;
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Speaker::new(socket, packets));
        drop(waiting);
        self.0.ring();
        Ok(())
    }
}

/// A scribe at work. Dropping it ends the thread, once everything is written down.
#[derive(Debug)]
pub(crate) struct Scribe {
    door: Arc<Door>,
    thread: Option<JoinHandle<Tally>>,
}

impl Scribe {
    /// Starts the thread, which is confined when this returns.
    pub(crate) fn start(opened: Opened) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let door =
            Door { waiting: Mutex::default(), speakers: AtomicUsize::new(0), over: false.into(), bell };
        let door = Arc::new(door);
        let filter = thread_filter(CALLS.iter(), std::iter::empty()).map_err(io::Error::other)?;
        let confine = move || {
            const NO_NEW_PRIVS: u32 = 38;
            call::block_signals()?;
            call::prctl(NO_NEW_PRIVS, 1)?;
            call::seccomp(&filter).map(drop)
        };
        let desk = Desk::new(opened, Arc::clone(&door));
        let (ready, started) = sync_channel(1);
        let thread = std::thread::Builder::new().name("log".to_owned()).stack_size(STACK);
        let thread = thread.spawn(move || {
            let confined = confine().map_err(|errno| io::Error::from_raw_os_error(errno.0));
            begin(desk, confined, &ready)
        })?;
        started.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))??;
        Ok(Self { door, thread: Some(thread) })
    }

    pub(crate) fn intake(&self) -> Intake {
        Intake(Arc::clone(&self.door))
    }

    /// Waits until everything that was said is written down. Nobody may be left who says more.
    pub(crate) fn finish(mut self) -> Tally {
        self.end()
    }

    fn end(&mut self) -> Tally {
        self.door.over.store(true, Ordering::Release);
        self.door.ring();
        let failed = || Tally { moved: Some("its thread has panicked".to_owned()), ..Tally::default() };
        self.thread.take().map_or_else(Tally::default, |thread| thread.join().unwrap_or_else(|_| failed()))
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        let tally = self.end();
        tracing::trace!(?tally, "the log was ended early");
    }
}

fn begin(desk: Desk, confined: io::Result<()>, ready: &SyncSender<io::Result<()>>) -> Tally {
    let fine = confined.is_ok();
    match ready.send(confined) {
        Ok(()) if fine => desk.work(),
        _ => Tally::default(),
    }
}

/// The scribe's own.
struct Desk {
    door: Arc<Door>,
    speakers: Vec<Speaker>,
    outlet: Outlet,
    jar: String,
    left: u64,
    pace: Bucket,
    tally: Tally,
    /// Lines that were dropped since the last one.
    dropped: u64,
}

impl Desk {
    fn new(Opened { outlet, name, most }: Opened, door: Arc<Door>) -> Self {
        let pace = pace(Instant::now());
        let (speakers, tally) = (Vec::new(), Tally::default());
        Self { door, speakers, outlet, jar: name, left: most, pace, tally, dropped: 0 }
    }

    fn work(mut self) -> Tally {
        loop {
            // Read before what was left at the door, so that nothing is left when this says so.
            let over = self.door.over.load(Ordering::Acquire);
            self.admit();
            if over {
                return self.close();
            }
            self.hear();
            self.wait();
        }
    }

    fn wait(&mut self) {
        let mut set = vec![PollFd::new(&self.door.bell, PollFlags::IN)];
        match self.outlet.waits() {
            Some(reader) => set.push(PollFd::from_borrowed_fd(reader, PollFlags::OUT)),
            None => set
                .extend(self.speakers.iter().map(|one| PollFd::from_borrowed_fd(one.as_fd(), PollFlags::IN))),
        }
        if let Err(errno) = poll(&mut set, None) {
            tracing::trace!(%errno, "waiting for something to write down");
        }
    }

    fn admit(&mut self) {
        let rung = rustix::io::read(&self.door.bell, &mut [0_u8; 8]);
        tracing::trace!(?rung, "looking at the door");
        let mut waiting = self.door.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.speakers.append(&mut waiting);
    }

    /// A message of each who has one; whether there was any.
    fn hear(&mut self) -> bool {
        let lost = self.outlet.flush().is_err();
        self.tally.lost += u64::from(lost);
        if self.outlet.waits().is_some() {
            return false;
        }
        let (mut any, mut speakers) = (false, std::mem::take(&mut self.speakers));
        let before = speakers.len();
        speakers.retain_mut(|speaker| {
            let heard = speaker.hear();
            any |= !heard.messages.is_empty();
            heard.messages.iter().for_each(|message| self.take(speaker.who, message));
            !heard.over
        });
        self.door.speakers.fetch_sub(before.saturating_sub(speakers.len()), Ordering::Relaxed);
        self.speakers = speakers;
        any
    }

    fn take(&mut self, who: u32, message: &[u8]) {
        let Some(said) = Said::read(message) else { return };
        let bytes = u64::try_from(said.text.len()).unwrap_or(u64::MAX);
        let Some(left) = self.left.checked_sub(bytes) else {
            self.tally.spent += 1;
            self.dropped += 1;
            return;
        };
        if self.pace.has_one(Instant::now()).is_err() {
            self.tally.hurried += 1;
            self.dropped += 1;
            return;
        }
        self.pace.take();
        self.left = left;
        self.confess();
        self.put(&who.to_string(), said.level, &said.text);
    }

    /// Says in the log that lines are missing.
    fn confess(&mut self) {
        if self.dropped > 0 {
            let text =
                format!("{} lines are missing: too many, or too much", std::mem::take(&mut self.dropped));
            self.put("belljar", Level::Warning, &text);
        }
    }

    fn put(&mut self, who: &str, level: Level, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let put = self.outlet.put(Line { now, jar: &self.jar, who, level, text });
        self.tally.lost += u64::from(put.is_err());
    }

    /// Everything that was said before the end.
    fn close(mut self) -> Tally {
        let until = Instant::now() + LAST;
        let patience = Patience { until: Some(until), stop: None };
        while self.hear() && Instant::now() < until {
            self.tally.lost += u64::from(self.outlet.finish(patience).is_err());
        }
        self.confess();
        let unread = self.outlet.finish(patience).is_err() || self.outlet.waits().is_some();
        self.tally.lost += u64::from(unread);
        self.tally.moved = self.outlet.check().err().map(|error| error.to_string());
        self.tally
    }
}

/// How fast lines may come.
fn pace(now: Instant) -> Bucket {
    Bucket::new(AT_ONCE, PER_SECOND, Duration::from_secs(1), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_as_fast_as_they_may() {
        let start = Instant::now();
        let mut pace = pace(start);
        let at = |ms| start + Duration::from_millis(ms);
        let take = |pace: &mut Bucket, ms| pace.has_one(at(ms)).map(|()| pace.take()).is_ok();
        let count = |pace: &mut Bucket, ms| (0..5000).filter(|_| take(pace, ms)).count();
        assert_eq!(count(&mut pace, 0), 1000);
        assert_eq!(count(&mut pace, 3), 0);
        assert_eq!(count(&mut pace, 1003), 200);
        assert_eq!(count(&mut pace, 3_600_000), 1000);
    }
}
