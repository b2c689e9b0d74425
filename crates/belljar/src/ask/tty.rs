//! The user answers on the supervisor's own terminal, with one key.
//!
//! The jar has a terminal of its own whose output waits meanwhile, so it can neither paint over a question nor see the keys.
//! What it wrote before may have left the caller's terminal in a state that hides a question, so each begins with [`plain`].
//! Keys count after a moment of silence: what is typed before a question was seen was meant for the program, which could have
//! asked for it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetpgrp, tcsetattr,
};

use super::asker::{Answer, Why};
use super::attendant::Front;
use super::error::AskError;
use super::plain::plain;
use super::prompt::Prompt;
use super::text::shown;
use super::turn::{LINE, Turn};

/// Keys count when none has come for this long since a question appeared.
const ARMING: Duration = Duration::from_millis(700);

/// How often is looked whether keys still arrive one by one.
const LOOK: Duration = Duration::from_millis(500);

/// Whoever has not looked for so long was stopped, or held up: what was silence before says nothing about now.
const AWAY: Duration = Duration::from_secs(2);

/// What is said when others are not waited for any more.
const FORSAKEN: &str =
    "\r\nbelljar: another run has kept this terminal for 10 minutes: nobody can be asked here\r\n";

/// What makes lines and signals of keys.
const LINES: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO).union(LocalModes::ISIG);

/// Behind a question stands nothing that was written before.
const CLEAR: &str = "\x1b[J";

/// What each key says. The widest answer needs the shift key.
const KEYS: &[(u8, Answer)] = &[
    (b'o', Answer::Once),
    (b'O', Answer::Once),
    (b'A', Answer::Always),
    (b'n', Answer::Never),
    (b'N', Answer::Never),
    // Escape, ^C, ^D
    (27, Answer::Never),
    (3, Answer::Never),
    (4, Answer::Never),
];

/// The supervisor's terminal.
#[derive(Debug)]
pub(crate) struct TtyFront {
    tty: OwnedFd,
    /// What each question begins with: nothing where sequences are text.
    plain: &'static str,
    /// Name of the file that "always" writes to; none: it is not offered.
    file: Option<String>,
    /// Settings to restore; there while a question is shown.
    before: Option<Termios>,
    /// A question that is yet to be shown, or shown again, and since when.
    waiting: Option<(String, Instant)>,
    /// What is shown.
    text: String,
    turn: Turn,
    /// When the question appeared, or the last key that did not count.
    since: Instant,
    /// It was silent for long enough: the next key is an answer.
    armed: bool,
    /// When was looked for keys.
    looked: Instant,
    /// The user was told that others are not waited for.
    forsaken: bool,
    /// What the question may be answered with.
    offered: Vec<Answer>,
}

impl TtyFront {
    /// Opens the controlling terminal.
    pub(crate) fn open(file: Option<&std::path::Path>) -> Result<Self, AskError> {
        let how = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let tty = open("/dev/tty", how, Mode::empty()).map_err(|errno| AskError::NoTerminal(errno.into()))?;
        let file = file.map(|path| shown(path.as_os_str()));
        let (plain, since) = (plain(), Instant::now());
        let turn = Turn::of(&tty).map_err(|errno| AskError::NoTerminal(errno.into()))?;
        let (before, waiting, text, offered) = (None, None, String::new(), Vec::new());
        let (looked, armed, forsaken) = (since, false, false);
        Ok(Self { tty, plain, file, before, waiting, text, turn, since, armed, looked, forsaken, offered })
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match rustix::io::write(&self.tty, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Keys arrive one by one and unseen.
    fn raw(&mut self) -> io::Result<()> {
        let now = tcgetattr(&self.tty)?;
        let mut raw = now.clone();
        raw.local_modes -= LINES;
        tcsetattr(&self.tty, OptionalActions::Now, &raw)?;
        self.before = Some(now);
        Ok(())
    }

    fn disarm(&mut self) {
        (self.since, self.looked) = (Instant::now(), Instant::now());
        self.armed = false;
    }

    /// What another program of the terminal has set since stays: a run beside this one that ended.
    fn restore(&mut self) -> io::Result<()> {
        match self.before.take() {
            Some(before) if self.is_raw()? => Ok(tcsetattr(&self.tty, OptionalActions::Now, &before)?),
            _ => Ok(()),
        }
    }

    fn is_raw(&self) -> io::Result<bool> {
        Ok(!tcgetattr(&self.tty)?.local_modes.intersects(LINES))
    }

    /// Whether keys of the terminal are ours: a job in the background has none.
    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.tty).is_ok_and(|group| group == rustix::process::getpgrp())
    }

    /// Shows what waits, if nobody else asks here. What was typed before was meant for somebody else.
    fn begin(&mut self) -> io::Result<()> {
        if self.waiting.is_none() || !self.is_ours() || !self.turn.take() {
            return Ok(());
        }
        self.text = self.waiting.take().map(|(text, _)| text).unwrap_or_default();
        self.raw()?;
        tcflush(&self.tty, QueueSelector::IFlush)?;
        self.write(&self.text)?;
        self.disarm();
        Ok(())
    }

    fn text(&self, prompt: &Prompt, patience: Duration) -> String {
        let file = self.file.as_ref().filter(|_| prompt.want.offers(Answer::Always));
        let always = file.map(|file| format!("A = always, adds a line to {file}   "));
        let once = if prompt.want.offers(Answer::Once) { "o = once, for this run   " } else { "" };
        let keys = format!("{once}{}n = never", always.unwrap_or_default());
        let (plain, question, reason) = (self.plain, prompt.question(), prompt.reason());
        let clear = if plain.is_empty() { "" } else { CLEAR };
        format!(
            "{plain}{clear}\r\nbelljar: {question}\r\n  {reason}\r\n  {keys}   ({} s) ",
            patience.as_secs()
        )
    }
}

impl Front for TtyFront {
    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.before.is_some().then(|| (self.tty.as_fd(), PollFlags::IN))
    }

    fn show(&mut self, prompt: &Prompt, patience: Duration) -> io::Result<bool> {
        if !self.is_ours() || self.turn.is_forsaken() {
            return Ok(false);
        }
        let always = self.file.is_some();
        let offered = |answer: &Answer| prompt.want.offers(*answer) && (always || *answer != Answer::Always);
        self.offered = Answer::WORDS.into_iter().map(|(_, answer)| answer).filter(offered).collect();
        self.waiting = Some((self.text(prompt, patience), Instant::now()));
        self.begin()?;
        Ok(true)
    }

    fn is_waiting(&self) -> bool {
        self.waiting.as_ref().is_some_and(|(_, since)| since.elapsed() < LINE)
    }

    fn is_taken(&mut self) -> bool {
        self.turn.look();
        let forsaken = self.turn.is_forsaken();
        if forsaken && !std::mem::replace(&mut self.forsaken, forsaken) && self.is_ours() {
            // The terminal may be gone; there is nobody to tell then.
            drop(self.write(FORSAKEN));
        }
        self.forsaken = forsaken;
        self.turn.is_taken()
    }

    fn wake(&self) -> Option<Instant> {
        let next = || if self.armed { Instant::now() + LOOK } else { self.since + ARMING };
        self.before.is_some().then(next)
    }

    fn read(&mut self) -> io::Result<Option<Answer>> {
        if self.before.is_none() {
            return self.begin().map(|()| None);
        }
        if self.looked.elapsed() >= AWAY {
            self.disarm();
        }
        self.looked = Instant::now();
        if !self.is_raw()? {
            self.raw()?;
        }
        if !super::socket::readable(self.tty.as_fd(), Duration::ZERO)? {
            self.armed |= self.since.elapsed() >= ARMING;
            return Ok(None);
        }
        let mut bytes = [0_u8; 64];
        let count = match rustix::io::read(&self.tty, &mut bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        // Silence that nobody looked at is none: keys may have waited here since before the question.
        let said = bytes.get(..count).and_then(|keys| answer(keys, &self.offered)).filter(|_| self.armed);
        if said.is_none() {
            self.disarm();
        }
        Ok(said)
    }

    fn end(&mut self, why: Why, note: &str) -> io::Result<()> {
        let asked = self.before.is_some();
        self.waiting = None;
        let restored = self.restore();
        let note = if note.is_empty() {
            String::new()
        } else {
            format!(" ({})", super::text::escaped(note.as_ref()))
        };
        let told = if asked { self.write(&format!("\r\n  -> {why}{note}\r\n")) } else { Ok(()) };
        self.turn.give_back();
        restored.and(told)
    }

    /// Who is stopped does not keep others from asking. The question is shown again when its turn comes.
    fn stopped(&mut self, stopped: bool) -> io::Result<()> {
        if !stopped {
            return self.begin();
        }
        if self.before.is_some() {
            self.restore()?;
            self.turn.give_back();
            self.waiting = Some((std::mem::take(&mut self.text), Instant::now()));
        }
        Ok(())
    }
}

/// The answer of a single key. Several at once were pasted, or are a key with a name: no answer.
fn answer(keys: &[u8], offered: &[Answer]) -> Option<Answer> {
    let [key] = keys else { return None };
    let said = KEYS.iter().find(|(known, _)| known == key).map(|(_, answer)| *answer);
    said.filter(|answer| offered.contains(answer))
}

impl Drop for TtyFront {
    fn drop(&mut self) {
        // The terminal may be gone; there is nobody to tell then.
        drop(self.restore());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal of its own with a question on it, and its other side.
    fn asked() -> (TtyFront, OwnedFd) {
        let (master, tty) = crate::supervise::host_pair().unwrap();
        let offered = vec![Answer::Once, Answer::Never];
        let mut front = TtyFront {
            turn: Turn::of(&tty).unwrap(),
            tty,
            plain: plain(),
            file: None,
            before: None,
            waiting: None,
            text: String::new(),
            since: Instant::now(),
            armed: false,
            looked: Instant::now(),
            forsaken: false,
            offered,
        };
        front.raw().unwrap();
        (front, master)
    }

    #[test]
    fn keys_count_after_a_silence_that_was_seen() {
        let (mut front, keyboard) = asked();
        let at = |front: &mut TtyFront, key: &[u8], millis| {
            front.since = Instant::now().checked_sub(Duration::from_millis(millis)).unwrap();
            rustix::io::write(&keyboard, key).unwrap();
            assert!(super::super::socket::readable(front.tty.as_fd(), Duration::from_secs(9)).unwrap());
            front.read().unwrap()
        };
        assert_eq!(at(&mut front, b"o", 10), None, "it was typed for the program");
        assert_eq!(at(&mut front, b"o", 5000), None, "nobody looked whether it was silent");
        assert!(front.wake().is_some_and(|wake| wake > Instant::now()), "silence begins anew");
        front.since = Instant::now().checked_sub(ARMING).unwrap();
        assert_eq!(front.read().unwrap(), None);
        assert!(front.armed);
        assert_eq!(at(&mut front, b"x", 800), None);
        assert_eq!(at(&mut front, b"o", 300), None, "in the middle of a word");
        front.since = Instant::now().checked_sub(ARMING).unwrap();
        front.read().unwrap();
        assert_eq!(at(&mut front, b"o", 900), Some(Answer::Once));
    }

    #[test]
    fn who_was_stopped_counts_silence_anew() {
        let (mut front, keyboard) = asked();
        front.since = Instant::now().checked_sub(ARMING).unwrap();
        front.read().unwrap();
        assert!(front.armed);
        // Nobody looked meanwhile; a key was typed for whoever had the terminal then.
        front.looked = Instant::now().checked_sub(AWAY).unwrap();
        rustix::io::write(&keyboard, b"o").unwrap();
        assert!(super::super::socket::readable(front.tty.as_fd(), Duration::from_secs(9)).unwrap());
        assert_eq!(front.read().unwrap(), None);
        assert!(!front.armed);
    }

    #[test]
    fn others_who_never_end_are_not_waited_for() {
        let (mut front, _screen) = asked();
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&front.tty));
        let other = open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        assert!(belljar_sys::owned::lock(other.as_fd()).unwrap());
        front.turn = Turn::of_node(front.tty.try_clone().unwrap());
        assert!(front.is_taken());
        front.turn.forsake();
        assert!(!front.is_taken() && front.forsaken);
        drop(other);
        assert!(!front.is_taken() && !front.forsaken);
    }

    #[test]
    fn what_another_program_sets_meanwhile_stays() {
        let (mut front, _keyboard) = asked();
        let lines = |front: &TtyFront| tcgetattr(&front.tty).unwrap().local_modes.contains(LINES);
        let before = front.before.clone().unwrap();
        assert!(!lines(&front));
        // The raw settings of a run beside this one, which ends during the question.
        front.raw().unwrap();
        tcsetattr(&front.tty, OptionalActions::Now, &before).unwrap();
        assert!(lines(&front));
        front.read().unwrap();
        assert!(!lines(&front), "keys arrive one by one again");
        front.restore().unwrap();
        assert!(lines(&front), "and the shell has its lines");
        front.raw().unwrap();
        front.raw().unwrap();
        tcsetattr(&front.tty, OptionalActions::Now, &before).unwrap();
        front.restore().unwrap();
        assert!(lines(&front));
    }

    #[test]
    fn one_plain_key_is_an_answer() {
        let all = [Answer::Once, Answer::Always, Answer::Never];
        assert_eq!(answer(b"o", &all), Some(Answer::Once));
        assert_eq!(answer(b"A", &all), Some(Answer::Always));
        assert_eq!(answer(b"A", &[Answer::Once, Answer::Never]), None);
        assert_eq!(answer(b"o", &[Answer::Always, Answer::Never]), None);
        assert_eq!(answer(b"\x03", &[Answer::Never]), Some(Answer::Never));
        for keys in [&b"a"[..], b"oo", b"\x1b[A", b"y", b"\n", b""] {
            assert_eq!(answer(keys, &all), None, "{keys:?}");
        }
    }
}
