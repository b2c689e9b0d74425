//! A worker, as its parent has it.

use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use belljar_policy::Policy;
use rustix::event::PollFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::channel::{Break, Deadline, Inbox, Outgoing, send, wait};
use super::code::{decode_from, encode};
use super::entry::Entry;
use super::error::{ProtocolError, WorkerError};
use super::frame::{Frame, Kind};
use super::life::Life;
use super::permit::{Monitor, Needs, Nothing, Session};
use super::zygote::{Process, Zygote};

/// A confined process that answers requests of type `Q` with replies of type `A`. Dropping it ends it.
///
/// Whatever it sends is checked: length, form, type, number, time. What breaks a rule ends it, with an error that says which.
/// See [`super`] for an example.
#[derive(Debug)]
pub struct Worker<Q: 'static, A: 'static, N: Needs = Nothing> {
    channel: OwnedFd,
    inbox: Inbox,
    life: Life,
    process: Arc<Process>,
    called: u64,
    asked: u64,
    gone: bool,
    types: PhantomData<fn(Q, N) -> A>,
}

impl<Q, A, N> Worker<Q, A, N>
where
    Q: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned,
    N: Needs,
{
    /// A worker with a process of its own to be forked from. Who needs more than one takes a [`Zygote`], or a
    /// [`super::Pool`].
    ///
    /// # Errors
    /// As [`super::Builder::start`] and [`Zygote::spawn`].
    pub fn spawn(policy: &Policy, entry: &'static Entry<Q, A, N>) -> Result<Self, WorkerError> {
        Zygote::start(policy, entry)?.spawn()
    }

    pub(super) fn new(channel: OwnedFd, inbox: Inbox, life: Life, process: Arc<Process>) -> Self {
        Self { channel, inbox, life, process, called: 0, asked: 0, gone: false, types: PhantomData }
    }

    /// Sends a request and waits for the reply, at most `within`. A worker that asks for anything is ended; see
    /// [`Worker::call_with`].
    ///
    /// # Errors
    /// See [`WorkerError`]. Unless it says otherwise the worker has been ended.
    pub fn call(&mut self, request: &Q, within: Duration) -> Result<A, WorkerError> {
        self.exchange(request, within, &mut Refuse)
    }

    /// The same; what the worker asks for meanwhile is decided on and answered by `session`. The time of the answers counts.
    ///
    /// # Errors
    /// As [`Worker::call`], and [`WorkerError::OutOfPhase`], [`WorkerError::OverBudget`].
    pub fn call_with<M: Monitor<Needs = N>>(
        &mut self,
        request: &Q,
        within: Duration,
        session: &mut Session<M>,
    ) -> Result<A, WorkerError> {
        self.exchange(request, within, session)
    }

    /// A descriptor of its process: readable once it has ended.
    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.life.pidfd()
    }

    /// Ends it and waits until nothing of it is left.
    pub fn end(mut self) {
        self.life.end();
    }

    fn exchange(
        &mut self,
        request: &Q,
        within: Duration,
        answers: &mut dyn Answers,
    ) -> Result<A, WorkerError> {
        if self.gone {
            return Err(WorkerError::Gone);
        }
        let until = Deadline::after(within);
        self.request(request, until)
            .and_then(|()| self.await_answer(until, answers))
            .map_err(|stop| self.stopped(stop, within))
    }

    fn request(&mut self, request: &Q, until: Deadline) -> Result<(), Stop> {
        let (body, descriptors) =
            encode(request).map_err(|error| Stop::Mine(WorkerError::Unsendable(error)))?;
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let number = self.called.saturating_add(1);
        let message = Outgoing { kind: Kind::Call, number, body: &body, descriptors: &descriptors };
        match send(self.channel.as_fd(), &message, until) {
            Err(Break::Frame(error)) => return Err(Stop::Mine(WorkerError::TooLarge(error))),
            // What it said before it ended is more than that it ended.
            Err(Break::Closed) | Ok(()) => {}
            Err(other) => return Err(other.into()),
        }
        self.called = number;
        Ok(())
    }

    fn await_answer(&mut self, until: Deadline, answers: &mut dyn Answers) -> Result<A, Stop> {
        let most = self.inbox.most();
        loop {
            let channel = self.channel.as_fd();
            listen(channel, &mut self.life, until)?;
            let Some(frame) = self.inbox.take(channel)? else {
                // A channel that somebody else keeps open does not outlive its worker.
                if self.life.is_over() {
                    return Err(Break::Closed.into());
                }
                continue;
            };
            match frame.kind {
                Kind::Answer => {
                    due(self.called, frame.number)?;
                    return decode_from(&frame.body, frame.descriptors, most)
                        .map_err(|error| WorkerError::Protocol(error.into()).into());
                }
                Kind::Ask => {
                    self.asked = self.asked.saturating_add(1);
                    due(self.asked, frame.number)?;
                    answers.answer(frame, most, (channel, until))?;
                }
                _ => return Err(WorkerError::Protocol(ProtocolError::NotDue).into()),
            }
        }
    }

    /// The worker is gone when this returns, unless it has seen nothing of the call.
    fn stopped(&mut self, stop: Stop, within: Duration) -> WorkerError {
        let error = match stop {
            Stop::Mine(error) => return error,
            Stop::Theirs(error) => {
                self.life.end();
                error
            }
            Stop::Break(broken) => {
                let process = (self.process.memory, self.process.control.as_fd());
                self.life.why(&broken, within, process)
            }
        };
        self.gone = true;
        error
    }
}

/// Waits for a message; meanwhile it takes the worker's words.
fn listen(channel: BorrowedFd<'_>, life: &mut Life, until: Deadline) -> Result<(), Break> {
    loop {
        let Some(status) = life.interest() else {
            return wait([(channel, PollFlags::IN)], until).map(drop);
        };
        let [message, words] = wait([(channel, PollFlags::IN), (status, PollFlags::IN)], until)?;
        if words {
            life.listen();
        }
        if message || life.is_over() {
            return Ok(());
        }
    }
}

fn due(due: u64, found: u64) -> Result<(), WorkerError> {
    if due == found { Ok(()) } else { Err(WorkerError::Protocol(ProtocolError::Number { due, found })) }
}

/// Why a call does not end with a reply.
enum Stop {
    /// The caller's message; the worker knows nothing of it.
    Mine(WorkerError),
    /// The worker did what it may not do.
    Theirs(WorkerError),
    /// The channel gives no message.
    Break(Break),
}

impl From<Break> for Stop {
    fn from(broken: Break) -> Self {
        Self::Break(broken)
    }
}

impl From<WorkerError> for Stop {
    fn from(error: WorkerError) -> Self {
        Self::Theirs(error)
    }
}

/// Whoever answers a worker's questions.
trait Answers {
    /// Of a channel whose messages have at most `most` bytes.
    fn answer(&mut self, ask: Frame<'_>, most: usize, to: (BorrowedFd<'_>, Deadline)) -> Result<(), Stop>;
}

/// Nobody.
struct Refuse;

impl Answers for Refuse {
    fn answer(&mut self, _: Frame<'_>, _: usize, _: (BorrowedFd<'_>, Deadline)) -> Result<(), Stop> {
        Err(WorkerError::Protocol(ProtocolError::NotDue).into())
    }
}

impl<M: Monitor> Answers for Session<M> {
    fn answer(
        &mut self,
        ask: Frame<'_>,
        most: usize,
        (to, until): (BorrowedFd<'_>, Deadline),
    ) -> Result<(), Stop> {
        self.permit(&ask.body)?;
        let number = ask.number;
        let ask = decode_from(&ask.body, ask.descriptors, most)
            .map_err(|error| WorkerError::Protocol(error.into()))?;
        let told = Session::answer(self, ask);
        let (body, descriptors) = encode(&told).map_err(WorkerError::Unsendable)?;
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let message = Outgoing { kind: Kind::Told, number, body: &body, descriptors: &descriptors };
        match send(to, &message, until) {
            Err(Break::Frame(error)) => Err(WorkerError::TooLarge(error).into()),
            other => Ok(other?),
        }
    }
}
