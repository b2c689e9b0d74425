//! Who serves: one thread waits for calls and answers those that are quick itself, since waking another costs more than most
//! answers. Where it is held up, the [clock](super::clock) sends another in its place.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

use belljar_sys::notify::Notification;

/// Most threads that serve; a call that holds one up for ever keeps it for ever. When all are held up the clock answers.
pub(super) const MOST: usize = 256;
/// Threads that wait for being sent; more end.
const SPARE: usize = 2;

/// All threads that serve.
#[derive(Debug, Default)]
pub(super) struct Roster {
    posts: Mutex<Vec<Arc<Post>>>,
    /// Threads in reserve, and how many of them are to take a place.
    reserve: Mutex<Reserve>,
    called: Condvar,
    /// Threads that take calls, or took one and nobody was sent in their place.
    pub(super) places: AtomicUsize,
    /// More places than are needed.
    pub(super) surplus: AtomicBool,
    /// Advances while there is anything to do.
    tick: AtomicU64,
    /// Calls that were taken.
    taken: AtomicU64,
    /// The clock stands still until the next call.
    pub(super) rests: AtomicBool,
    clock: Mutex<Option<Thread>>,
    pub(super) over: AtomicBool,
}

#[derive(Debug, Default)]
struct Reserve {
    waiting: usize,
    sent: usize,
}

/// A thread and what it does.
#[derive(Debug, Default)]
pub(super) struct Post {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    /// Another takes calls in its place.
    replaced: bool,
}

/// A call that is being served.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) call: Notification,
    /// Tick at which it was taken, or at which the judge was asked or answered.
    pub(super) since: u64,
    /// The judge thinks.
    pub(super) judging: bool,
    /// Its maker was told that it took too long.
    pub(super) late: bool,
    /// What it is about, as the jar said it.
    pub(super) about: Vec<u8>,
}

impl Post {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it serves, while nobody can end it.
    pub(super) fn with_current<R>(&self, look: impl FnOnce(&mut Current) -> R) -> Option<R> {
        self.state().current.as_mut().map(look)
    }

    /// Notes what the call is about.
    pub(super) fn about(&self, text: &[u8]) {
        self.with_current(|current| current.about = text.to_vec());
    }

    /// The judge is asked, or has answered.
    pub(super) fn judging(&self, judging: bool, tick: u64) {
        self.with_current(|current| (current.judging, current.since) = (judging, tick));
    }

    /// Takes its place away. False when that was done before, or when it waits for calls again.
    pub(super) fn replace(&self) -> bool {
        let mut state = self.state();
        let held = state.current.is_some() && !state.replaced;
        state.replaced |= held;
        held
    }

    /// Serves a call in its place.
    pub(super) fn serves(&self) -> bool {
        let state = self.state();
        state.current.is_some() && !state.replaced
    }

    /// Held up since before this tick, and still in its place.
    pub(super) fn is_held_up(&self, tick: u64) -> bool {
        let state = self.state();
        !state.replaced && state.current.as_ref().is_some_and(|current| current.since < tick)
    }
}

impl Roster {
    fn posts(&self) -> MutexGuard<'_, Vec<Arc<Post>>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self) -> MutexGuard<'_, Reserve> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A post for a new thread, with a place; none when there are enough.
    pub(super) fn enlist(&self) -> Option<Arc<Post>> {
        let mut posts = self.posts();
        if posts.len() >= MOST {
            return None;
        }
        let post = Arc::new(Post::default());
        posts.push(Arc::clone(&post));
        self.places.fetch_add(1, Ordering::AcqRel);
        Some(post)
    }

    /// A thread has ended.
    pub(super) fn leave(&self, post: &Arc<Post>) {
        self.posts().retain(|other| !Arc::ptr_eq(other, post));
        if !post.state().replaced {
            self.places.fetch_sub(1, Ordering::AcqRel);
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Post>> {
        self.posts().clone()
    }

    pub(super) fn tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    pub(super) fn advance(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }

    /// A thread serves a call. The clock watches it.
    pub(super) fn begin(&self, post: &Post, call: &Notification) {
        let current =
            Current { call: *call, since: self.tick(), judging: false, late: false, about: Vec::new() };
        post.state().current = Some(current);
        self.taken.fetch_add(1, Ordering::SeqCst);
        if self.rests.load(Ordering::SeqCst) {
            self.wake_clock();
        }
    }

    /// It has been served. Whether the thread takes the next one.
    pub(super) fn end(&self, post: &Post) -> bool {
        let mut state = post.state();
        state.current = None;
        if !state.replaced && self.surplus.swap(false, Ordering::AcqRel) && self.gives_up_a_place() {
            state.replaced = true;
        }
        !state.replaced
    }

    /// One place less, but never the last.
    fn gives_up_a_place(&self) -> bool {
        let fewer = |places: usize| places.checked_sub(1).filter(|left| *left > 0);
        self.places.fetch_update(Ordering::AcqRel, Ordering::Acquire, fewer).is_ok()
    }

    /// Waits in reserve until a place is to be taken; false when this thread is not needed.
    pub(super) fn wait(&self, post: &Post) -> bool {
        let mut reserve = self.reserve();
        if reserve.waiting >= SPARE {
            return false;
        }
        reserve.waiting += 1;
        while reserve.sent == 0 && !self.over.load(Ordering::Acquire) {
            reserve = self.called.wait(reserve).unwrap_or_else(PoisonError::into_inner);
        }
        reserve.waiting -= 1;
        if reserve.sent == 0 {
            return false;
        }
        reserve.sent -= 1;
        post.state().replaced = false;
        true
    }

    /// Sends one of the reserve to take a place, which counts from now on; false when there is none.
    pub(super) fn send(&self) -> bool {
        let mut reserve = self.reserve();
        if reserve.waiting <= reserve.sent {
            return false;
        }
        reserve.sent += 1;
        self.places.fetch_add(1, Ordering::AcqRel);
        self.called.notify_one();
        true
    }

    /// This thread is the clock.
    pub(super) fn am_clock(&self) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
    }

    pub(super) fn wake_clock(&self) {
        self.rests.store(false, Ordering::SeqCst);
        if let Some(clock) = &*self.clock.lock().unwrap_or_else(PoisonError::into_inner) {
            clock.unpark();
        }
    }

    /// No call will come any more: everybody goes home.
    pub(super) fn close(&self) {
        self.over.store(true, Ordering::Release);
        self.called.notify_all();
        self.wake_clock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(roster: &Roster) -> Arc<Post> {
        let post = roster.enlist().unwrap();
        roster.begin(&post, &Notification::default());
        post
    }

    fn places(roster: &Roster) -> usize {
        roster.places.load(Ordering::Acquire)
    }

    #[test]
    fn who_is_held_up_is_replaced_once() {
        let roster = Roster::default();
        let post = serving(&roster);
        assert!(!post.is_held_up(0) && post.is_held_up(1));
        assert!(post.replace() && !post.replace() && !post.is_held_up(1));
        assert!(!roster.end(&post), "another takes the next call");
        let waits = roster.enlist().unwrap();
        assert!(!waits.replace(), "who waits for calls is not held up");
    }

    #[test]
    fn a_judge_that_has_answered_starts_the_time_anew() {
        let roster = Roster::default();
        let post = serving(&roster);
        let tick = roster.advance();
        post.judging(false, tick);
        assert!(!post.is_held_up(tick) && post.is_held_up(tick + 1));
    }

    #[test]
    fn the_last_place_is_kept() {
        let roster = Roster::default();
        let posts = [serving(&roster), serving(&roster)];
        for (post, left) in posts.iter().zip([1, 1]) {
            roster.surplus.store(true, Ordering::Release);
            let goes_on = roster.end(post);
            assert_eq!((goes_on, places(&roster)), (!Arc::ptr_eq(post, &posts[0]), left));
        }
    }

    #[test]
    fn a_place_counts_from_when_somebody_is_sent_to_it() {
        let roster = Roster::default();
        let post = serving(&roster);
        assert!(post.serves() && post.replace() && !post.serves());
        roster.places.fetch_sub(1, Ordering::AcqRel);
        assert!(!roster.end(&post));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| roster.wait(&post));
            while !roster.send() {
                std::thread::yield_now();
            }
            assert_eq!(places(&roster), 1);
            assert!(waits.join().unwrap());
        });
        assert_eq!(places(&roster), 1);
    }

    #[test]
    fn there_is_an_end_of_threads_and_who_leaves_makes_room() {
        let roster = Roster::default();
        let posts: Vec<_> = std::iter::from_fn(|| roster.enlist()).collect();
        assert_eq!((posts.len(), places(&roster)), (MOST, MOST));
        roster.leave(&posts[0]);
        assert!(roster.enlist().is_some() && roster.enlist().is_none());
        assert!(!roster.send(), "nobody is in reserve");
    }
}
