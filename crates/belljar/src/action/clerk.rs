//! The supervisor's side: reads requests, decides, acts, replies. Never waits.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use belljar_policy::{Action, Policy};
use rustix::io::Errno;

use super::frame::{self, Frame, Frames, Id, Outcome};
use super::perform::{self, Draft, With};
use super::table::{self, Deed, PAUSE, Row};
use crate::ask::rate::Rate;
use crate::error::StartError;
use crate::event::{Access, Event, Observer, Verdict};

/// Bytes that one turn reads, so that a flood leaves time for the rest of the supervisor.
const TURN: usize = 16 * 1024;

/// Transfers at once.
const TRANSFERS: usize = 4;

/// Started programs that have not ended.
const RUNNING: usize = 16;

/// Refusals within a minute after which nothing more is read.
const REFUSALS: usize = 1000;

/// An outcome, with the reason that the requester reads.
type Done = (Outcome, &'static str);

/// One granted action.
#[derive(Debug)]
struct Counter {
    row: &'static Row,
    with: With,
    rule: String,
    origin: String,
    rate: Rate,
}

/// The granted actions, with what they need.
#[derive(Debug)]
pub(crate) struct Office {
    counters: Vec<Counter>,
    environment: Vec<CString>,
}

impl Office {
    /// Opens what the policy names; none when it names nothing.
    pub(crate) fn open(policy: &Policy, caller: &[(OsString, OsString)]) -> Result<Option<Self>, StartError> {
        if policy.actions.is_empty() {
            return Ok(None);
        }
        let mut counters = Vec::new();
        for rule in &policy.actions {
            let row = table::ROWS.iter().find(|row| row.action == rule.action);
            let row = row.ok_or_else(|| StartError::Action {
                action: "this action",
                with: rule.with.clone(),
                origin: rule.origin.to_string(),
                why: "is unknown",
            })?;
            counters.push(Counter {
                row,
                with: With::open(rule, row, policy)?,
                rule: format!("actions.{} = \"{}\"", row.name(), crate::error::shown(&rule.with)),
                origin: rule.origin.to_string(),
                rate: Rate::per_minute(row.per_minute),
            });
        }
        Ok(Some(Self { counters, environment: perform::environment(caller) }))
    }
}

/// Bytes on their way to an action.
#[derive(Debug)]
struct Transfer {
    id: Id,
    action: Action,
    name: String,
    draft: Draft,
    bytes: u64,
    until: Instant,
}

/// Serves one jar.
#[derive(Debug)]
pub(crate) struct Clerk {
    office: Office,
    /// None: nothing more is read, and whoever writes is told so by the kernel.
    requests: Option<OwnedFd>,
    replies: OwnedFd,
    frames: Frames,
    transfers: Vec<Transfer>,
    running: Vec<OwnedFd>,
    refusals: Rate,
    events: Arc<dyn Observer>,
}

impl Clerk {
    /// Serves what arrives at `requests`, a FIFO that never waits.
    pub(crate) fn new(
        office: Office,
        requests: OwnedFd,
        replies: OwnedFd,
        events: Arc<dyn Observer>,
    ) -> Self {
        Self {
            office,
            requests: Some(requests),
            replies,
            frames: Frames::default(),
            transfers: Vec::new(),
            running: Vec::new(),
            refusals: Rate::per_minute(REFUSALS),
            events,
        }
    }

    /// What poll should look at, while anything is read.
    pub(crate) fn interest(&self) -> Option<BorrowedFd<'_>> {
        self.requests.as_ref().map(AsFd::as_fd)
    }

    /// Time until a transfer has paused too long.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        let next = self.transfers.iter().map(|transfer| transfer.until).min()?;
        Some(next.saturating_duration_since(now))
    }

    /// Does what can be done without waiting.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.running.retain(|pidfd| !has_ended(pidfd));
        self.transfers.retain(|transfer| transfer.until > now);
        let Some(requests) = &self.requests else { return };
        let mut bytes = [0; TURN];
        let count = match rustix::io::read(requests, &mut bytes) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return,
            _ => return self.close("the channel failed"),
        };
        match self.frames.hear(bytes.get(..count).unwrap_or_default()) {
            Ok(frames) => frames.into_iter().for_each(|(id, frame)| self.serve(id, frame, now)),
            Err(frame::Malformed) => self.close("what was sent is no request"),
        }
    }

    /// Nothing more is read in this run.
    fn close(&mut self, why: &str) {
        self.requests = None;
        self.transfers.clear();
        let event = Event::new(Verdict::Denied, "request", OsStr::new("every further request"));
        self.events.event(event.access(Access::Action).rule(why, "default"));
    }

    fn serve(&mut self, id: Id, frame: Frame, now: Instant) {
        if self.requests.is_none() {
            return;
        }
        match frame {
            Frame::Begin(code, arguments) => self.begin(id, code, &arguments, now),
            Frame::Data(bytes) => self.data(id, &bytes, now),
            Frame::End => self.end(id),
        }
    }

    fn begin(&mut self, id: Id, code: u8, arguments: &[Vec<u8>], now: Instant) {
        let Some(row) = table::row(code) else {
            return self.refuse(id, "request", "an unknown action", (Outcome::NotGranted, ""));
        };
        match self.consider(row, arguments, now) {
            Err(done) => self.refuse(id, row.name(), &object(arguments), done),
            Ok(words) => self.admit(id, row, words, now),
        }
    }

    /// The checked words of a request, when it is granted and not one too many.
    fn consider(&mut self, row: &Row, arguments: &[Vec<u8>], now: Instant) -> Result<Vec<String>, Done> {
        let counter = self.office.counters.iter_mut().find(|counter| counter.row.action == row.action);
        let counter = counter.ok_or((Outcome::NotGranted, ""))?;
        if !counter.rate.take(now) {
            return Err((Outcome::TooOften, "wait a minute"));
        }
        if arguments.len() != row.arguments.len() {
            return Err((Outcome::Refused, "another number of arguments is needed"));
        }
        let words = arguments.iter().zip(row.arguments).map(|(bytes, check)| check(bytes));
        let words: Vec<String> = words.collect::<Result<_, _>>().map_err(|why| (Outcome::Refused, why))?;
        let busy = self.transfers.len() >= TRANSFERS || self.running.len() >= RUNNING;
        if busy { Err((Outcome::TooOften, "too many at once")) } else { Ok(words) }
    }

    fn admit(&mut self, id: Id, row: &'static Row, words: Vec<String>, now: Instant) {
        let Deed::Run(fixed) = row.deed else { return self.transfer(id, row, words, now) };
        let all: Vec<&str> = fixed.iter().copied().chain(words.iter().map(String::as_str)).collect();
        let done = self.run(row.action, &all, None);
        self.finish(id, row.action, &words.join(" "), done);
    }

    fn transfer(&mut self, id: Id, row: &'static Row, mut words: Vec<String>, now: Instant) {
        let name = words.pop().unwrap_or_default();
        if self.transfers.iter().any(|transfer| transfer.id == id) {
            return self.refuse(id, row.name(), &name, (Outcome::Refused, "its id is in use"));
        }
        let draft = match self.with(row.action) {
            Some(With::Folder(folder)) => Draft::on_disk(folder),
            _ => Draft::in_memory(),
        };
        match draft {
            Ok(draft) => {
                let until = now + PAUSE;
                self.transfers.push(Transfer { id, action: row.action, name, draft, bytes: 0, until });
            }
            Err(_) => self.refuse(id, row.name(), &name, (Outcome::Failed, "no place for the bytes")),
        }
    }

    fn data(&mut self, id: Id, bytes: &[u8], now: Instant) {
        // What was refused is sent to its end by some.
        let Some(at) = self.transfers.iter().position(|transfer| transfer.id == id) else { return };
        let Some(transfer) = self.transfers.get_mut(at) else { return };
        transfer.bytes = transfer.bytes.saturating_add(bytes.len() as u64);
        transfer.until = now + PAUSE;
        let most = table::ROWS.iter().find(|row| row.action == transfer.action).map_or(0, |row| row.bytes);
        let done = match transfer.draft.add(bytes) {
            _ if transfer.bytes > most => (Outcome::TooLong, ""),
            Err(_) => (Outcome::Failed, "the bytes cannot be kept"),
            Ok(()) => return,
        };
        let transfer = self.transfers.swap_remove(at);
        self.refuse(id, transfer.action.name(), &transfer.name, done);
    }

    fn end(&mut self, id: Id) {
        let Some(at) = self.transfers.iter().position(|transfer| transfer.id == id) else { return };
        let Transfer { action, name, draft, bytes, .. } = self.transfers.swap_remove(at);
        let (done, object) = match self.with(action) {
            Some(With::Folder(folder)) => (stored(draft.publish(folder, &name)), name),
            _ => {
                let done = draft.input().map_or((Outcome::Failed, "the bytes cannot be kept"), |input| {
                    self.run(action, &[], Some(&input))
                });
                (done, format!("{bytes} bytes"))
            }
        };
        self.finish(id, action, &object, done);
    }

    fn with(&self, action: Action) -> Option<&With> {
        self.office.counters.iter().find(|counter| counter.row.action == action).map(|counter| &counter.with)
    }

    fn run(&mut self, action: Action, words: &[&str], input: Option<&OwnedFd>) -> Done {
        let Some(With::Program(program)) = self.with(action) else { return (Outcome::NotGranted, "") };
        match perform::start(program, words, input, &self.office.environment) {
            Ok(pidfd) => {
                self.running.push(pidfd);
                (Outcome::Done, "")
            }
            Err(error) => {
                tracing::warn!(%error, program = %crate::error::shown(program), "an action cannot be done");
                (Outcome::Failed, "its program cannot be started")
            }
        }
    }

    fn finish(&mut self, id: Id, action: Action, object: &str, done: Done) {
        if done.0 == Outcome::Done {
            self.tell(Verdict::Granted, action.name(), object, None);
            self.reply(&id, done);
        } else {
            self.refuse(id, action.name(), object, done);
        }
    }

    fn refuse(&mut self, id: Id, name: &str, object: &str, done: Done) {
        // Each object of a flood would be an event of its own.
        let object = if done.0 == Outcome::TooOften { done.0.text() } else { object };
        self.tell(Verdict::Denied, name, object, Some(done));
        self.reply(&id, done);
        if !self.refusals.take(Instant::now()) {
            self.close("too many refused requests");
        }
    }

    fn tell(&self, verdict: Verdict, name: &str, object: &str, refused: Option<Done>) {
        let counter = self.office.counters.iter().find(|counter| counter.row.name() == name);
        let event = Event::new(verdict, name, OsStr::new(object)).access(Access::Action);
        let event = match (counter, refused) {
            (Some(_), Some((outcome, ""))) => event.rule(outcome.text(), "default"),
            (Some(_), Some((outcome, why))) => event.rule(&format!("{}: {why}", outcome.text()), "default"),
            (Some(counter), None) => event.rule(&counter.rule, &counter.origin),
            (None, _) if table::code(name).is_some() => event
                .rule("no action that the policy does not name", "default")
                .flag(&format!("--action {name}=PATH")),
            (None, _) => event.rule("no action of this number", "default"),
        };
        self.events.event(event);
    }

    /// A place that the next reply to another request may take: whoever does not look has no reply.
    fn reply(&self, id: &Id, (outcome, reason): Done) {
        let written = rustix::io::pwrite(&self.replies, &frame::reply(id, outcome, reason), frame::place(id));
        tracing::trace!(?written, "a reply");
    }
}

fn stored(published: rustix::io::Result<()>) -> Done {
    match published {
        Ok(()) => (Outcome::Done, ""),
        Err(Errno::EXIST) => (Outcome::Exists, ""),
        Err(_) => (Outcome::Failed, "the file cannot be given its name"),
    }
}

/// Arguments as an event shows them; the event escapes and shortens them.
fn object(arguments: &[Vec<u8>]) -> String {
    let words: Vec<String> =
        arguments.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    words.join(" ")
}

fn has_ended(pidfd: &OwnedFd) -> bool {
    belljar_sys::owned::has_ended(pidfd) != Ok(false)
}
