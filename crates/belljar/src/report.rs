//! What happened: verdict, first reason, what was enforced by which layer, resource use. The JSON form is authoritative.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::{Collected, Event};

/// The end of a run, or the reason why there was none.
///
/// ```no_run
/// use belljar::report::Verdict;
///
/// let report = belljar::Command::new("/usr/bin/thumbnailer").status()?;
/// match report.verdict {
///     Verdict::Exited { code: 0 } => println!("done in {:?}", report.usage.wall),
///     Verdict::Exited { code } => println!("the program failed by itself: {code}"),
///     Verdict::TimedOut | Verdict::LimitHit { .. } => println!("it took too much: {}", report.reason),
///     _ => eprintln!("{}\nhint: {}", report.reason, report.hint),
/// }
/// for refused in report.denials() {
///     println!("refused: {} {}", refused.call, refused.object);
/// }
/// # Ok::<(), belljar::error::StartError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Version of this format.
    pub belljar: u32,
    /// The first thing that ended the run.
    pub verdict: Verdict,
    /// One sentence about the verdict; empty when the program ended by itself.
    pub reason: String,
    /// What the user can do about it; empty when nothing.
    pub hint: String,
    /// Each rule with what enforced it.
    pub enforced: Vec<Enforcement>,
    /// What the jar used.
    pub usage: Usage,
    /// What held each limit.
    pub limits: Vec<LimitHeld>,
    /// Signals that the supervisor passed on.
    pub forwarded: Vec<i32>,
    /// What the jar tried and belljar answered, each object once.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Refusals of further objects that are not listed.
    #[serde(default)]
    pub more_events: u64,
}

/// How a run ended. The first one is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum Verdict {
    /// The program ended with this code.
    Exited {
        /// Its exit code.
        code: u8,
    },
    /// A signal ended the program.
    Signaled {
        /// Signal number.
        signal: i32,
    },
    /// The wall-clock limit was reached.
    TimedOut,
    /// Another limit was reached.
    LimitHit {
        /// Which.
        limit: LimitKind,
    },
    /// The filter ended the program (SIGSYS).
    Violation,
    /// Nothing was run: a step failed or a requirement is unmet.
    SetupFailed,
    /// The program was found but cannot be run.
    NotRunnable,
    /// The program was not found.
    NotFound,
    /// The supervisor failed.
    Internal,
}

impl Verdict {
    /// Exit status of the command line for this verdict.
    ///
    /// ```
    /// assert_eq!(belljar::report::Verdict::TimedOut.exit_code(), 124);
    /// ```
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Exited { code } => code,
            Self::Signaled { signal } => u8::try_from(signal).unwrap_or(0).wrapping_add(128),
            Self::Violation => 128 + 31,
            Self::TimedOut => 124,
            Self::LimitHit { limit } => limit.exit_code(),
            Self::SetupFailed | Self::Internal => 125,
            Self::NotRunnable => 126,
            Self::NotFound => 127,
        }
    }
}

/// A kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LimitKind {
    /// Memory of the tree.
    Memory,
    /// Processes and threads.
    Pids,
    /// Wall-clock time.
    Wall,
    /// Processor time.
    Cpu,
    /// Descriptors.
    Files,
    /// File size.
    Fsize,
    /// Private writable memory.
    Data,
    /// Size of `/tmp`.
    Tmp,
    /// Bytes of output.
    Output,
}

impl LimitKind {
    /// The policy's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "process",
            Self::Wall => "time",
            Self::Cpu => "processor time",
            Self::Files => "descriptor",
            Self::Fsize => "file size",
            Self::Data => "data",
            Self::Tmp => "/tmp",
            Self::Output => "output",
        }
    }

    /// Exit status when this limit ended the run: 124 for time, 128 + the signal that ended it otherwise.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Wall | Self::Cpu => 124,
            Self::Fsize => 128 + 25,
            _ => 128 + 9,
        }
    }
}

/// One enforcing mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Layer {
    /// Mount, PID, network and other namespaces.
    Namespaces,
    /// Read-only, noexec, nosuid, nodev mount flags.
    MountFlags,
    /// Landlock.
    Landlock,
    /// The system call filter.
    Seccomp,
    /// Capabilities dropped, securebits locked, no_new_privs.
    Privileges,
    /// A control group.
    Cgroup,
    /// Resource limits of the process.
    Rlimit,
    /// The supervisor answers the call itself.
    Broker,
    /// The supervisor's own watch.
    Supervisor,
    /// A private terminal.
    Pty,
    /// Descriptors closed before exec.
    Descriptors,
    /// The environment built from nothing.
    Environment,
    /// A size-limited file system of its own.
    Tmpfs,
}

/// One rule and what holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforcement {
    /// The rule in words (`read /usr`).
    pub rule: String,
    /// Where it was written.
    pub origin: String,
    /// What enforces it; empty = nothing here can, or there is nothing to enforce (`void`).
    pub layers: Vec<Layer>,
    /// What this host cannot do for this rule; none = nothing is missing.
    pub gap: Option<String>,
    /// Why the rule comes to nothing in this run; none = it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Void>,
}

/// Why a rule about a path comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Void {
    /// The path may be absent, and is.
    Absent,
    /// The path may be absent, and what is there must not be granted without the long word.
    TooMuch,
}

impl Enforcement {
    /// What holds it, in words.
    ///
    /// ```
    /// use belljar::report::{Enforcement, Layer, Void};
    /// let (rule, origin, layers) = ("read /a".into(), "-r ?/a".into(), vec![Layer::MountFlags, Layer::Landlock]);
    /// let row = Enforcement { rule, origin, layers, gap: None, void: None };
    /// assert_eq!(row.held(), "mount-flags + landlock");
    /// assert_eq!(Enforcement { void: Some(Void::Absent), ..row }.held(), "nothing: the path is absent");
    /// ```
    #[must_use]
    pub fn held(&self) -> String {
        let word = |layer| serde_json::to_value(layer).ok()?.as_str().map(str::to_owned);
        let layers: Vec<String> = self.layers.iter().filter_map(word).collect();
        match self.void {
            Some(Void::Absent) => "nothing: the path is absent".to_owned(),
            Some(Void::TooMuch) => "nothing: the path leads to more than may be granted".to_owned(),
            None if layers.is_empty() => "nothing".to_owned(),
            None => layers.join(" + "),
        }
    }
}

/// What held a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHeld {
    /// Which limit.
    pub limit: LimitKind,
    /// Its value in words (`2 GiB`, `10 s`).
    pub value: String,
    /// The mechanism (`cgroup v2 memory.max`, `RLIMIT_NPROC in the own user namespace`).
    pub by: String,
    /// The supervisor saw that it was reached. A limit at which the kernel only refuses a call is seen by the program alone.
    pub hit: bool,
}

/// Resource use of the whole tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// Largest resident set of one process of the tree, or of the tree where it was measured, in bytes.
    pub peak_memory: u64,
}

impl Report {
    /// An empty report with this verdict.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self {
            belljar: Self::FORMAT,
            verdict,
            reason: String::new(),
            hint: String::new(),
            enforced: Vec::new(),
            usage: Usage::default(),
            limits: Vec::new(),
            forwarded: Vec::new(),
            events: Vec::new(),
            more_events: 0,
        }
    }

    /// Version of the format that this library writes.
    pub const FORMAT: u32 = 1;

    /// The report of a run that did not start.
    ///
    /// ```
    /// use belljar::report::{Report, Verdict};
    /// let report = Report::failure(Verdict::SetupFailed, "no such key", "see belljar explain");
    /// assert_eq!(report.verdict.exit_code(), 125);
    /// ```
    #[must_use]
    pub fn failure(verdict: Verdict, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into(), ..Self::new(verdict) }
    }

    /// The program ended with code 0.
    ///
    /// ```
    /// use belljar::report::{Report, Verdict};
    /// assert!(Report::new(Verdict::Exited { code: 0 }).success());
    /// assert!(!Report::new(Verdict::TimedOut).success());
    /// ```
    #[must_use]
    pub fn success(&self) -> bool {
        self.code() == Some(0)
    }

    /// The program's exit code, if it ended by itself.
    #[must_use]
    pub fn code(&self) -> Option<u8> {
        match self.verdict {
            Verdict::Exited { code } => Some(code),
            _ => None,
        }
    }

    /// The signal that ended the program, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self.verdict {
            Verdict::Signaled { signal } => Some(signal),
            _ => None,
        }
    }

    /// What was refused.
    ///
    /// ```
    /// use belljar::event::{Event, Verdict};
    /// use belljar::report::{self, Report};
    /// let mut report = Report::new(report::Verdict::Exited { code: 1 });
    /// report.events.push(Event::new(Verdict::Denied, "openat", "/etc/shadow".as_ref()));
    /// assert_eq!(report.denials().count(), 1);
    /// ```
    pub fn denials(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.verdict == crate::event::Verdict::Denied)
    }

    /// What was granted and did not come about outside the jar: hosts that could not be reached.
    ///
    /// ```
    /// use belljar::report::{Report, Verdict};
    /// assert_eq!(Report::new(Verdict::Exited { code: 0 }).failures().count(), 0);
    /// ```
    pub fn failures(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.verdict == crate::event::Verdict::Failed)
    }

    pub(crate) fn take(&mut self, collected: Collected) {
        self.events = collected.list;
        self.more_events = collected.more;
    }

    /// Reads the JSON form.
    ///
    /// ```
    /// use belljar::report::{Report, Verdict};
    /// let report = Report::new(Verdict::TimedOut);
    /// assert_eq!(Report::from_json(&report.to_json())?, report);
    /// # Ok::<(), belljar::report::ReportError>(())
    /// ```
    ///
    /// # Errors
    /// The text is not a report of this format.
    pub fn from_json(text: &str) -> Result<Self, ReportError> {
        serde_json::from_str(text).map_err(ReportError)
    }

    /// The JSON form, on one line: what `docs/report.schema.json` describes.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in a report can fail: its keys are words and its numbers are finite.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A text that is no report of this format; its source says where.
#[derive(Debug, thiserror::Error)]
#[error("this is no report of belljar's format {}", Report::FORMAT)]
pub struct ReportError(#[source] serde_json::Error);
