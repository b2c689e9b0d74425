//! The parent's side of the process that workers are forked from.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::marker::PhantomData;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ChildStderr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use belljar_policy::Policy;
use rustix::event::PollFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::channel::{Break, Deadline, Inbox, Outgoing, is_readable, pair, send, wait};
use super::code::{decode, encode};
use super::entry::{Entry, Work};
use super::error::{SetupError, WorkerError};
use super::frame::{Kind, MOST_BODY, MOST_INLINE};
use super::host::Worker;
use super::life::{self, Life};
use super::permit::{Needs, Nothing};
use super::seal::{Limits, Seal};
use super::setup::{SOCKET, Setup, Unready};
use crate::command::{Child, Command, Stdio};

/// How workers of an entry are made. [`Zygote::builder`] begins with what is strictest.
#[derive(Debug)]
#[must_use]
pub struct Builder<Q: 'static, A: 'static, N: Needs = Nothing> {
    entry: &'static Entry<Q, A, N>,
    policy: Policy,
    seal: Seal,
    limits: Limits,
    program: Option<PathBuf>,
    within: Duration,
    most: usize,
    spare: usize,
}

/// A confined process, warmed up, from which workers are forked in a fraction of a millisecond. Dropping it, once all workers
/// of it are dropped, ends it.
///
/// It is this program again, started as any other by [`crate::Command`], so that a program with many threads can have one at any
/// time. It gets no request and keeps none: what a worker is asked goes to that worker alone.
///
/// ```no_run
/// use std::time::Duration;
///
/// use belljar::policy::Policy;
/// use belljar::worker::{self, Entry, Zygote};
///
/// static WORDS: Entry<String, usize> = Entry::new("words", |text, _| text.split_whitespace().count());
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     worker::serve(&[&WORDS]);
///     let zygote = Zygote::start(&Policy::none(), &WORDS)?;
///     let mut worker = zygote.spawn()?;
///     assert_eq!(worker.call(&"three short words".to_owned(), Duration::from_secs(1))?, 3);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Zygote<Q: 'static, A: 'static, N: Needs = Nothing> {
    process: Arc<Process>,
    within: Duration,
    most: usize,
    types: PhantomData<fn(Q, N) -> A>,
}

impl<Q, A, N: Needs> Clone for Builder<Q, A, N> {
    fn clone(&self) -> Self {
        let (policy, seal, program) = (self.policy.clone(), self.seal.clone(), self.program.clone());
        Self { policy, seal, program, ..*self }
    }
}

impl<Q, A, N: Needs> Clone for Zygote<Q, A, N> {
    fn clone(&self) -> Self {
        Self { process: Arc::clone(&self.process), ..*self }
    }
}

/// The process itself.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) control: OwnedFd,
    /// Ends with it, and every worker.
    _child: Child,
    /// Most memory that a worker may have, in bytes.
    pub(super) memory: u64,
    /// Forked beforehand.
    spares: Mutex<VecDeque<Starting>>,
    /// How many of them there should be.
    spare: usize,
}

impl Process {
    /// Nothing panics with the lock held.
    fn spares(&self) -> MutexGuard<'_, VecDeque<Starting>> {
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, A, N> Builder<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// The system calls that are left to workers: [`Seal::new`] unless set.
    pub fn seal(mut self, seal: Seal) -> Self {
        self.seal = seal;
        self
    }

    /// What one worker may use up: [`Limits::default`] unless set.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Another program that has the same entry in its table, by its absolute path: a small helper beside a large program.
    pub fn program(mut self, file: impl Into<PathBuf>) -> Self {
        self.program = Some(file.into());
        self
    }

    /// How long the process may take to warm up, and a worker to start: 10 seconds unless set.
    pub fn start_within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// The longest message that a worker may send, in bytes: 64 MiB unless set, which is the most. Buffers and descriptors in it
    /// do not count. The values in it may take 16 times as much memory here.
    pub fn longest_message(mut self, bytes: usize) -> Self {
        self.most = bytes.min(MOST_BODY);
        self
    }

    /// How many workers wait, forked beforehand, so that who wants one need not: one unless set, which costs some 60 KiB.
    pub fn spare(mut self, workers: usize) -> Self {
        self.spare = workers;
        self
    }

    /// Starts it; it is warm and sealed off when this returns.
    ///
    /// # Errors
    /// [`WorkerError::Start`], [`WorkerError::Setup`]: nothing is left of it then.
    pub fn start(self) -> Result<Zygote<Q, A, N>, WorkerError> {
        let setup = (self.seal.zygote()?, self.seal.workers()?);
        let (control, theirs) = pair().map_err(WorkerError::system("making a socket"))?;
        let mut child = self.command(theirs)?.spawn()?;
        let setup = Setup {
            entry: self.entry.name().to_owned(),
            zygote: setup.0,
            workers: setup.1,
            limits: self.limits,
        };
        if let Err(why) = self.agree(&control, &setup, child.id()) {
            let said = last_words(child.stderr.take());
            drop(child);
            return Err(WorkerError::Setup { why, said });
        }
        child.stderr = None;
        let (memory, spare, spares) = (self.limits.memory, self.spare, Mutex::default());
        let process = Arc::new(Process { control, _child: child, memory, spares, spare });
        let zygote = Zygote { process, within: self.within, most: self.most, types: PhantomData };
        zygote.refill();
        Ok(zygote)
    }

    fn command(&self, socket: OwnedFd) -> Result<Command, WorkerError> {
        let program = match &self.program {
            Some(file) => file.clone(),
            None => std::env::current_exe().map_err(WorkerError::system("asking for this program's file"))?,
        };
        let mut command = Command::new(program);
        command.policy(policy(&self.policy)?).for_workers().pass(SOCKET, socket);
        command.env_clear().current_dir("/");
        command.stdin(Stdio::Null).stdout(Stdio::Null).stderr(Stdio::Piped);
        Ok(command)
    }

    /// Tells it what is wanted; fails unless it is this program's code.
    fn agree(&self, control: &OwnedFd, setup: &Setup, init: u32) -> Result<(), SetupError> {
        let until = Deadline::after(self.within);
        let body = encode(setup).map_err(|_| SetupError::Silent)?.0;
        send(control.as_fd(), &Outgoing::new(Kind::Setup, 0, &body), until)
            .map_err(|_| SetupError::Silent)?;
        let mut inbox = Inbox::new(MOST_INLINE);
        let frame = inbox.next(control.as_fd(), until).map_err(|_| SetupError::Silent)?;
        let place = match frame.kind {
            Kind::Sealed => decode::<(u64, bool)>(&frame.body, frame.descriptors),
            Kind::Failed => {
                let why = decode::<Unready>(&frame.body, frame.descriptors);
                return Err(why.map_or(SetupError::Silent, SetupError::from));
            }
            _ => return Err(SetupError::OtherProgram),
        };
        let (place, untold) = place.map_err(|_| SetupError::OtherProgram)?;
        if place != self.entry.place() && self.program.is_none() {
            return Err(SetupError::OtherProgram);
        }
        if untold { tell_about(control, init, until) } else { Ok(()) }
    }
}

/// Hands the zygote what tells how many threads it has: it is the first child of the jar's init.
fn tell_about(control: &OwnedFd, init: u32, until: Deadline) -> Result<(), SetupError> {
    let failed = |error: &std::io::Error| SetupError::Step {
        step: "looking for other threads".to_owned(),
        errno: error.raw_os_error().unwrap_or(0),
    };
    let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children"));
    let children = children.map_err(|error| failed(&error))?;
    let zygote = children.split_whitespace().next().unwrap_or_default();
    let status = File::open(format!("/proc/{zygote}/status")).map_err(|error| failed(&error))?;
    let descriptors = [status.as_fd()];
    let about = Outgoing { kind: Kind::About, number: 0, body: &[], descriptors: &descriptors };
    send(control.as_fd(), &about, until).map_err(|_| SetupError::Silent)
}

/// The policy with what every program for workers takes to start.
fn policy(policy: &Policy) -> Result<Policy, WorkerError> {
    let policy = policy.clone().read_program().and_then(|policy| policy.allow_syscall("@worker"));
    policy.map_err(|error| WorkerError::setup(SetupError::Filter(error.to_string())))
}

fn last_words(stderr: Option<ChildStderr>) -> String {
    let Some(mut pipe) = stderr else { return String::new() };
    let until = Deadline::after(Duration::from_millis(100));
    let mut bytes = Vec::new();
    let mut some = [0; 1024];
    while bytes.len() < life::MOST_SAID && wait([(pipe.as_fd(), PollFlags::IN)], until).is_ok() {
        match pipe.read(&mut some) {
            Ok(read @ 1..) => bytes.extend_from_slice(some.get(..read).unwrap_or_default()),
            _ => break,
        }
    }
    life::shown(&bytes)
}

impl<Q, A, N> Zygote<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// Begins with the strictest seal and the limits that suit most.
    ///
    /// The policy says what the process may do while it starts and warms up. Workers have less: what of it needs a path, a socket or
    /// another process is gone for them, unless a [`Seal`] leaves the calls and descriptors are handed over.
    pub fn builder(policy: &Policy, entry: &'static Entry<Q, A, N>) -> Builder<Q, A, N> {
        Builder {
            entry,
            policy: policy.clone(),
            seal: Seal::new(),
            limits: Limits::default(),
            program: None,
            within: Duration::from_secs(10),
            most: MOST_BODY,
            spare: 1,
        }
    }

    /// [`Zygote::builder`] as it begins, started.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start(policy: &Policy, entry: &'static Entry<Q, A, N>) -> Result<Self, WorkerError> {
        Self::builder(policy, entry).start()
    }

    /// A fresh worker, which nobody had before. It is sealed off and waits when this returns.
    ///
    /// # Errors
    /// [`WorkerError::ZygoteGone`], [`WorkerError::Setup`] when it could not be sealed off, [`WorkerError::TimedOut`].
    pub fn spawn(&self) -> Result<Worker<Q, A, N>, WorkerError> {
        // A spare one would have been ended with it, and still look ready.
        if self.is_gone() {
            return Err(WorkerError::ZygoteGone);
        }
        let spare = self.process.spares().pop_front();
        let worker = match spare.map(|spare| spare.finish(self)) {
            Some(Ok(worker)) => Ok(worker),
            // A spare one that ended meanwhile was asked nothing.
            Some(Err(_)) | None => self.begin().and_then(|starting| starting.finish(self)),
        };
        self.refill();
        worker
    }

    /// How many workers wait, forked beforehand.
    #[must_use]
    pub fn spares(&self) -> usize {
        self.process.spares().len()
    }

    /// Asks for spare workers; nobody waits for them.
    fn refill(&self) {
        let mut spares = self.process.spares();
        while spares.len() < self.process.spare {
            let Ok(starting) = self.begin() else { return };
            spares.push_back(starting);
        }
    }

    /// Whether the process has ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        // It says nothing by itself: whatever can be read is the end.
        is_readable(self.process.control.as_fd())
    }

    /// Asks for a worker without waiting for it.
    fn begin(&self) -> Result<Starting, WorkerError> {
        let until = Deadline::after(self.within);
        let socket = || pair().map_err(WorkerError::system("making a socket"));
        let ((channel, their_channel), (status, their_status)) = (socket()?, socket()?);
        let mut seed = [0_u8; 32];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty())
            .map_err(|errno| WorkerError::system("drawing a seed")(errno.into()))?;
        let gone = |broken| match broken {
            Break::System(source) => WorkerError::System { what: "asking for a worker", source },
            _ => WorkerError::ZygoteGone,
        };
        send(channel.as_fd(), &Outgoing::new(Kind::Seed, 0, &seed), until).map_err(gone)?;
        let descriptors = [their_channel.as_fd(), their_status.as_fd()];
        let fork = Outgoing { kind: Kind::Fork, number: 0, body: &[], descriptors: &descriptors };
        send(self.process.control.as_fd(), &fork, until).map_err(gone)?;
        Ok(Starting { channel, life: Life::new(status) })
    }
}

/// A worker that was asked for.
#[derive(Debug)]
struct Starting {
    channel: OwnedFd,
    life: Life,
}

impl Starting {
    /// Waits until it is sealed off.
    fn finish<Q, A, N>(mut self, zygote: &Zygote<Q, A, N>) -> Result<Worker<Q, A, N>, WorkerError>
    where
        Q: Serialize + DeserializeOwned,
        A: Serialize + DeserializeOwned,
        N: Needs,
    {
        let (within, memory) = (zygote.within, zygote.process.memory);
        let (until, mut inbox) = (Deadline::after(within), Inbox::new(zygote.most));
        // Its own word first: the zygote's comes meanwhile, and a parent that does not wake for it is out of the way.
        let ready = inbox.next(self.channel.as_fd(), until).map(|frame| frame.kind == Kind::Ready);
        self.life.begin(until).map_err(|broken| match broken {
            Break::Late => WorkerError::TimedOut { within },
            Break::System(source) => WorkerError::System { what: "waiting for a worker", source },
            _ => WorkerError::ZygoteGone,
        })?;
        match ready {
            Ok(true) => Ok(Worker::new(self.channel, inbox, self.life, Arc::clone(&zygote.process))),
            Ok(false) | Err(Break::Frame(_)) => Err(WorkerError::setup(SetupError::OtherProgram)),
            Err(broken) => {
                let process = (memory, zygote.process.control.as_fd());
                Err(self.life.why(&broken, within, process))
            }
        }
    }
}
