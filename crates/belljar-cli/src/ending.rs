//! How a run ends for the caller: report, a few words, exit status. Every way out of `run` passes through here.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use belljar::report::Verdict;
use belljar::sink::{Sink, SinkError, Stream, Target};
use belljar::{Command, Report};

use crate::fault::Fault;
use crate::lacking::Lacking;
use crate::subcommand::BELLJAR_FAILED;
use crate::words::Words;
use crate::{limits, refusals, screen, summary};

/// Where the report goes and how much is said.
#[derive(Debug)]
pub(crate) struct Ending<'w> {
    sink: Option<Sink>,
    stream: Option<Arc<Stream>>,
    verbose: bool,
    quiet: bool,
    refusals: bool,
    explained: bool,
    lacking: Option<Lacking<'w>>,
}

impl<'w> Ending<'w> {
    /// Opens the places of the report and of the events, before anything else is done.
    pub(crate) fn open(words: &Words) -> Result<Self, Fault> {
        let [report, events] = ["report", "events"].map(|name| words.value(name));
        if report.is_some() && report == events {
            let hint = "name two files or descriptors";
            return Err(Fault::new(Verdict::SetupFailed, "--report and --events name the same place", hint));
        }
        if words.has("quiet") && words.has("verbose") {
            let reason = "--quiet and --verbose contradict each other";
            return Err(Fault::new(Verdict::SetupFailed, reason, "say one of them"));
        }
        let sink = report.map(open_sink).transpose()?;
        let stream = events.map(open_stream).transpose()?;
        Ok(Self {
            sink,
            stream,
            verbose: words.has("verbose"),
            quiet: words.has("quiet"),
            refusals: !words.has("quiet"),
            explained: words.has("explain"),
            lacking: None,
        })
    }

    /// Without a report.
    pub(crate) fn silent() -> Self {
        Self {
            sink: None,
            stream: None,
            verbose: false,
            quiet: false,
            refusals: true,
            explained: true,
            lacking: None,
        }
    }

    /// With what the command line names and the jar lacks, after a failure.
    pub(crate) fn with(self, lacking: Lacking<'w>) -> Self {
        Self { lacking: Some(lacking), ..self }
    }

    /// Somebody else tells what was refused.
    pub(crate) fn without_refusals(self) -> Self {
        Self { refusals: false, ..self }
    }

    /// Lets the command tell its events, if anybody hears them.
    pub(crate) fn observe(&self, command: &mut Command) {
        command.tell_refusals(!self.quiet || self.sink.is_some() || self.stream.is_some());
        if let Some(stream) = &self.stream {
            command.observe(stream.clone());
        }
    }

    /// For arguments that cannot be read: a place that can be seen in them all the same.
    pub(crate) fn guess(argv: &[OsString]) -> Self {
        let sink = report_word(argv).and_then(|word| open_sink(&word).ok());
        Self { sink, ..Self::silent() }
    }

    /// Ends a command that failed.
    pub(crate) fn fail(self, fault: &Fault) -> u8 {
        screen::say(&fault.text());
        self.write(&fault.report(), fault.verdict.exit_code())
    }

    /// Ends a run that took place.
    pub(crate) fn finish(self, report: &Report) -> u8 {
        let mut words = String::new();
        if self.verbose {
            words += &summary::full(report);
        } else if !self.quiet || summary::is_failure(report) {
            words += &summary::unusual(report);
        }
        if self.refusals {
            words += &self.refused(report);
        }
        screen::say_after_run(&words);
        let status = report.verdict.exit_code();
        self.write(report, status)
    }

    /// What was refused, what may have been lacking, and how to find out more.
    fn refused(&self, report: &Report) -> String {
        let mut told = refusals::block(report, self.explained);
        if let Some(lacking) = self.lacking.as_ref().filter(|_| !self.explained) {
            told += &lacking.block(report);
        }
        let answered = self.lacking.as_ref().is_some_and(|lacking| lacking.is_answer(report));
        if told.is_empty() && answered && !self.verbose {
            return told;
        }
        if told.is_empty() || self.explained {
            told += &refusals::tried(report);
        }
        told + &limits::hint(report) + refusals::hint(report, self.explained)
    }

    fn write(self, report: &Report, status: u8) -> u8 {
        let events = self.stream.map_or(Ok(()), |stream| stream.finish(report));
        let written = self.sink.map_or(Ok(()), |sink| sink.write(report));
        let faults = [("events", events), ("report", written)].map(|(what, done)| match done {
            Ok(()) => false,
            Err(error) => {
                screen::say_after_run(&sink_fault(what, &error).text());
                true
            }
        });
        if faults.contains(&true) { BELLJAR_FAILED } else { status }
    }
}

fn open_sink(word: &OsStr) -> Result<Sink, Fault> {
    Target::parse(word).and_then(|target| Sink::open(&target)).map_err(|error| sink_fault("report", &error))
}

fn open_stream(word: &OsStr) -> Result<Arc<Stream>, Fault> {
    let opened = Target::parse(word).and_then(|target| Stream::open(&target));
    opened.map(Arc::new).map_err(|error| sink_fault("events", &error))
}

/// `what` cannot be written, in the words of the error.
fn sink_fault(what: &str, error: &SinkError) -> Fault {
    let Fault { verdict, reason, hint, .. } = Fault::from_error(Verdict::SetupFailed, error, error.hint());
    Fault::new(verdict, format!("{what} {reason}"), hint)
}

/// The value of `--report` before the first `--`.
fn report_word(argv: &[OsString]) -> Option<OsString> {
    let mut words = argv.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--report" {
            return words.next().cloned();
        }
        if let Some(value) = word.to_str().and_then(|word| word.strip_prefix("--report=")) {
            return Some(value.into());
        }
    }
    None
}
