//! The supervisor's side of a question: shows one at a time, waits for keys or messages, never longer than the deadline.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::PollFlags;

use super::asker::{Answer, Why};
use super::desk::Desk;
use super::prompt::Prompt;
use super::save::PolicyFile;

/// How often is looked whether another run still asks on the same terminal: a lock that is let go is no event.
const PERIOD: Duration = Duration::from_millis(50);

/// How long a question stands.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A way to reach the user.
pub(crate) trait Front: fmt::Debug + Send + Sync {
    /// What poll should look at.
    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)>;

    /// Shows a question. False: nobody can answer at the moment.
    fn show(&mut self, prompt: &Prompt, patience: Duration) -> io::Result<bool>;

    /// An answer that has come; an error means that none will come any more.
    fn read(&mut self) -> io::Result<Option<Answer>>;

    /// When it wants a turn although nothing has come.
    fn wake(&self) -> Option<Instant> {
        None
    }

    /// The question is not shown yet: another run asks at the same place. Its time has not begun.
    fn is_waiting(&self) -> bool {
        false
    }

    /// Looks whether another run asks at the same place, and is waited for.
    fn is_taken(&mut self) -> bool {
        false
    }

    /// The question is over.
    fn end(&mut self, why: Why, note: &str) -> io::Result<()>;

    /// The process is about to be stopped, or goes on.
    fn stopped(&mut self, _stopped: bool) -> io::Result<()> {
        Ok(())
    }
}

/// Asks the user while the jar runs.
#[derive(Debug)]
pub(crate) struct Attendant {
    desk: Arc<Desk>,
    front: Box<dyn Front>,
    file: Option<PolicyFile>,
    patience: Duration,
    until: Option<Instant>,
    /// Another run asks on the same terminal.
    others: bool,
    lost: bool,
}

impl Attendant {
    pub(crate) fn new(
        desk: Arc<Desk>,
        front: Box<dyn Front>,
        file: Option<PolicyFile>,
        patience: Duration,
    ) -> Self {
        Self { desk, front, file, patience, until: None, others: false, lost: false }
    }

    /// What poll should look at: the line while nothing is shown, the front always, since it may go away.
    pub(crate) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let bell = (self.until.is_none() && !self.lost).then(|| (self.desk.bell(), PollFlags::IN));
        let front = if self.lost { None } else { self.front.interest() };
        bell.into_iter().chain(front)
    }

    /// Somebody is being asked, by this run or another on the same terminal: the jar's own terminal has to wait.
    pub(crate) fn is_asking(&self) -> bool {
        self.until.is_some() || self.others
    }

    /// Time until the shown question ends by itself, or the front wants a turn.
    pub(crate) fn time_left(&self, now: Instant) -> Option<Duration> {
        let waits = self.others || self.front.is_waiting();
        let wake = self.until.and_then(|_| self.front.wake());
        let next = [self.until, wake, waits.then_some(now + PERIOD)].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(now))
    }

    /// Does what can be done without waiting.
    pub(crate) fn turn(&mut self, now: Instant) {
        if self.lost {
            return;
        }
        if let Err(error) = self.step(now) {
            tracing::warn!(%error, "nobody can be asked any more");
            self.lost = true;
            self.until = None;
            self.desk.close();
            // Others ask on the same terminal, and its keys are the caller's.
            drop(self.front.end(Why::Over, ""));
        }
        self.others = !self.lost && self.front.is_taken();
    }

    fn step(&mut self, now: Instant) -> io::Result<()> {
        let answer = self.front.read()?;
        if self.front.is_waiting() {
            self.until = Some(now + self.patience);
        }
        match (self.until, answer) {
            // Who was stopped meanwhile looks at keys and messages later than they came.
            (Some(until), _) if now >= until => self.finish(Why::NoAnswer)?,
            (Some(_), Some(answer)) => self.finish(Why::Answered(answer))?,
            _ => {}
        }
        while self.until.is_none() {
            let Some(prompt) = self.desk.next() else { return Ok(()) };
            self.until = Some(now + self.patience);
            if !self.front.show(&prompt, self.patience)? {
                self.finish(Why::NobodyThere)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, why: Why) -> io::Result<()> {
        self.until = None;
        let prompt = self.desk.settle(why);
        let note = match (&self.file, prompt, why) {
            (Some(file), Some(prompt), Why::Answered(Answer::Always)) => written(file, &prompt),
            _ => String::new(),
        };
        self.front.end(why, &note)
    }

    /// Before and after this process is stopped.
    pub(crate) fn stopped(&mut self, stopped: bool) {
        if let Err(error) = self.front.stopped(stopped) {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

/// What "always" came to.
fn written(file: &PolicyFile, prompt: &Prompt) -> String {
    match file.add(prompt, SystemTime::now()) {
        Ok(()) => "written down".to_owned(),
        Err(error) => format!("for this run only: {error}"),
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        self.desk.close();
        if self.until.take().is_some() {
            // The terminal or the peer may be gone; there is nobody to tell then.
            drop(self.front.end(Why::Over, ""));
        }
    }
}
