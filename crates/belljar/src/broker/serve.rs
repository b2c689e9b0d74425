//! The life of a thread that answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};

use belljar_sys::notify::{Answer, Notification};
use rustix::io::Errno;

use super::clock;
use super::confine::{self, Mask};
use super::decode::{Call, row};
use super::roster::Post;
use super::shared::Shared;
use super::task::{Stop, Task, deliver};

/// Stack of a thread: paths lie on the heap, but the flag that lets a refused call through is found by planning again. What is
/// not used costs nothing.
const STACK: usize = 256 * 1024;
const ENOSYS: Answer = Answer::Error(belljar_sys::Errno::NOSYS);

/// Starts the first thread; the others inherit its confinement.
pub(super) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let (ready, started) = sync_channel(1);
    spawn(shared, Some(ready))?;
    started.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?
}

type Ready = Option<SyncSender<io::Result<()>>>;

/// One more thread, which takes a place; false when there are as many as there may be.
pub(super) fn another(shared: &Arc<Shared>) -> io::Result<bool> {
    spawn(shared, None)
}

fn spawn(shared: &Arc<Shared>, ready: Ready) -> io::Result<bool> {
    let Some(post) = shared.roster.enlist() else { return Ok(false) };
    let (own, kept) = (Arc::clone(shared), Arc::clone(&post));
    let started = thread("broker").spawn(move || live(&own, kept, ready)).map(|_| true);
    if started.is_err() {
        shared.roster.leave(&post);
    }
    started
}

pub(super) fn thread(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned()).stack_size(STACK)
}

/// Enlisted for as long as it lives; tells when it dies of a fault.
struct OnDuty<'a>(&'a Shared, Arc<Post>);

impl Drop for OnDuty<'_> {
    fn drop(&mut self) {
        self.0.roster.leave(&self.1);
        if std::thread::panicking() {
            self.0.fail("a thread has panicked");
        }
    }
}

fn live(shared: &Arc<Shared>, post: Arc<Post>, ready: Ready) {
    let duty = OnDuty(shared, post);
    let begun = match &ready {
        Some(_) => first(shared),
        None => next(shared),
    };
    let fine = begun.is_ok();
    match (ready, begun) {
        (Some(ready), begun) => {
            if ready.send(begun).is_err() {
                return;
            }
        }
        (None, Err(error)) => shared.fail(&error.to_string()),
        (None, Ok(())) => {}
    }
    if fine {
        work(shared, &duty.1);
    }
}

/// Gives up what no thread may have, then starts the clock: as confined as this one.
fn first(shared: &Arc<Shared>) -> io::Result<()> {
    noted(shared, confine::first(&shared.confinement)?);
    clock::start(shared)
}

fn next(shared: &Shared) -> io::Result<()> {
    noted(shared, confine::next()?);
    Ok(())
}

fn noted(shared: &Shared, mask: Mask) {
    if mask == Mask::Shared {
        shared.shares_mask.store(true, Ordering::Release);
    }
}

fn work(shared: &Shared, post: &Post) {
    loop {
        let call = match shared.listener.receive() {
            Ok(Some(call)) => call,
            Ok(None) => return shared.roster.close(),
            Err(errno) => return shared.fail(&format!("waiting for calls: error {}", errno.0)),
        };
        shared.roster.begin(post, &call);
        answer(shared, post, call);
        if !shared.roster.end(post) && !shared.roster.wait(post) {
            return;
        }
    }
}

fn answer(shared: &Shared, post: &Post, call: Notification) {
    if let Some(errno) = shared.hearing.as_ref().and_then(|hearing| hearing.hear(&call)) {
        return deliver(&shared.listener, call.id, Err(Stop::Fails(Errno::from_raw_os_error(errno.0))));
    }
    match row(&call) {
        Some(row) => {
            let task = Task::new(shared, post, Call { record: call, row });
            task.answer((row.serve)(&task));
        }
        None => {
            if let Err(errno) = shared.listener.answer(call.id, ENOSYS) {
                tracing::trace!(errno = errno.0, "nobody waits for this answer");
            }
        }
    }
}
