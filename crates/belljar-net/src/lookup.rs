//! Names to addresses on the host, by a few threads: the host's resolver may take its time.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Most look-ups at once.
const WORKERS: usize = 8;
/// Most answers that are kept.
const KEPT: usize = 256;
/// A worker without work ends after this.
const IDLE: Duration = Duration::from_secs(10);
/// How long the end of a service waits for look-ups. The host's resolver cannot be interrupted: what still runs then is
/// left alone, and ends by itself within the resolver's own limit.
const PATIENCE: Duration = Duration::from_millis(500);
/// Most addresses that are used of one answer.
const ADDRESSES: usize = 16;

/// Asks for the addresses of a name. May wait.
pub trait Resolver: Send + Sync {
    /// The addresses of a name, best first.
    ///
    /// # Errors
    /// There are none, or it cannot be found out.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The host's own way (`getaddrinfo`): hosts file, DNS, whatever it is configured for.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostResolver;

impl Resolver for HostResolver {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok((name, 0).to_socket_addrs()?.map(|addr| addr.ip()).collect())
    }
}

/// What a look-up found; none when there was no answer.
pub(crate) type Found = Option<Arc<[IpAddr]>>;

/// What workers share.
struct Shared {
    resolver: Arc<dyn Resolver>,
    /// Told when an answer is there.
    wake: Box<dyn Fn() + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<String>,
    idle: usize,
    alive: usize,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next name; none when there is nothing left to do.
    fn next(&self) -> Option<String> {
        let mut state = self.lock();
        state.idle += 1;
        let empty = |state: &mut State| state.queue.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(state, IDLE, empty);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.idle -= 1;
        let name = if state.closed { None } else { state.queue.pop_front() };
        state.alive -= usize::from(name.is_none());
        drop(state);
        if name.is_none() {
            self.changed.notify_all();
        }
        name
    }

    /// Adds a name; true when one more worker is to be hired, who is already counted.
    fn push(&self, name: &str) -> bool {
        let mut state = self.lock();
        state.queue.push_back(name.to_owned());
        let needed = state.idle < state.queue.len() && state.alive < WORKERS;
        state.alive += usize::from(needed);
        drop(state);
        self.changed.notify_all();
        needed
    }

    /// Takes back the count of a worker who could not be hired; how many are left.
    fn leave(&self) -> usize {
        let mut state = self.lock();
        state.alive -= 1;
        state.alive
    }
}

/// Names being looked up, and recent answers.
pub(crate) struct Lookups {
    shared: Arc<Shared>,
    answers: Receiver<(String, Found)>,
    sender: Sender<(String, Found)>,
    /// Connections that wait for a name.
    waiting: HashMap<String, Vec<u64>>,
    recent: HashMap<String, (Instant, Found)>,
    /// How long an answer is used again.
    fresh: Duration,
    workers: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Lookups {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lookups").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Lookups {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        fresh: Duration,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (sender, answers) = channel();
        let shared = Shared { resolver, wake, state: Mutex::default(), changed: Condvar::new() };
        Self {
            shared: Arc::new(shared),
            answers,
            sender,
            waiting: HashMap::new(),
            recent: HashMap::new(),
            fresh,
            workers: Vec::new(),
        }
    }

    /// A recent answer.
    pub(crate) fn recent(&self, name: &str, now: Instant) -> Option<Found> {
        let (when, found) = self.recent.get(name)?;
        (now.saturating_duration_since(*when) < self.fresh).then(|| found.clone())
    }

    /// Somebody waits for this name already.
    pub(crate) fn is_asked(&self, name: &str) -> bool {
        self.waiting.contains_key(name)
    }

    /// Asks for a connection; the answer comes by [`Lookups::take`].
    pub(crate) fn ask(&mut self, name: &str, id: u64) -> io::Result<()> {
        if let Some(ids) = self.waiting.get_mut(name) {
            ids.push(id);
            return Ok(());
        }
        let needed = self.shared.push(name);
        self.waiting.insert(name.to_owned(), vec![id]);
        match if needed { self.hire() } else { Ok(()) } {
            Ok(()) => Ok(()),
            Err(error) if self.shared.leave() == 0 => Err(error),
            // Others are at work and come to it.
            Err(_) => Ok(()),
        }
    }

    fn hire(&mut self) -> io::Result<()> {
        self.workers.retain(|worker| !worker.is_finished());
        let (shared, sender) = (self.shared.clone(), self.sender.clone());
        let thread = std::thread::Builder::new().name("belljar-lookup".to_owned());
        self.workers.push(thread.spawn(move || work(&shared, &sender))?);
        Ok(())
    }

    /// The next answer with the connections that wait for it.
    pub(crate) fn take(&mut self, now: Instant) -> Option<(Found, Vec<u64>)> {
        let (name, found) = self.answers.try_recv().ok()?;
        let ids = self.waiting.remove(&name).unwrap_or_default();
        if self.recent.len() >= KEPT {
            self.recent.retain(|_, (when, _)| now.saturating_duration_since(*when) < self.fresh);
        }
        if self.recent.len() < KEPT {
            self.recent.insert(name, (now, found.clone()));
        }
        Some((found, ids))
    }

    /// Ends the workers; waits a little for those that are in the middle of a look-up.
    pub(crate) fn end(self) {
        let mut state = self.shared.lock();
        state.closed = true;
        self.shared.changed.notify_all();
        let busy = |state: &mut State| state.alive > 0;
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, busy);
        let all_gone = waited.unwrap_or_else(PoisonError::into_inner).0.alive == 0;
        for worker in self.workers {
            if all_gone || worker.is_finished() {
                // A worker that panicked has said so; its answer is missed by nobody any more.
                drop(worker.join());
            }
        }
    }
}

/// Looks up names until there are no more.
fn work(shared: &Shared, answers: &Sender<(String, Found)>) {
    while let Some(name) = shared.next() {
        let found = shared.resolver.resolve(&name).ok().filter(|found| !found.is_empty());
        let found = found.map(|found| found.into_iter().take(ADDRESSES).collect());
        if answers.send((name, found)).is_ok() {
            (shared.wake)();
        }
    }
}
