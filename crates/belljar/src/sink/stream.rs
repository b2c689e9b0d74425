//! Events while the program runs: one line of JSON for each, and one at the end.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::{Sink, SinkError, Target};
use crate::Report;
use crate::event::{Event, Observer, is_round};

/// Longest line in bytes. What a pipe says is writable takes as much without waiting.
const MAX_LINE: usize = 4096;

/// Writes each event as a line of JSON (`docs/events.schema.json`).
///
/// A reader that is slow stops nobody: lines that find no room are left out, and come at the end.
#[derive(Debug)]
pub struct Stream {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sink: Sink,
    unsent: u64,
}

/// The last line: the stream is complete.
#[derive(Serialize)]
struct Last {
    end: End,
}

#[derive(Serialize)]
struct End {
    events: usize,
    more_events: u64,
    unsent: u64,
}

impl Stream {
    /// Opens the place; a file of an earlier run is emptied.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub fn open(target: &Target) -> Result<Self, SinkError> {
        let state = State { sink: Sink::open(target)?, unsent: 0 };
        Ok(Self { state: Mutex::new(state) })
    }

    /// Writes what the lines so far do not tell, and the last line. A file is written anew: what the program may have
    /// scribbled into it is gone.
    ///
    /// # Errors
    /// It cannot be written, or the file's name no longer leads to the file that was opened.
    pub fn finish(&self, report: &Report) -> Result<(), SinkError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = state.sink.restart()? || state.unsent > 0;
        let mut text = String::new();
        for event in report.events.iter().filter(|event| whole || !is_round(event.count)) {
            text += &line(event)?;
        }
        let (events, more_events) = (report.events.len(), report.more_events);
        text += &line(&Last { end: End { events, more_events, unsent: state.unsent } })?;
        state.sink.put(text.as_bytes())?;
        state.sink.check()
    }
}

impl Observer for Stream {
    fn event(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = match line(&event) {
            Ok(line) if line.len() <= MAX_LINE && state.sink.has_room() => state.sink.put(line.as_bytes()),
            Ok(_) => Err(SinkError::Full),
            Err(error) => Err(error),
        };
        if sent.is_err() {
            state.unsent = state.unsent.saturating_add(1);
        }
    }
}

fn line(value: &impl Serialize) -> Result<String, SinkError> {
    let text = serde_json::to_string(value).map_err(|error| SinkError::Write(error.into()))?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, pipe};
    use std::os::fd::AsRawFd as _;

    use super::*;
    use crate::event::Verdict;
    use crate::report;

    fn event(object: &str) -> Event {
        Event::new(Verdict::Denied, "openat", object.as_ref())
    }

    fn report(events: Vec<Event>) -> Report {
        let mut report = Report::new(report::Verdict::Exited { code: 0 });
        report.events = events;
        report
    }

    #[test]
    fn each_event_is_a_line_at_once_and_new_counts_come_at_the_end() {
        let (mut reader, writer) = pipe().unwrap();
        let stream = Stream::open(&Target::Descriptor(writer.as_raw_fd())).unwrap();
        drop(writer);
        stream.event(event("/a\n\u{1b}"));
        let mut first = [0_u8; 1];
        reader.read_exact(&mut first).unwrap();
        let mut again = event("/b");
        again.count = 7;
        stream.finish(&report(vec![event("/a\n\u{1b}"), again])).unwrap();
        drop(stream);
        let mut text = "{".to_owned();
        reader.read_to_string(&mut text).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["object"], "/a\\x0a\\x1b");
        assert_eq!((&lines[1]["object"], &lines[1]["count"]), (&"/b".into(), &7.into()));
        assert_eq!(lines[2], serde_json::json!({"end": {"events": 2, "more_events": 0, "unsent": 0}}));
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_reader_who_does_not_read_stops_nobody() {
        let (reader, writer) = pipe().unwrap();
        let stream = Stream::open(&Target::Descriptor(writer.as_raw_fd())).unwrap();
        drop(writer);
        for index in 0..2000 {
            stream.event(event(&format!("/{index}/{}", "x".repeat(900))));
        }
        let lost = stream.state.lock().unwrap().unsent;
        assert!((1900..2000).contains(&lost), "{lost}");
        drop(reader);
        assert!(matches!(stream.finish(&report(Vec::new())), Err(SinkError::Write(_))));
    }
}
