//! A log that is only added to.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use belljar_policy::Policy;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant};
use super::limit::Limit;
use super::line::{MOST, shown, stamp, whole};
use super::message::Refusal;
use super::start::Builder;

/// The service behind [`Log`].
#[derive(Debug)]
pub enum Lines {}

/// Writes lines to a log: each with the time, the program's name as the program that started the service gave it, and the level.
/// A line has at most 1000 characters, and none that steers a terminal or begins another line: they are escaped.
///
/// Its process has the log's descriptor and nothing else. A file that is opened for appending it has as a pipe: the program appends.
/// Its limit is the most detailed level, and how many bytes of text altogether.
///
/// ```no_run
/// use std::fs::File;
/// use belljar::service::{Level, Log, LogLimit};
///
/// let file = File::options().append(true).create(true).open("parser.log")?;
/// let mut log = Log::start("parser", file, LogLimit::upto(Level::Info))?;
/// log.line(Level::Warning, "an odd header")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Log = Client<Lines>;

/// How important a line is: the names of syslog, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warning,
    /// Something worth to be seen.
    Notice,
    /// What goes on.
    Info,
    /// Details.
    Debug,
}

impl Level {
    /// Its number for syslog.
    pub(super) fn severity(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Notice => 5,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// What a client may log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLimit {
    /// The most detailed level.
    pub level: Level,
    /// How many bytes of text altogether; none = as many as are wanted.
    pub bytes: Option<u64>,
}

impl LogLimit {
    /// All levels up to this one, and any amount.
    #[must_use]
    pub fn upto(level: Level) -> Self {
        Self { level, bytes: None }
    }

    /// No more than so many bytes of text altogether.
    #[must_use]
    pub fn bytes(self, bytes: u64) -> Self {
        Self { bytes: Some(bytes), ..self }
    }
}

impl Limit for LogLimit {
    fn beyond(&self, outer: &Self) -> Option<String> {
        if self.level > outer.level {
            return Some(format!("level {}", self.level.word()));
        }
        match (self.bytes, outer.bytes) {
            (_, None) => None,
            (Some(inner), Some(outer)) if inner <= outer => None,
            (Some(inner), _) => Some(format!("{inner} bytes")),
            (None, _) => Some("any amount".to_owned()),
        }
    }

    fn amount(&self) -> Option<u64> {
        self.bytes
    }
}

impl Log {
    /// Starts the service: lines go to `to`, a file that is open for appending only, or a pipe; `program` is the name that they bear.
    ///
    /// # Errors
    /// As [`Builder::start`]; [`ServiceError::Means`]: anything else.
    pub fn start(program: &str, to: impl Into<OwnedFd>, limit: LogLimit) -> Result<Self, ServiceError> {
        Self::builder(program, to, limit).start()
    }

    /// How it is started.
    pub fn builder(program: &str, to: impl Into<OwnedFd>, limit: LogLimit) -> Builder<Lines> {
        Builder::new(limit, (program.to_owned(), Arc::new(to.into())))
    }

    /// Writes a line.
    ///
    /// # Errors
    /// [`ServiceError::Beyond`] for a level that is not granted, [`ServiceError::Spent`], and those of every call.
    pub fn line(&mut self, level: Level, text: &str) -> Result<(), ServiceError> {
        self.ask(Ask { level, text: text.chars().take(MOST).collect() })
    }
}

/// A line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    level: Level,
    text: String,
}

/// The log, and the name on each line.
#[derive(Debug)]
pub struct Page {
    log: File,
    program: String,
}

/// Name of the descriptor.
const PASSED: &str = "belljar_log";

impl Kind for Lines {
    const NAME: &'static str = "log";
    // `write` is in `@sealed`.
    const CALLS: &'static [Call] = &[];
    type Limit = LogLimit;
    type Ask = Ask;
    type Told = ();
    type Means = (String, Arc<OwnedFd>);
    type Config = String;
    type State = Page;

    fn grant(_: &LogLimit, (program, to): Self::Means) -> Result<Grant<String>, ServiceError> {
        let to = to.try_clone().map_err(ServiceError::system("copying a descriptor"))?;
        check(&to)?;
        let passes = vec![(PASSED, to)];
        Ok(Grant { passes, ..Grant::new(Policy::none(), shown(&program, 64)) })
    }

    fn ready(program: String) -> io::Result<Page> {
        let log = crate::passed(PASSED).ok_or(io::ErrorKind::NotFound)?;
        Ok(Page { log: log.into(), program })
    }

    fn answer(page: &Page, limit: &LogLimit, ask: Ask) -> Result<(), Refusal> {
        if ask.level > limit.level {
            return Err(Refusal::Beyond);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let line = line(now, &page.program, &ask);
        Ok((&page.log).write_all(line.as_bytes())?)
    }

    fn cost(ask: &Ask) -> u64 {
        u64::try_from(ask.text.len()).unwrap_or(u64::MAX).max(1)
    }
}

/// A file that could be written over is no log.
fn check(to: &OwnedFd) -> Result<(), ServiceError> {
    let refuse = |what: &str| Err(ServiceError::Means { name: Lines::NAME, what: what.to_owned() });
    let system = |errno: rustix::io::Errno| ServiceError::system("looking at the log")(errno.into());
    let kind = FileType::from_raw_mode(fstat(to).map_err(system)?.st_mode);
    let flags = fcntl_getfl(to).map_err(system)?;
    let written = flags & OFlags::RWMODE == OFlags::WRONLY;
    match kind {
        FileType::RegularFile if written && flags.contains(OFlags::APPEND) => Ok(()),
        FileType::Fifo if written => Ok(()),
        _ => refuse("anything but a file that is open for appending only, or a pipe to write to"),
    }
}

fn line(now: u64, program: &str, ask: &Ask) -> String {
    whole(&format!("{} {program} {}: ", stamp(now), ask.level.word()), &ask.text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::service::line::LONGEST;

    #[test]
    fn a_line_bears_time_name_and_level() {
        let ask = Ask { level: Level::Warning, text: "odd\nroot error: \u{1b}[2J \\ ä".to_owned() };
        let found = line(1_000_000_000, "parser", &ask);
        assert_eq!(found, "2001-09-09T01:46:40Z parser warning: odd\\nroot error: \\u{1b}[2J \\\\ ä\n");
    }

    proptest! {
        #[test]
        fn every_text_is_one_line_that_a_pipe_takes_whole(text in "\\PC{0,40}|[\\x00-\\x1f]{0,2000}|\u{10ffff}{0,1200}") {
            let line = line(1, &shown("name\n", 64), &Ask { level: Level::Error, text });
            prop_assert!(line.len() <= LONGEST);
            prop_assert_eq!(line.chars().filter(|one| one.is_control()).count(), 1);
        }
    }
}
