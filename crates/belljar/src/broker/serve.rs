//! The threads that answer. One of them always waits for the next call, so that a slow one (a dead mount, a decision that takes
//! its time) holds nobody else up.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use belljar_bpf::Arch;
use belljar_sys::notify::{Answer, Listener, Notification};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::confine::{self, Confinement, Mask};
use super::connect::Connections;
use super::host::Copies;
use super::judge::{Judge, Observer};
use super::table::{Row, TABLE};
use super::task::Task;

/// Most threads. Calls beyond that wait in the kernel, at no cost here.
const MOST: usize = 128;
/// Threads that may wait for calls; more end.
const SPARE: usize = 2;
/// Stack of a thread: paths lie on the heap.
const STACK: usize = 64 * 1024;
const ENOSYS: Answer = Answer::Error(belljar_sys::Errno::NOSYS);

/// What the threads share.
pub(super) struct Shared {
    pub(super) listener: Listener,
    pub(super) judge: Arc<dyn Judge>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) connections: Option<Arc<dyn Connections>>,
    /// Each folder and link on the way is decided about: the tree holds more than the jar may see.
    pub(super) hops: bool,
    /// Whom the jar runs as.
    pub(super) ids: (u32, u32),
    /// The jar's root.
    pub(super) root: OnceLock<OwnedFd>,
    pub(super) confinement: Confinement,
    /// `/proc/self/fd`.
    descriptors: OnceLock<OwnedFd>,
    /// The threads cannot have a file mode mask of their own.
    pub(super) shares_mask: AtomicBool,
    /// Files of the host that were granted for reading.
    pub(super) copies: Copies,
    mounts: Mutex<Vec<u64>>,
    rows: Vec<(u32, &'static Row)>,
    waiting: AtomicUsize,
    threads: AtomicUsize,
    /// A thread has failed: the jar must not live on.
    failed: AtomicBool,
    alarm: OwnedFd,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Shared").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// What a broker is made of.
pub(super) struct Parts {
    pub(super) listener: Listener,
    pub(super) judge: Arc<dyn Judge>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) connections: Option<Arc<dyn Connections>>,
    pub(super) hops: bool,
    pub(super) confinement: Confinement,
    pub(super) alarm: OwnedFd,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        let number = |row: &'static Row| Some((belljar_bpf::syscall_number(row.call)?, row));
        let mut rows: Vec<_> = TABLE.iter().filter_map(number).collect();
        rows.sort_unstable_by_key(|(number, _)| *number);
        Self {
            listener: parts.listener,
            judge: parts.judge,
            observer: parts.observer,
            connections: parts.connections,
            hops: parts.hops,
            ids: parts.confinement.ids(),
            root: OnceLock::new(),
            confinement: parts.confinement,
            shares_mask: AtomicBool::new(false),
            copies: Copies::default(),
            descriptors: OnceLock::new(),
            mounts: Mutex::default(),
            rows,
            waiting: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            alarm: parts.alarm,
        }
    }

    /// The supervisor's own name of an open descriptor, in two parts: the folder of descriptors, opened once for this broker,
    /// and the name in it.
    pub(super) fn own_entry(&self, fd: &OwnedFd) -> Result<(BorrowedFd<'_>, String), Errno> {
        if self.descriptors.get().is_none() {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            // Another thread may have been first: it found the same.
            drop(self.descriptors.set(openat(CWD, "/proc/self/fd", flags, Mode::empty())?));
        }
        let folder = self.descriptors.get().ok_or(Errno::NOENT)?;
        Ok((folder.as_fd(), fd.as_raw_fd().to_string()))
    }

    /// Mounts that are known to be the jar's.
    pub(super) fn mounts(&self) -> MutexGuard<'_, Vec<u64>> {
        self.mounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, call: &Notification) -> Option<&'static Row> {
        let number = u32::try_from(call.nr).ok().filter(|_| call.arch == Arch::X86_64.audit())?;
        let at = self.rows.binary_search_by_key(&number, |(of, _)| *of).ok()?;
        self.rows.get(at).map(|(_, row)| *row)
    }

    /// Tells the supervisor that calls may stay unanswered.
    fn fail(&self, why: &str) {
        tracing::error!(why, "the broker has failed");
        self.failed.store(true, Ordering::Release);
        if let Err(errno) = rustix::io::write(&self.alarm, &1_u64.to_ne_bytes()) {
            tracing::error!(%errno, "the supervisor cannot be told");
        }
    }
}

/// Starts the first thread; the others inherit its confinement.
pub(super) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let (ready, started) = sync_channel(1);
    spawn(shared, Some(ready))?;
    started.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?
}

type Ready = Option<SyncSender<io::Result<()>>>;

fn spawn(shared: &Arc<Shared>, ready: Ready) -> io::Result<()> {
    let own = Arc::clone(shared);
    let thread = std::thread::Builder::new().name("broker".to_owned()).stack_size(STACK);
    shared.threads.fetch_add(1, Ordering::AcqRel);
    let started = thread.spawn(move || live(&own, ready)).map(drop);
    if started.is_err() {
        shared.threads.fetch_sub(1, Ordering::AcqRel);
    }
    started
}

/// Counts a thread for as long as it lives, and tells when it dies of a fault.
struct OnDuty<'a>(&'a Shared);

impl Drop for OnDuty<'_> {
    fn drop(&mut self) {
        self.0.threads.fetch_sub(1, Ordering::AcqRel);
        if std::thread::panicking() {
            self.0.fail("a thread has panicked");
        }
    }
}

fn live(shared: &Arc<Shared>, ready: Ready) {
    let _duty = OnDuty(shared);
    let confined = match &ready {
        Some(_) => confine::first(&shared.confinement),
        None => confine::next(),
    };
    let fine = confined.is_ok();
    if let Ok(Mask::Shared) = confined {
        shared.shares_mask.store(true, Ordering::Release);
    }
    match (ready, confined.map(drop)) {
        (Some(ready), confined) => {
            if ready.send(confined).is_err() {
                return;
            }
        }
        (None, Err(error)) => shared.fail(&error.to_string()),
        (None, Ok(())) => {}
    }
    if fine {
        work(shared);
    }
}

fn work(shared: &Arc<Shared>) {
    while let Some(call) = next(shared) {
        answer(shared, call);
        if shared.waiting.load(Ordering::Acquire) >= SPARE {
            return;
        }
    }
}

/// The next call. Whoever takes one makes sure that somebody else waits.
fn next(shared: &Arc<Shared>) -> Option<Notification> {
    shared.waiting.fetch_add(1, Ordering::AcqRel);
    let call = shared.listener.receive();
    let was_last = shared.waiting.fetch_sub(1, Ordering::AcqRel) == 1;
    let call = match call {
        Ok(call) => call?,
        Err(errno) => {
            shared.fail(&format!("waiting for calls: error {}", errno.0));
            return None;
        }
    };
    if was_last
        && shared.threads.load(Ordering::Acquire) < MOST
        && let Err(error) = spawn(shared, None)
    {
        // Without it only the calls behind a slow one wait.
        tracing::warn!(%error, "no further thread for the broker");
    }
    Some(call)
}

fn answer(shared: &Shared, call: Notification) {
    match shared.row(&call) {
        Some(row) => {
            let task = Task::new(shared, row, call);
            task.answer((row.serve)(&task));
        }
        None => {
            if let Err(errno) = shared.listener.answer(call.id, ENOSYS) {
                tracing::trace!(errno = errno.0, "nobody waits for this answer");
            }
        }
    }
}
