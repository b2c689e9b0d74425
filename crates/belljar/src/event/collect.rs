//! The events of one run, in bounded memory whatever the jar does.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{Event, Observer, Verdict};

/// Most events that are kept; what comes later is only counted.
const MAX_EVENTS: usize = 256;
/// Most bytes of text that are kept.
const MAX_BYTES: usize = 128 * 1024;

/// Keeps each event once with a count, and passes new ones on to another observer.
///
/// ```
/// use belljar::event::{Event, Events, Observer, Verdict};
///
/// let events = Events::new(None);
/// for _ in 0..3 {
///     events.event(Event::new(Verdict::Denied, "openat", "/etc/shadow".as_ref()));
/// }
/// assert_eq!(events.collected().list[0].count, 3);
/// ```
#[derive(Debug)]
pub struct Events {
    start: Instant,
    kept: Mutex<Kept>,
    next: Option<Arc<dyn Observer>>,
}

#[derive(Debug, Default)]
struct Kept {
    collected: Collected,
    bytes: usize,
}

/// What was kept of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// Each event once, in the order in which they were first seen.
    pub list: Vec<Event>,
    /// Refusals of further objects that found no room.
    pub more: u64,
}

impl Events {
    /// Nothing yet; the run starts now. `next` gets each event when it is first seen and when its count reaches a power of
    /// ten.
    #[must_use]
    pub fn new(next: Option<Arc<dyn Observer>>) -> Self {
        Self { start: Instant::now(), kept: Mutex::default(), next }
    }

    /// Takes a refusal of a jar, but for those that belljar's own code meets before the program is there. `complete` adds what
    /// takes time to find out, and is asked once for each object that finds room.
    pub(crate) fn refusal(&self, event: Event, complete: impl FnOnce(Event) -> Event) {
        if self.only_counts(&event) {
            self.event(event);
        } else if !event.is_own() {
            self.event(complete(event));
        }
    }

    /// The event will only be counted.
    fn only_counts(&self, event: &Event) -> bool {
        let kept = self.kept();
        !kept.has_room(event.weight()) || kept.collected.list.iter().any(|before| before.is_again(event))
    }

    /// The events so far.
    #[must_use]
    pub fn collected(&self) -> Collected {
        self.kept().collected.clone()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Events {
    fn event(&self, event: Event) {
        let Some(news) = self.kept().note(event, self.start) else { return };
        if let Some(next) = &self.next {
            next.event(news);
        }
    }
}

impl Kept {
    fn has_room(&self, weight: usize) -> bool {
        self.collected.list.len() < MAX_EVENTS && self.bytes.saturating_add(weight) <= MAX_BYTES
    }

    /// Counts the event; what there is to tell about it, if anything.
    fn note(&mut self, event: Event, start: Instant) -> Option<Event> {
        if let Some(before) = self.collected.list.iter_mut().find(|before| before.is_again(&event)) {
            before.count = before.count.saturating_add(event.count);
            return is_round(before.count).then(|| before.clone());
        }
        let mut event = event;
        event.when = start.elapsed();
        let weight = event.weight();
        if !self.has_room(weight) {
            let refused = u64::from(event.verdict == Verdict::Denied);
            self.collected.more = self.collected.more.saturating_add(refused);
            return None;
        }
        if event.program.is_empty() {
            event.program = name_of(event.pid);
        }
        self.bytes = self.bytes.saturating_add(weight);
        self.collected.list.push(event.clone());
        Some(event)
    }
}

/// A count worth telling again: 10, 100, 1000, ...
pub(crate) fn is_round(count: u64) -> bool {
    count.checked_ilog10().is_some_and(|digits| 10_u64.checked_pow(digits) == Some(count))
}

/// What a process calls itself; empty when it is gone or cannot be seen.
pub(super) fn name_of(pid: u32) -> String {
    called(Path::new(&format!("/proc/{pid}")))
}

/// The name in a folder of `/proc`.
pub(super) fn called(folder: &Path) -> String {
    let mut name = Vec::new();
    let read = |file: File| file.take(64).read_to_end(&mut name);
    match File::open(folder.join("comm")).and_then(read) {
        Ok(_) => belljar_policy::printable(std::ffi::OsStr::from_bytes(name.trim_ascii_end())),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(object: &str) -> Event {
        Event::new(Verdict::Denied, "openat", object.as_ref())
    }

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<u64>>);

    impl Observer for Heard {
        fn event(&self, event: Event) {
            self.0.lock().unwrap().push(event.count);
        }
    }

    #[test]
    fn the_same_object_is_told_once_and_at_powers_of_ten() {
        let heard = Arc::new(Heard::default());
        let events = Events::new(Some(heard.clone()));
        for _ in 0..150 {
            events.event(denied("/a"));
        }
        assert_eq!(*heard.0.lock().unwrap(), [1, 10, 100]);
        assert_eq!(events.collected().list[0].count, 150);
    }

    #[test]
    fn another_verdict_rule_or_object_is_another_event() {
        let events = Events::new(None);
        events.event(denied("/a"));
        events.event(denied("/b"));
        events.event(denied("/a").rule("x", ""));
        events.event(Event::new(Verdict::Granted, "openat", "/a".as_ref()));
        assert_eq!(events.collected().list.len(), 4);
    }

    #[test]
    fn memory_stays_bounded_and_the_rest_is_counted() {
        let events = Events::new(None);
        for index in 0..10_000 {
            events.event(denied(&format!("/{index}/{}", "x".repeat(900))));
        }
        let kept = events.collected();
        let bytes: usize = kept.list.iter().map(Event::weight).sum();
        assert!(bytes <= MAX_BYTES && kept.list.len() > 100, "{bytes}");
        assert_eq!(kept.list.len() as u64 + kept.more, 10_000);
    }

    #[test]
    fn what_finds_no_room_is_not_looked_into() {
        let (events, looks) = (Events::new(None), std::cell::Cell::new(0));
        for index in 0..2000 {
            events.refusal(denied(&format!("/{index}")), |event| {
                looks.set(looks.get() + 1);
                event
            });
        }
        assert_eq!((looks.get(), events.collected().more), (MAX_EVENTS, 2000 - MAX_EVENTS as u64));
    }

    #[test]
    fn the_program_is_named_once_seen() {
        let events = Events::new(None);
        events.event(denied("/a").by(std::process::id()));
        assert_ne!(events.collected().list[0].program, "");
        events.event(denied("/b").by(u32::MAX));
        assert_eq!(events.collected().list[1].program, "");
    }
}
