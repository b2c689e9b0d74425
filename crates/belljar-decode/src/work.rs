//! From files to results: a few threads, each with one picture at a time, and a fresh worker for each picture.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use belljar::heap::Arena;
use belljar::policy::{Policy, PolicyError};
use belljar::worker::{self, Descriptor, Entry, Pool, Seal, WorkerError};

use crate::arguments::Arguments;
use crate::decode::{Answer, Limits, Order, Reason, warm};
use crate::inbox;
use crate::picture::{Flaw, encode};
use crate::place::{Name, Place, names};
use crate::progress::Progress;
use crate::summary::{Failure, text};

/// Exit status when no picture was tried.
pub const FAILED: u8 = 125;
/// How long one picture may take.
const WITHIN: Duration = Duration::from_secs(30);
/// What is said of a picture whose file ends too soon.
const CUT: &str = "its file ends before the picture does: the rest of the result is filled";
/// Memory of a worker: for the file, for decoding, and for the result.
const MEMORY: &str = "1G";

/// The memory of workers and of whoever writes their results, in a program that has it as its allocator.
pub static HEAP: Arena = Arena::new();

/// What workers do. The program has it in its table.
pub static DECODE: Entry<Order, Answer> = Entry::new("decode", |order: Order, _| {
    HEAP.open();
    order.carry_out()
})
.warm(warm);

/// The policy of the workers.
///
/// # Errors
/// None that this program could cause.
pub fn policy() -> Result<Policy, PolicyError> {
    Policy::preset("@decoder")?.set("limits.data", MEMORY)
}

/// Why no picture was tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The folder for results.
    #[error("nothing can be put into {0}: {1}")]
    Out(String, #[source] io::Error),
    /// The policy of the workers.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No worker could be confined. Nothing is decoded without.
    #[error(transparent)]
    Workers(#[from] WorkerError),
}

impl RunError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Out(_, error) = self else { return None };
        match error.kind() {
            io::ErrorKind::NotFound => Some("make the folder above it first; only the last one is made"),
            io::ErrorKind::NotADirectory => Some("it is a file; give --out a folder"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Some("give --out a folder that you may write to")
            }
            _ => None,
        }
    }
}

/// Why there is no result of one picture.
#[derive(Debug, thiserror::Error)]
enum PictureError {
    #[error("it cannot be opened: {0}")]
    Open(#[source] io::Error),
    #[error("it has no name")]
    Name,
    #[error("its result would replace that of {first}, {name}: give it another --out")]
    SameName { name: String, first: String },
    #[error("{0} is there already; --overwrite replaces it")]
    Exists(String),
    #[error(transparent)]
    Refused(#[from] Reason),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Answer(#[from] Flaw),
    #[error("its result cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// Decodes what the arguments name; exit status 0 when all was decoded, 1 when some of it was not.
///
/// # Errors
/// [`RunError`]: nothing was tried.
pub fn run(arguments: &Arguments) -> Result<u8, RunError> {
    let begun = Instant::now();
    let place = Place::open(&arguments.out, arguments.overwrite);
    let place = place.map_err(|error| RunError::Out(shown(arguments.out.as_os_str()), error))?;
    let policy = policy()?;
    let limits = worker::Limits::of(&policy);
    let pool = Pool::builder(&Policy::none(), &DECODE).seal(Seal::of(&policy)?).limits(limits);
    let jobs = arguments.jobs.min(arguments.files.len());
    let pool = pool.size(jobs).spare(jobs).start()?;
    let job = Job { arguments, names: names(&arguments.files), place, pool, next: AtomicUsize::new(0) };
    HEAP.open();
    let failures = all(&job);
    let words = text(arguments.files.len(), &failures, begun.elapsed(), arguments.quiet);
    // Nobody is left to hear that nobody hears.
    drop(io::stderr().write_all(words.as_bytes()));
    Ok(u8::from(failures.iter().any(|failure| !failure.made)))
}

fn shown(name: &OsStr) -> String {
    belljar::policy::printable(name)
}

/// What the threads share.
struct Job<'a> {
    arguments: &'a Arguments,
    names: Vec<Name>,
    place: Place,
    pool: Pool<Order, Answer>,
    next: AtomicUsize,
}

fn all(job: &Job<'_>) -> Vec<Failure> {
    let files = job.arguments.files.len();
    let (done, results) = channel();
    thread::scope(|scope| {
        for _ in 0..job.arguments.jobs.min(files) {
            let done = done.clone();
            scope.spawn(move || job.work(&done));
        }
        drop(done);
        gather(&results, Progress::of(files, job.arguments.quiet))
    })
}

/// In the order of the arguments.
fn gather(results: &Receiver<Option<Failure>>, progress: Progress) -> Vec<Failure> {
    let mut failures = Vec::new();
    for result in results {
        progress.step();
        failures.extend(result);
    }
    progress.end();
    failures.sort_by_key(|failure| failure.at);
    failures
}

impl Job<'_> {
    fn work(&self, done: &Sender<Option<Failure>>) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let (Some(file), Some(name)) = (self.arguments.files.get(at), self.names.get(at)) else { return };
            let failure = match self.picture(file, name) {
                Ok(false) => None,
                Ok(true) => Some((CUT.to_owned(), true)),
                Err(error) => Some((error.to_string(), false)),
            };
            let failure = failure.map(|(reason, made)| Failure { at, file: file.clone(), reason, made });
            if done.send(failure).is_err() {
                return;
            }
        }
    }

    /// Whether a part of it is missing.
    fn picture(&self, path: &Path, name: &Name) -> Result<bool, PictureError> {
        let limits = Limits { side: self.arguments.thumbnail, ..Limits::default() };
        let file = inbox::open(path, limits.file).map_err(PictureError::Open)?;
        let name = self.free(name)?;
        let length = file.metadata().map_err(PictureError::Open)?.len();
        let (png, cut) = self.decoded(file, length, limits)?;
        let put = self.place.put(name, &png).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => PictureError::Exists(shown(name)),
            _ => PictureError::Write(error),
        });
        put.map(|()| cut)
    }

    fn free<'n>(&self, name: &'n Name) -> Result<&'n OsStr, PictureError> {
        match name {
            Name::Own(name) => Ok(name),
            Name::Without => Err(PictureError::Name),
            Name::Taken(name, first) => {
                let first = self.arguments.files.get(*first).map(|file| shown(file.as_os_str()));
                Err(PictureError::SameName { name: shown(name), first: first.unwrap_or_default() })
            }
        }
    }

    fn decoded(&self, file: File, length: u64, limits: Limits) -> Result<(Vec<u8>, bool), PictureError> {
        let order = Order { file: Descriptor::from(file), length, limits };
        match self.pool.call(&order, WITHIN)? {
            Answer::Picture { width, height, pixels, cut } => {
                Ok((encode(width, height, &pixels, limits)?, cut))
            }
            Answer::Refused(reason) => Err(reason.into()),
        }
    }
}
