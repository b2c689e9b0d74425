//! What a jar tried and how it was answered: one event for each object, counted, never guessed from what a program prints.
//!
//! Whoever refuses (the broker, the network, the answer to a question) makes an [`Event`] and hands it to an [`Observer`].
//! [`Events`] is the observer of a run: it keeps each object once, in bounded memory, for the report. [`Stream`](crate::sink::Stream) writes them
//! out while the program runs.

mod collect;
mod own;

use std::ffi::OsStr;
use std::time::Duration;

use belljar_policy::{Decision, printable};
use serde::{Deserialize, Serialize};

pub(crate) use collect::is_round;
pub use collect::{Collected, Events};

/// Longest text of an event in bytes; longer ones are cut and end with `…`.
pub const MAX_TEXT: usize = 1024;

/// One thing that a jar tried.
///
/// ```
/// use belljar::event::{Access, Event, Verdict};
///
/// let event = Event::new(Verdict::Denied, "openat", "/home/u/a\u{1b}[2J".as_ref())
///     .access(Access::Read)
///     .rule("nothing is granted that no rule names", "default")
///     .flag("--read /home/u");
/// assert_eq!(event.object, "/home/u/a\\x1b[2J");
/// assert_eq!(event.count, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// How it was answered.
    pub verdict: Verdict,
    /// The system call (`openat`), or the request (`resolve`).
    pub call: String,
    /// A path, `HOST:PORT`, a name, or arguments of the call; printable.
    pub object: String,
    /// What was wanted of the object.
    pub access: Access,
    /// Name of the first process that tried it, as the process tells it; printable, empty when unknown.
    pub program: String,
    /// Its process id on the host; 0 when unknown.
    pub pid: u32,
    /// The deciding rule, as a policy would write it.
    pub rule: String,
    /// Where that rule was written.
    pub origin: String,
    /// The flag that allows it, with its value after the first space; none when it is allowed or no flag can.
    pub flag: Option<String>,
    /// How often it was tried.
    pub count: u64,
    /// When it was first tried, from the start of the run.
    pub when: Duration,
}

/// How an attempt was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Refused.
    Denied,
    /// Done, because a rule or an answer grants it.
    Granted,
    /// Somebody was asked; another event has the answer.
    Asked,
    /// Done with less protection than the policy asks for, as the user accepted.
    Weaker,
    /// Granted, and it did not come about outside the jar: `rule` says why.
    Failed,
}

/// What was wanted of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Access {
    /// Reading a file or listing a folder.
    Read,
    /// Writing, making, moving or removing.
    Write,
    /// Running as a program.
    Execute,
    /// Asking whether it is there, its size, its owner.
    Look,
    /// Changing mode, owner, times or attributes.
    Attributes,
    /// Reaching a peer.
    Connect,
    /// Waiting for peers.
    Listen,
    /// The address of a name.
    Resolve,
    /// The call itself, whatever its object.
    Call,
    /// A named action of the host.
    Action,
}

/// Where events go. Called by several threads at once; must return soon and never wait for a jar. Given to
/// [`Command::observe`](crate::Command::observe).
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use belljar::event::{Event, Observer};
///
/// #[derive(Debug, Default)]
/// struct Count(AtomicU64);
///
/// impl Observer for Count {
///     fn event(&self, event: Event) {
///         self.0.fetch_add(event.count, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// Something was tried.
    fn event(&self, event: Event);
}

impl Event {
    /// An event about `object`, which may hold any bytes.
    #[must_use]
    pub fn new(verdict: Verdict, call: &str, object: &OsStr) -> Self {
        Self {
            verdict,
            call: cut(call),
            object: cut(&printable(object)),
            access: Access::Call,
            program: String::new(),
            pid: 0,
            rule: String::new(),
            origin: String::new(),
            flag: None,
            count: 1,
            when: Duration::ZERO,
        }
    }

    /// An event with what the policy decided: rule, origin, flag.
    ///
    /// ```
    /// use belljar::event::Event;
    /// use belljar::policy::{Policy, env_decision};
    /// let event = Event::decided("getenv", &env_decision(&Policy::none(), "TOKEN"));
    /// assert_eq!(event.flag.as_deref(), Some("--env TOKEN"));
    /// ```
    #[must_use]
    pub fn decided(call: &str, decision: &Decision) -> Self {
        let verdict = if decision.allowed { Verdict::Granted } else { Verdict::Denied };
        let event = Self::new(verdict, call, OsStr::new(&decision.object))
            .rule(&decision.rule, &decision.origin.to_string());
        match &decision.flag {
            Some(flag) => event.flag(flag),
            None => event,
        }
    }

    /// What was wanted.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Who tried it: process id on the host. The name is looked up when the event is new.
    #[must_use]
    pub fn by(mut self, pid: u32) -> Self {
        self.pid = pid;
        self
    }

    /// Name of who tried it, where the observer cannot look it up.
    #[must_use]
    pub fn program(mut self, name: &OsStr) -> Self {
        self.program = cut(&printable(name));
        self
    }

    /// The deciding rule and where it was written.
    #[must_use]
    pub fn rule(mut self, rule: &str, origin: &str) -> Self {
        self.rule = cut(&printable(OsStr::new(rule)));
        self.origin = cut(&printable(OsStr::new(origin)));
        self
    }

    /// The flag that allows it. A flag too long to be kept whole is no help and is left out.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flag = (flag.len() <= MAX_TEXT).then(|| printable(OsStr::new(flag)));
        self
    }

    /// It was made by belljar's own code, before the program was started.
    fn is_own(&self) -> bool {
        own::is_own(self.pid)
    }

    /// It is about the same thing: counted with `other` rather than told again.
    fn is_again(&self, other: &Self) -> bool {
        (self.verdict, self.access) == (other.verdict, other.access)
            && (&self.call, &self.object, &self.rule) == (&other.call, &other.object, &other.rule)
    }

    /// Bytes that its texts take.
    fn weight(&self) -> usize {
        let texts = [&self.call, &self.object, &self.program, &self.rule, &self.origin];
        let flag = self.flag.as_ref().map_or(0, String::len);
        texts.iter().map(|text| text.len()).sum::<usize>().saturating_add(flag)
    }
}

/// Printable text of at most [`MAX_TEXT`] bytes.
fn cut(text: &str) -> String {
    const MARK: &str = "…";
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_TEXT.saturating_sub(MARK.len()));
    text.get(..end).unwrap_or_default().to_owned() + MARK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_hostile_text_is_bounded_and_printable() {
        let object = "\u{1b}ä".repeat(5000);
        let event = Event::new(Verdict::Denied, "openat", object.as_ref())
            .rule(&object, "a\nb")
            .program(object.as_ref())
            .flag(&format!("--read {object}"));
        assert!(event.weight() <= 4 * MAX_TEXT, "{}", event.weight());
        assert!(event.object.ends_with('…') && !event.object.contains('\u{1b}'), "{}", event.object);
        assert_eq!((event.origin.as_str(), event.flag), ("a\\x0ab", None));
    }

    #[test]
    fn printable_text_stays_as_it_is() {
        let event = Event::new(Verdict::Granted, "connect", "a b\\x0ac:443".as_ref());
        assert_eq!(event.object, "a b\\x0ac:443");
    }
}
