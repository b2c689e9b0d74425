//! How a run ends for the caller: report, a few words, exit status. Every way out of `run` passes through here.

use std::ffi::{OsStr, OsString};

use belljar::Report;
use belljar::report::Verdict;
use belljar::sink::{Sink, SinkError, Target};

use crate::fault::Fault;
use crate::front::BELLJAR_FAILED;
use crate::words::Words;
use crate::{screen, summary};

/// Where the report goes and how much is said.
#[derive(Debug)]
pub(crate) struct Ending {
    sink: Option<Sink>,
    verbose: bool,
    quiet: bool,
}

impl Ending {
    /// Opens the place of the report, before anything else is done.
    pub(crate) fn open(words: &Words) -> Result<Self, Fault> {
        let sink = words.value("report").map(open_sink).transpose()?;
        Ok(Self { sink, verbose: words.has("verbose"), quiet: words.has("quiet") })
    }

    /// Without a report.
    pub(crate) fn silent() -> Self {
        Self { sink: None, verbose: false, quiet: false }
    }

    /// For arguments that cannot be read: a place that can be seen in them all the same.
    pub(crate) fn guess(argv: &[OsString]) -> Self {
        let sink = report_word(argv).and_then(|word| open_sink(&word).ok());
        Self { sink, verbose: false, quiet: false }
    }

    /// Ends a command that failed.
    pub(crate) fn fail(self, fault: &Fault) -> u8 {
        screen::say(&fault.text());
        self.write(&fault.report(), fault.verdict.exit_code())
    }

    /// Ends a run that took place.
    pub(crate) fn finish(self, report: &Report) -> u8 {
        if self.verbose {
            screen::say(&summary::full(report));
        } else if !self.quiet || summary::is_failure(report) {
            screen::say(&summary::unusual(report));
        }
        let status = report.verdict.exit_code();
        self.write(report, status)
    }

    fn write(self, report: &Report, status: u8) -> u8 {
        let Some(sink) = self.sink else { return status };
        match sink.write(report) {
            Ok(()) => status,
            Err(error) => {
                screen::say(&sink_fault(&error).text());
                BELLJAR_FAILED
            }
        }
    }
}

fn open_sink(word: &OsStr) -> Result<Sink, Fault> {
    Target::parse(word).and_then(|target| Sink::open(&target)).map_err(|error| sink_fault(&error))
}

fn sink_fault(error: &SinkError) -> Fault {
    Fault::from_error(Verdict::SetupFailed, error, error.hint())
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
