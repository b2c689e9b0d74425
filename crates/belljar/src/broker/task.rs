//! One call that waits for its answer: its arguments, copied once, and what is decided about its objects.

use std::cell::Cell;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use belljar_sys::notify::{Answer, Listener, Memory};
use rustix::fs::Mode;
use rustix::io::Errno;

use super::caller::Caller;
use super::decode::Call;
use super::judge::{Object, Request, Verdict, View, Wanted};
use super::memory;
use super::own::Held;
use super::roster::Post;
use super::shared::Shared;
use super::table::Row;

/// Why a call is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It fails with this error.
    Fails(Errno),
    /// Its maker is gone: nobody waits for an answer.
    Gone,
    /// It waits for the other end of a FIFO; the answer comes later.
    Waits,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Fails(errno)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Fails(Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

/// What a call returns.
#[derive(Debug)]
pub(super) enum Done {
    /// A number; mostly 0.
    Value(i64),
    /// A descriptor, and whether it closes at exec.
    Descriptor(OwnedFd, bool),
    /// The same, open for writing: nobody but the caller has it when its call returns.
    Writable(OwnedFd, bool),
    /// Whatever the kernel makes of it: nothing was to be decided, and the jar may make it in every form.
    Undecided,
    /// Nothing, once a descriptor has taken the place of the caller's own with this number; whether it closes at exec.
    Replaced(OwnedFd, i32, bool),
}

/// Result of a call.
pub(super) type Served = Result<Done, Stop>;

/// A path as the jar said it.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// Descriptor that a relative one starts at.
    pub(super) at: i32,
    pub(super) text: PathBuf,
}

/// One call.
#[derive(Debug)]
pub(super) struct Task<'a> {
    pub(super) shared: &'a Shared,
    pub(super) row: &'static Row,
    post: &'a Post,
    call: Call,
    /// Something of the caller was looked at since it was last certain that its call waits.
    looked: Cell<bool>,
    /// Memory of the caller was read: the kernel must not read it again.
    read: Cell<bool>,
    /// Tick of the clock then.
    certain_at: Cell<u64>,
}

impl<'a> Task<'a> {
    pub(super) fn new(shared: &'a Shared, post: &'a Post, call: Call) -> Self {
        let looked = Cell::new(true);
        Self { shared, row: call.row, post, call, looked, read: Cell::new(false), certain_at: Cell::new(0) }
    }

    /// Who made the call. Whatever is asked of it is checked [before it counts](Task::certain).
    pub(super) fn caller(&self) -> Caller {
        self.looked.set(true);
        Caller { pid: self.call.record.pid }
    }

    /// The call's name in answers.
    pub(super) fn id(&self) -> u64 {
        self.call.record.id
    }

    pub(super) fn listener(&self) -> &'a Listener {
        &self.shared.listener
    }

    /// An argument register; 0 where there is none.
    pub(super) fn register(&self, at: u8) -> u64 {
        self.call.register(at)
    }

    /// An argument that the kernel takes as `int`.
    pub(super) fn int(&self, at: u8) -> i32 {
        self.call.int(at)
    }

    /// An argument that the kernel takes as `unsigned int`.
    pub(super) fn word(&self, at: u8) -> u32 {
        self.call.word(at)
    }

    /// Position of the `n`th argument behind the path.
    pub(super) fn after(&self, n: u8) -> u8 {
        self.call.after(n)
    }

    /// `AT_*` flags as the caller said them.
    pub(super) fn flags(&self) -> u32 {
        self.call.flags()
    }

    /// The path of the call.
    pub(super) fn name(&self) -> Result<Name, Stop> {
        self.name_at(self.row.dir, self.row.path)
    }

    /// The second path of the call.
    pub(super) fn second_name(&self) -> Result<Name, Stop> {
        let (dir, path) = self.row.second.ok_or(Errno::INVAL)?;
        self.name_at(dir, path)
    }

    /// A path by its positions.
    pub(super) fn name_at(&self, dir: Option<u8>, path: u8) -> Result<Name, Stop> {
        self.look();
        let (at, address) = self.call.pointed((dir, path));
        let text = memory::path(self.call.record.pid, address)?;
        self.post.about(text.as_os_str().as_bytes());
        Ok(Name { at, text })
    }

    /// Bytes of the jar's memory.
    pub(super) fn bytes<const N: usize>(&self, address: u64) -> Result<[u8; N], Stop> {
        self.look();
        Ok(memory::exact(self.call.record.pid, address)?)
    }

    /// As many bytes of the jar's memory as `into` has.
    pub(super) fn fill(&self, address: u64, into: &mut [u8]) -> Result<(), Stop> {
        self.look();
        Ok(memory::fill(self.call.record.pid, address, into)?)
    }

    /// Before memory is read.
    fn look(&self) {
        self.looked.set(true);
        self.read.set(true);
    }

    /// Writes a result where the caller wants it. The memory is opened before the question whether the call still waits, so
    /// that it cannot be another's.
    pub(super) fn give(&self, to: u8, bytes: &[u8]) -> Served {
        let memory = Memory::open(self.call.record.pid).map_err(|_| Errno::FAULT)?;
        self.still_waits()?;
        memory.write(self.register(to), bytes).map_err(|_| Errno::FAULT)?;
        Ok(Done::Value(0))
    }

    /// Makes sure that what was looked at is the caller's: its call still waits, so its number was not another's.
    pub(super) fn still_waits(&self) -> Result<(), Stop> {
        if !self.waits() {
            return Err(Stop::Gone);
        }
        self.looked.set(false);
        self.certain_at.set(self.shared.roster.tick());
        Ok(())
    }

    fn waits(&self) -> bool {
        #[cfg(feature = "test-hooks")]
        if super::fault::forgets_the_dead() {
            return true;
        }
        self.listener().is_valid(self.call.record.id)
    }

    /// The same, unless it is certain already. Asked after all looks at the caller and before anything comes of them: before
    /// each question to the judge and before each act, since a caller that waited too long was given its answer.
    fn certain(&self) -> Result<(), Stop> {
        let certain = !self.looked.get() && self.certain_at.get() == self.shared.roster.tick();
        if certain { Ok(()) } else { self.still_waits() }
    }

    /// Asks the judge about something that is open, tells the observer, and makes sure that somebody still waits.
    pub(super) fn decide(&self, wanted: Wanted, held: &Held) -> Result<(), Stop> {
        match &held.path {
            Some(path) => self.decide_path(wanted, path),
            None => self.settle(wanted, Object::Own),
        }
    }

    /// The same about a name in an open folder.
    pub(super) fn decide_path(&self, wanted: Wanted, path: &Path) -> Result<(), Stop> {
        self.settle(wanted, Object::Path(path))
    }

    /// The same about writing in the jar. Where the host's file may be asked about instead, a refusal is told when that is
    /// refused too.
    pub(super) fn decide_writing(&self, path: &Path) -> Result<(), Stop> {
        let request = self.request(Wanted::Write, Object::Path(path));
        if !self.opens_host() {
            return self.rule_on(&request);
        }
        self.certain()?;
        match self.thinking(|| self.shared.judge.judge(&request)).granted() {
            true => self.rule_on(&request),
            false => Err(Errno::ROFS.into()),
        }
    }

    /// The same about a file that only the host has.
    pub(super) fn decide_host(&self, wanted: Wanted, path: &Path) -> Result<(), Stop> {
        self.rule_on(&Request { view: View::Host, ..self.request(wanted, Object::Path(path)) })
    }

    /// Whether the judge can grant what the jar does not have.
    pub(super) fn opens_host(&self) -> bool {
        self.shared.judge.opens_host()
    }

    fn settle(&self, wanted: Wanted, object: Object<'_>) -> Result<(), Stop> {
        self.rule_on(&self.request(wanted, object))
    }

    fn rule_on(&self, request: &Request<'_>) -> Result<(), Stop> {
        self.certain()?;
        let verdict = self.thinking(|| self.shared.judge.judge(request));
        if let Some(observer) = &self.shared.observer {
            observer.saw(request, &verdict);
        }
        match verdict {
            Verdict::Grant(_) => self.certain(),
            Verdict::Refuse { errno, .. } => Err(Stop::Fails(refusal(errno))),
        }
    }

    /// Somebody decides, who may take longer for it than a file system.
    pub(super) fn thinking<R>(&self, decide: impl FnOnce() -> R) -> R {
        self.post.judging(true, self.shared.roster.tick());
        let decided = decide();
        self.post.judging(false, self.shared.roster.tick());
        decided
    }

    fn request<'r>(&self, wanted: Wanted, object: Object<'r>) -> Request<'r> {
        Request { call: self.row.call, wanted, object, view: View::Jar, pid: self.call.record.pid }
    }

    /// Tells a judge that reaches the host what was wanted at a path that the jar lacks. It stays lacking.
    pub(super) fn tell_absent(&self, wanted: Wanted, path: &Path) {
        if self.certain().is_err() {
            return;
        }
        let request = Request { view: View::Host, ..self.request(wanted, Object::Path(path)) };
        self.shared.judge.lacks(&request);
    }

    /// Tells that a unix socket of the jar gets no name.
    pub(super) fn tell_unnamed(&self) {
        if let Some(observer) = &self.shared.observer {
            observer.unnamed(self.row.call, self.call.record.pid);
        }
    }

    /// Whether a folder on the way may be seen. Nobody is told: the object of the call is what counts.
    pub(super) fn passes(&self, path: &Path) -> Result<(), Stop> {
        self.certain()?;
        match self.shared.judge.judge(&self.request(Wanted::Look, Object::Path(path))) {
            Verdict::Grant(_) => Ok(()),
            Verdict::Refuse { errno, .. } => Err(Stop::Fails(refusal(errno))),
        }
    }

    /// The mode of what is about to be made, under the caller's file mode mask.
    pub(super) fn masked(&self, mode: u32) -> Result<Mode, Stop> {
        let mask = self.caller().numbers()?.umask;
        self.still_waits()?;
        if self.shared.shares_mask.load(Ordering::Acquire) {
            return Ok(Mode::from_bits_retain(mode & !mask));
        }
        // The kernel applies it: where a folder has default rights, it does not count.
        rustix::process::umask(Mode::from_bits_retain(mask));
        Ok(Mode::from_bits_retain(mode))
    }

    #[cfg(feature = "test-hooks")]
    pub(super) fn let_through(&self) -> bool {
        self.listener().let_through(self.call.record.id).is_ok()
    }

    /// Gives the answer. The kernel never goes on with a call whose memory was read: other words can stand there by then.
    pub(super) fn answer(&self, served: Served) {
        let served = match served {
            Ok(Done::Undecided) if self.read.get() => Err(Errno::ACCESS.into()),
            served => served,
        };
        #[cfg(feature = "test-hooks")]
        if super::fault::answers(self, &served) {
            return;
        }
        deliver(self.listener(), self.call.record.id, served);
    }
}

/// The answer that is left to give: none where the call has its descriptor, or does not wait any more (`ENOENT`).
fn handed(given: belljar_sys::call::Result<()>) -> Option<Answer> {
    match given {
        Ok(()) | Err(belljar_sys::Errno::NOENT) => None,
        Err(errno) => Some(Answer::Error(errno)),
    }
}

/// Gives a call its answer, unless it waits on or its maker is gone.
pub(super) fn deliver(listener: &Listener, id: u64, served: Served) {
    let answer = match served {
        Ok(Done::Value(value)) => Answer::Value(value),
        Err(Stop::Gone | Stop::Waits) => return,
        Ok(Done::Undecided) => {
            if let Err(errno) = listener.let_through(id) {
                tracing::trace!(errno = errno.0, "nobody waits for this answer");
            }
            return;
        }
        Err(Stop::Fails(errno)) => fails(errno),
        Ok(Done::Replaced(fd, at, close_on_exec)) => {
            match listener.replace_fd(id, fd.as_fd(), at, close_on_exec) {
                Ok(()) => Answer::Value(0),
                Err(belljar_sys::Errno::NOENT) => return,
                Err(errno) => Answer::Error(errno),
            }
        }
        Ok(Done::Descriptor(fd, close_on_exec)) => {
            match handed(listener.answer_fd(id, fd.as_fd(), close_on_exec)) {
                Some(answer) => answer,
                None => return,
            }
        }
        Ok(Done::Writable(fd, close_on_exec)) => match handed(listener.hand_fd(id, fd, close_on_exec)) {
            Some(answer) => answer,
            None => return,
        },
    };
    if let Err(errno) = listener.answer(id, answer) {
        tracing::trace!(errno = errno.0, "nobody waits for this answer");
    }
}

fn fails(errno: Errno) -> Answer {
    Answer::Error(belljar_sys::Errno(errno.raw_os_error()))
}

/// A refusal refuses, whatever number a judge gives.
fn refusal(errno: i32) -> Errno {
    if (1..4096).contains(&errno) { Errno::from_raw_os_error(errno) } else { Errno::ACCESS }
}
