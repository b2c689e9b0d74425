//! The thread that looks at the others: it sends another in place of one that is held up, and tells callers who wait too long.
//!
//! It stands still while there is nothing to do, and is woken by the first call after that.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use belljar_sys::Errno;
use belljar_sys::notify::Answer;

use super::decode::row;
use super::judge::Late;
use super::roster::{Current, Post};
use super::serve::{another, thread};
use super::shared::Shared;

/// How often it looks.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// How long carrying out a call may take once it is decided.
const ACTING: Duration = Duration::from_secs(20);
/// More calls at once than places, so many looks in a row: one more place.
const BUSY: u32 = 3;
/// Fewer calls than places for so many looks: one place less.
const QUIET: u32 = 100;
/// What a caller is told who waited too long.
const LATE: Answer = Answer::Error(Errno(110));

/// Starts the thread, confined as the one that calls this.
pub(super) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let own = Arc::clone(shared);
    thread("broker's clock").spawn(move || Clock::new(own).run()).map(drop)
}

struct Clock {
    shared: Arc<Shared>,
    /// Calls that were taken when it looked last.
    taken: u64,
    busy: u32,
    quiet: u32,
    /// Most places: more than processors do not serve sooner.
    places: usize,
    acting: Duration,
}

impl Drop for Clock {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.fail("the clock has panicked");
        }
    }
}

impl Clock {
    fn new(shared: Arc<Shared>) -> Self {
        let places = std::thread::available_parallelism().map_or(1, usize::from);
        #[cfg(feature = "test-hooks")]
        let acting = super::fault::acting().unwrap_or(ACTING);
        #[cfg(not(feature = "test-hooks"))]
        let acting = ACTING;
        Self { shared, taken: 0, busy: 0, quiet: 0, places, acting }
    }

    fn run(mut self) {
        self.shared.roster.am_clock();
        while !self.shared.roster.over.load(Ordering::Acquire) {
            std::thread::park_timeout(TICK);
            let active = self.look();
            if !active {
                self.rest();
            }
        }
    }

    /// Until the next call.
    fn rest(&self) {
        let roster = &self.shared.roster;
        roster.rests.store(true, Ordering::SeqCst);
        // A call that was taken before it was seen that the clock rests.
        let missed = roster.taken() != self.taken || roster.over.load(Ordering::SeqCst);
        while !missed && roster.rests.load(Ordering::SeqCst) {
            std::thread::park();
        }
        roster.rests.store(false, Ordering::SeqCst);
    }

    /// One look at everybody; false when there is nothing to come back for.
    fn look(&mut self) -> bool {
        let roster = &self.shared.roster;
        let tick = roster.advance();
        let posts = roster.all();
        let serving = posts.iter().filter(|post| self.expire(post, tick)).count();
        let pending = self.shared.listener.is_pending().unwrap_or(false);
        // Where some are held up, the next ones may be as well.
        let more = if self.replace(&posts, tick) > 0 && pending { serving / 4 } else { 0 };
        (0..more).for_each(|_| _ = self.fill());
        self.weigh(posts.iter().filter(|post| post.serves()).count() + usize::from(pending));
        let deserted = self.shared.roster.places.load(Ordering::Acquire) == 0;
        if deserted && !self.fill() && pending {
            self.turn_away();
        }
        let waiting = self.shared.room.look(&self.shared, tick);
        let taken = std::mem::replace(&mut self.taken, self.shared.roster.taken());
        serving > 0 || pending || deserted || waiting || taken != self.taken
    }

    /// Sends others in place of those that are held up, and says how many were.
    fn replace(&self, posts: &[Arc<Post>], tick: u64) -> usize {
        let held_up = |post: &&Arc<Post>| post.is_held_up(tick.saturating_sub(1)) && post.replace();
        let count = posts.iter().filter(held_up).count();
        self.shared.roster.places.fetch_sub(count, Ordering::AcqRel);
        (0..count).for_each(|_| _ = self.fill());
        count
    }

    /// Another thread for a place; false when there is none.
    fn fill(&self) -> bool {
        if self.shared.roster.send() {
            return true;
        }
        another(&self.shared).unwrap_or_else(|error| {
            tracing::debug!(%error, "no further thread for the broker");
            false
        })
    }

    /// More places where calls wait for one, fewer where none does: each call wakes everybody who waits for one. A program
    /// that makes one call after the other takes more than one place where it is handed descriptors: who has handed one over
    /// is woken after it.
    fn weigh(&mut self, calls: usize) {
        let roster = &self.shared.roster;
        let places = roster.places.load(Ordering::Acquire);
        self.busy = if calls > places { self.busy + 1 } else { 0 };
        self.quiet = if calls < places { self.quiet + 1 } else { 0 };
        if self.busy >= BUSY && places < self.places {
            self.busy = 0;
            self.fill();
        }
        let patience = if places > self.places { 1 } else { QUIET };
        if self.quiet >= patience && places > 1 {
            self.quiet = 0;
            roster.surplus.store(true, Ordering::Release);
        }
    }

    /// Whether a thread serves; its caller is told when it waits too long.
    fn expire(&self, post: &Post, tick: u64) -> bool {
        post.with_current(|current| {
            let limit = if current.judging { self.shared.judge.patience() } else { self.acting };
            let waited =
                TICK.saturating_mul(u32::try_from(tick.saturating_sub(current.since)).unwrap_or(u32::MAX));
            if waited >= limit && !current.late {
                current.late = true;
                self.tell(current, limit);
            }
        })
        .is_some()
    }

    fn tell(&self, current: &Current, limit: Duration) {
        let call = row(&current.call).map_or("a call", |row| row.call);
        let path = Path::new(OsStr::from_bytes(&current.about));
        if let Some(observer) = &self.shared.observer {
            observer.late(&Late { call, path, pid: current.call.pid, limit, judging: current.judging });
        }
        let answered = self.shared.listener.answer(current.call.id, LATE);
        tracing::warn!(call, ?answered, "a call took too long");
    }

    /// Every thread is held up: whoever calls now is told so.
    fn turn_away(&self) {
        while let Ok(belljar_sys::notify::Arrived::Call(call)) = self.shared.listener.arrived() {
            let name = row(&call).map_or("a call", |row| row.call);
            if let Some(observer) = &self.shared.observer {
                let late = Late {
                    call: name,
                    path: Path::new(""),
                    pid: call.pid,
                    limit: Duration::ZERO,
                    judging: false,
                };
                observer.late(&late);
            }
            let answered = self.shared.listener.answer(call.id, LATE);
            tracing::warn!(call = name, ?answered, "no thread is left for a call");
        }
    }
}
