//! Where threads that need an answer wait for the one thread that talks to the user.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::{EventfdFlags, eventfd};

use super::asker::{Answer, Asker, Considered, Settled, Why};
use super::prompt::{Prompt, Want};

/// Questions that wait at once. Who comes later is refused: threads that wait are memory.
const WAITING: usize = 8;

/// Hears how a question ended. Called once, with the desk locked: it must not wait, nor ask.
pub(crate) type Hears = Box<dyn FnOnce(Settled) + Send>;

/// A question on its way to the user.
pub(super) struct Question {
    pub(super) prompt: Prompt,
    hears: Hears,
}

impl fmt::Debug for Question {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Question").field("prompt", &self.prompt).finish_non_exhaustive()
    }
}

/// The line of questions, and what is known without asking.
#[derive(Debug)]
pub struct Desk {
    state: Mutex<State>,
    bell: OwnedFd,
}

#[derive(Debug)]
struct State {
    asker: Asker,
    line: VecDeque<Question>,
    /// What the user is looking at.
    shown: Option<Question>,
    open: bool,
}

impl Desk {
    /// An empty line.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(asker: Asker) -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let state = State { asker, line: VecDeque::new(), shown: None, open: true };
        Ok(Self { state: Mutex::new(state), bell })
    }

    /// Asks, and waits until there is an answer or none can come any more.
    #[must_use]
    pub fn ask(&self, prompt: Prompt) -> Settled {
        let (answer, wait) = sync_channel(1);
        self.ask_for(
            prompt,
            Box::new(move |settled| {
                // Who asked may be gone.
                let told = answer.send(settled);
                tracing::trace!(?told, "a question has ended");
            }),
        );
        wait.recv().unwrap_or(Settled::unasked(Why::NobodyThere))
    }

    /// Asks without waiting.
    fn ask_for(&self, prompt: Prompt, hears: Hears) {
        match self.admit(&prompt.want) {
            Some(settled) => hears(settled),
            None => self.line_up(prompt, hears),
        }
    }

    /// How a wish ends that nobody is asked about; none: it is to be asked, and was counted. Comes before all that takes a while.
    pub(crate) fn admit(&self, want: &Want) -> Option<Settled> {
        match self.state().ready(want) {
            Considered::Settled(settled) => Some(settled),
            Considered::Ask => None,
        }
    }

    /// Asks what was admitted, without waiting.
    pub(crate) fn line_up(&self, prompt: Prompt, hears: Hears) {
        let turned_away = self.state().line_up(prompt, hears);
        match turned_away {
            Some((settled, hears)) => hears(settled),
            None => self.ring(),
        }
    }

    /// What is known about a wish without asking anybody; none when it would have to be asked.
    #[must_use]
    pub fn known(&self, want: &Want) -> Option<Settled> {
        self.state().asker.known(want)
    }

    /// Something below this folder was granted.
    #[must_use]
    pub fn leads_to_granted(&self, folder: &Path) -> bool {
        self.state().asker.leads_to_granted(folder)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked left whole questions behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        // A bell that rings already needs no second ring.
        let rung = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        tracing::trace!(?rung, "a question waits");
    }

    /// Readable when a question has come.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// The next question; it stays shown until [`Desk::settle`].
    pub(super) fn next(&self) -> Option<Prompt> {
        let heard = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        tracing::trace!(?heard, "looking for questions");
        let mut state = self.state();
        state.shown = state.line.pop_front();
        state.shown.as_ref().map(|question| question.prompt.clone())
    }

    /// Ends the shown question, and with a clear answer every waiting one for the same.
    pub(super) fn settle(&self, why: Why) -> Option<Prompt> {
        let mut state = self.state();
        let shown = state.shown.take()?;
        let settled = match why {
            Why::Answered(answer) => state.answered(&shown.prompt, answer),
            why => Settled { why, asked: true },
        };
        let prompt = shown.prompt.clone();
        shown.end(settled);
        Some(prompt)
    }

    /// Nobody will answer any more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        let line = std::mem::take(&mut state.line);
        for question in line.into_iter().chain(state.shown.take()) {
            question.end(Settled::unasked(Why::NobodyThere));
        }
    }
}

impl Question {
    fn end(self, settled: Settled) {
        (self.hears)(settled);
    }
}

impl State {
    /// Lines a question up; gives it back with its end when that was settled since it was admitted.
    fn line_up(&mut self, prompt: Prompt, hears: Hears) -> Option<(Settled, Hears)> {
        let settled = self.asker.known(&prompt.want).or_else(|| self.closed()).or_else(|| self.full());
        match settled {
            Some(settled) => Some((settled, hears)),
            None => {
                self.line.push_back(Question { prompt, hears });
                None
            }
        }
    }

    fn closed(&self) -> Option<Settled> {
        (!self.open).then(|| Settled::unasked(Why::NobodyThere))
    }

    fn full(&self) -> Option<Settled> {
        (self.line.len() >= WAITING).then(|| Settled::unasked(Why::TooOften))
    }

    fn ready(&mut self, want: &Want) -> Considered {
        let settled = self.asker.known(want).or_else(|| self.closed()).or_else(|| self.full());
        settled.map_or_else(|| self.asker.consider(want, Instant::now()), Considered::Settled)
    }

    fn answered(&mut self, prompt: &Prompt, answer: Answer) -> Settled {
        let settled = self.asker.settle(prompt.want.clone(), answer);
        let (same, others) = std::mem::take(&mut self.line)
            .into_iter()
            .partition::<VecDeque<_>, _>(|question| question.prompt.want == prompt.want);
        self.line = others;
        same.into_iter().for_each(|question| question.end(settled));
        settled
    }
}
