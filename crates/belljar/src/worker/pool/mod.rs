//! Many workers of one entry: as many at once as the machine can bear, each for one request, or for one client.
//!
//! No worker is ever given to a second client. A process that has read hostile bytes cannot be shown to be as it was: whoever took it
//! over answers every check, and an honest one still has the bytes in freed memory. Forking another one from a process that never
//! saw any costs less than looking would, so that is what "back to its base state" means here.

mod stats;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use belljar_policy::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::Entry;
use super::error::WorkerError;
use super::host::Worker;
use super::permit::{Monitor, Needs, Nothing, Session};
use super::seal::{Limits, Seal};
use super::zygote::{Builder, Zygote};

pub use stats::PoolStats;

/// How a pool is made; see [`Pool::builder`].
#[derive(Debug)]
#[must_use]
pub struct PoolBuilder<Q: 'static, A: 'static, N: Needs = Nothing> {
    zygote: Builder<Q, A, N>,
    size: usize,
    queue: usize,
}

impl<Q, A, N> PoolBuilder<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// How many workers may be at work at once: as many as the machine has processors, unless set.
    pub fn size(mut self, workers: usize) -> Self {
        self.size = workers.max(1);
        self
    }

    /// As [`Builder::spare`].
    pub fn spare(mut self, workers: usize) -> Self {
        self.zygote = self.zygote.spare(workers);
        self
    }

    /// How many requests may wait for a worker; the next one is refused: 64 unless set.
    pub fn queue(mut self, requests: usize) -> Self {
        self.queue = requests;
        self
    }

    /// As [`Builder::seal`].
    pub fn seal(mut self, seal: Seal) -> Self {
        self.zygote = self.zygote.seal(seal);
        self
    }

    /// As [`Builder::limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.zygote = self.zygote.limits(limits);
        self
    }

    /// Anything else about how workers are made.
    pub fn workers(mut self, set: impl FnOnce(Builder<Q, A, N>) -> Builder<Q, A, N>) -> Self {
        self.zygote = set(self.zygote);
        self
    }

    /// Starts the process that workers are forked from, and the spare ones.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(self) -> Result<Pool<Q, A, N>, WorkerError> {
        let zygote = self.zygote.clone().start()?;
        let state = State { zygote, busy: 0, waiting: 0, stats: PoolStats::default() };
        Ok(Pool { state: Mutex::new(state), freed: Condvar::new(), how: self })
    }
}

/// Workers for many requests from many threads, with a bounded queue. Dropping it ends them.
///
/// ```no_run
/// use std::time::Duration;
///
/// use belljar::policy::Policy;
/// use belljar::worker::{self, Entry, Pool};
///
/// static WORDS: Entry<String, usize> = Entry::new("words", |text, _| text.split_whitespace().count());
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     worker::serve(&[&WORDS]);
///     let pool = Pool::builder(&Policy::none(), &WORDS).size(4).start()?;
///     std::thread::scope(|scope| {
///         for text in ["one", "two words", "three short words"] {
///             let pool = &pool;
///             scope.spawn(move || println!("{:?}", pool.call(&text.to_owned(), Duration::from_secs(1))));
///         }
///     });
///     println!("{}", pool.stats());
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Pool<Q: 'static, A: 'static, N: Needs = Nothing> {
    state: Mutex<State<Q, A, N>>,
    /// A worker was given back.
    freed: Condvar,
    how: PoolBuilder<Q, A, N>,
}

#[derive(Debug)]
struct State<Q: 'static, A: 'static, N: Needs> {
    zygote: Zygote<Q, A, N>,
    busy: usize,
    waiting: usize,
    stats: PoolStats,
}

impl<Q, A, N> Pool<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// Begins with the strictest seal, a worker for each processor, one spare one and a queue of 64.
    pub fn builder(policy: &Policy, entry: &'static Entry<Q, A, N>) -> PoolBuilder<Q, A, N> {
        let size = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        PoolBuilder { zygote: Zygote::builder(policy, entry), size, queue: 64 }
    }

    /// Has a fresh worker answer one request, at most `within`; waiting for a worker counts.
    ///
    /// # Errors
    /// [`WorkerError::Full`], [`WorkerError::Busy`]: nothing was sent. Otherwise as [`Worker::call`]; the pool goes on with other
    /// workers.
    pub fn call(&self, request: &Q, within: Duration) -> Result<A, WorkerError> {
        let begun = Instant::now();
        let mut lease = self.lease(within)?;
        lease.call(request, within.saturating_sub(begun.elapsed()))
    }

    /// The same, without waiting for a worker.
    ///
    /// # Errors
    /// As [`Pool::call`]; [`WorkerError::Full`] when all are busy.
    pub fn try_call(&self, request: &Q, within: Duration) -> Result<A, WorkerError> {
        let state = self.state();
        if state.busy >= self.how.size {
            return Err(self.full(state));
        }
        let mut lease = self.lend(state, Duration::ZERO)?;
        lease.call(request, within)
    }

    /// As [`Pool::call`]; what the worker asks for meanwhile is answered by `session`.
    ///
    /// # Errors
    /// As [`Pool::call`] and [`Worker::call_with`].
    pub fn call_with<M: Monitor<Needs = N>>(
        &self,
        request: &Q,
        within: Duration,
        session: &mut Session<M>,
    ) -> Result<A, WorkerError> {
        let begun = Instant::now();
        let mut lease = self.lease(within)?;
        lease.call_with(request, within.saturating_sub(begun.elapsed()), session)
    }

    /// A fresh worker for several requests of one client. Between those there is no wall: what one of them did to the worker, the
    /// next one meets.
    ///
    /// # Errors
    /// [`WorkerError::Full`], [`WorkerError::Busy`], and as [`Zygote::spawn`].
    pub fn lease(&self, within: Duration) -> Result<Lease<'_, Q, A, N>, WorkerError> {
        let begun = Instant::now();
        let mut state = self.state();
        if state.busy < self.how.size {
            return self.lend(state, Duration::ZERO);
        }
        if state.waiting >= self.how.queue {
            return Err(self.full(state));
        }
        state.waiting += 1;
        let (mut state, late) = self
            .freed
            .wait_timeout_while(state, within, |state| state.busy >= self.how.size)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        if late.timed_out() {
            state.stats.refused += 1;
            return Err(WorkerError::Busy { within });
        }
        self.lend(state, begun.elapsed())
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let state = self.state();
        let (busy, waiting, spare) = (state.busy, state.waiting, state.zygote.spares());
        PoolStats { busy, waiting, spare, ..state.stats.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State<Q, A, N>> {
        // Nothing below panics with the lock held; a caller that did would leave counts at worst.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn full(&self, mut state: MutexGuard<'_, State<Q, A, N>>) -> WorkerError {
        state.stats.refused += 1;
        WorkerError::Full { waiting: state.waiting }
    }

    /// Lends a worker; its place counts as busy whether it can be had or not.
    fn lend(
        &self,
        mut state: MutexGuard<'_, State<Q, A, N>>,
        waited: Duration,
    ) -> Result<Lease<'_, Q, A, N>, WorkerError> {
        state.busy += 1;
        state.stats.waited += waited;
        state.stats.longest_wait = state.stats.longest_wait.max(waited);
        let zygote = state.zygote.clone();
        drop(state);
        let mut place = Lease { pool: self, worker: None };
        let worker = zygote.spawn().or_else(|error| self.spawn_again(error));
        place.worker = Some(worker.inspect_err(|error| self.note(error))?);
        self.state().stats.started += 1;
        Ok(place)
    }

    /// Nobody was asked anything yet: where the zygote had ended, another one may do it.
    fn spawn_again(&self, error: WorkerError) -> Result<Worker<Q, A, N>, WorkerError> {
        if !matches!(error, WorkerError::ZygoteGone) {
            return Err(error);
        }
        self.replace_zygote();
        let zygote = self.state().zygote.clone();
        zygote.spawn()
    }

    /// Counts a failure, and replaces what it broke.
    fn note(&self, error: &WorkerError) {
        self.state().stats.count(error);
        if matches!(error, WorkerError::ZygoteGone) {
            self.replace_zygote();
        }
    }

    /// Starts another zygote if this one has ended; whoever comes here meanwhile waits for it.
    fn replace_zygote(&self) {
        let mut state = self.state();
        if state.zygote.is_gone() {
            match self.how.zygote.clone().start() {
                Ok(zygote) => {
                    state.zygote = zygote;
                    state.stats.restarted += 1;
                }
                Err(error) => tracing::warn!(%error, "no new process for workers"),
            }
        }
    }
}

/// A worker of a pool, for one client. Dropping it ends the worker and makes room for another.
#[derive(Debug)]
pub struct Lease<'a, Q, A, N = Nothing>
where
    Q: Serialize + DeserializeOwned + 'static,
    A: Serialize + DeserializeOwned + 'static,
    N: Needs,
{
    pool: &'a Pool<Q, A, N>,
    worker: Option<Worker<Q, A, N>>,
}

impl<Q, A, N> Lease<'_, Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// As [`Worker::call`].
    ///
    /// # Errors
    /// As [`Worker::call`].
    pub fn call(&mut self, request: &Q, within: Duration) -> Result<A, WorkerError> {
        self.counted(|worker| worker.call(request, within))
    }

    /// As [`Worker::call_with`].
    ///
    /// # Errors
    /// As [`Worker::call_with`].
    pub fn call_with<M: Monitor<Needs = N>>(
        &mut self,
        request: &Q,
        within: Duration,
        session: &mut Session<M>,
    ) -> Result<A, WorkerError> {
        self.counted(|worker| worker.call_with(request, within, session))
    }

    fn counted(
        &mut self,
        call: impl FnOnce(&mut Worker<Q, A, N>) -> Result<A, WorkerError>,
    ) -> Result<A, WorkerError> {
        let begun = Instant::now();
        let done = self.worker.as_mut().ok_or(WorkerError::Gone).and_then(call);
        match &done {
            Ok(_) => self.pool.state().stats.answered(begun.elapsed()),
            Err(error) => self.pool.note(error),
        }
        done
    }
}

impl<Q, A, N> Drop for Lease<'_, Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    fn drop(&mut self) {
        drop(self.worker.take());
        self.pool.state().busy -= 1;
        self.pool.freed.notify_one();
    }
}

/// Threads share pools.
const _: fn() = {
    fn shared<T: Send + Sync>() {}
    shared::<Pool<String, String>>
};
