//! One error type per stage. Texts are lower case without a full stop; each says what, where and what to do.

pub mod hints;

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::probe::Userns;

/// Why no plan could be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// System call filters are missing.
    #[error("this kernel loads no system call filters")]
    NoSeccomp,
    /// Neither namespaces nor Landlock.
    #[error("this host offers neither {} nor Landlock", lacking(*userns))]
    NoEngine {
        /// Why there are no user namespaces.
        userns: Userns,
    },
    /// The policy asks for something that this version does not do.
    #[error("{what} is not available in this version (asked for by {origin})")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// Who asked.
        origin: String,
    },
    /// More ports than listeners can be made for.
    #[error("the policy names {count} different ports, {most} can be served")]
    TooManyPorts {
        /// Ports of the lists.
        count: usize,
        /// The most.
        most: usize,
    },
    /// A port of the lists is used by the jar's own network.
    #[error("port {port} of the jar is its {what}: no rule can name it")]
    PortTaken {
        /// The port.
        port: u16,
        /// Who uses it.
        what: &'static str,
    },
    /// A rule needs a root of its own.
    #[error("\"{rule}\" ({origin}) needs user namespaces, which this host refuses")]
    NeedsUserns {
        /// The rule in words.
        rule: String,
        /// Who wrote it.
        origin: String,
    },
    /// A rule needs the broker.
    #[error("{rule} ({origin}) needs user notification of Linux 5.19, which this host lacks")]
    NeedsNotify {
        /// The rule.
        rule: &'static str,
        /// Who wrote it.
        origin: String,
    },
    /// Rules that nothing here can enforce.
    #[error("this host cannot enforce the policy: {}", list(gaps))]
    NotEnforceable {
        /// Each with its reason.
        gaps: Vec<Gap>,
    },
    /// A line of `[require]` does not hold.
    #[error("requirement {subject} ({origin}) is unmet: {found}")]
    RequirementUnmet {
        /// Subject of the requirement.
        subject: &'static str,
        /// What holds instead.
        found: String,
        /// Who wrote it.
        origin: String,
    },
    /// A rule about a system call is wrong.
    #[error("system call rule ({origin}): {source}")]
    Syscall {
        /// What is wrong.
        source: Box<belljar_bpf::RuleError>,
        /// Who wrote it.
        origin: String,
    },
    /// Words that are no promises, or that cannot be kept together.
    #[error("promise ({origin}): {source}")]
    Promise {
        /// What is wrong.
        source: belljar_bpf::PromiseError,
        /// Who wrote it.
        origin: String,
    },
    /// No program starts with these promises alone.
    #[error("promise ({origin}): a program cannot start without stdio")]
    PromisesTooLittle {
        /// Who wrote it.
        origin: String,
    },
    /// The rules cannot be made into a filter.
    #[error("system call filter: {source}")]
    Filter {
        /// What is wrong.
        source: Box<belljar_bpf::CompileError>,
    },
}

/// A rule that cannot be held here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule in words.
    pub rule: String,
    /// Why not.
    pub why: String,
    /// The word for `--allow-weaker`.
    pub subject: &'static str,
}

impl fmt::Display for Gap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.rule, self.why)
    }
}

fn lacking(userns: Userns) -> String {
    match userns {
        Userns::Available => "the mount calls of Linux 5.12, which a root of its own needs,".to_owned(),
        other => format!("user namespaces ({other:?})"),
    }
}

fn list(gaps: &[Gap]) -> String {
    gaps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What a policy asks for with `cow` alone.
pub(crate) const KEPT: &str = "keeping the changes of cow folders";

impl PlanError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoSeccomp => "a kernel with CONFIG_SECCOMP_FILTER is needed".to_owned(),
            Self::NoEngine { userns: Userns::Available } => "Linux 5.13 or newer is needed".to_owned(),
            Self::NoEngine { .. } | Self::NeedsUserns { .. } => {
                "belljar doctor tells why user namespaces are refused and what would allow them".to_owned()
            }
            Self::NotEnforceable { gaps } => accept(gaps),
            Self::RequirementUnmet { .. } => {
                "belljar plan without the requirement shows what holds each rule here".to_owned()
            }
            Self::Syscall { .. } | Self::Filter { .. } => "belljar explain syscalls.allow".to_owned(),
            Self::Unsupported { what: KEPT, .. } => {
                "--throw-away SIZE keeps them in memory and drops them at the end".to_owned()
            }
            Self::NeedsNotify { .. } => "belljar doctor tells what this host lacks".to_owned(),
            Self::TooManyPorts { .. } => {
                "name fewer ports; a rule without one opens 22, 80 and 443".to_owned()
            }
            Self::PortTaken { port: 53, .. } => "names are looked up by belljar itself".to_owned(),
            Self::PortTaken { .. } => "leave --proxy out, or this port".to_owned(),
            Self::Promise { .. } => "belljar explain promise".to_owned(),
            Self::PromisesTooLittle { .. } => {
                "add stdio; a program with libraries also needs rpath prot_exec".to_owned()
            }
            Self::Unsupported { .. } => String::new(),
        }
    }
}

fn accept(gaps: &[Gap]) -> String {
    let mut words: Vec<&str> = gaps.iter().map(|gap| gap.subject).collect();
    words.sort_unstable();
    words.dedup();
    let flags: Vec<String> = words.iter().map(|word| format!("--allow-weaker {word}")).collect();
    format!("accept it with {}, or see belljar doctor", flags.join(" "))
}

/// Why a planned jar did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A path of the policy is not there.
    #[error("{} ({origin}): {source}", shown(path))]
    Path {
        /// As the policy names it.
        path: PathBuf,
        /// Who wrote it.
        origin: String,
        /// What opening it answered.
        source: io::Error,
    },
    /// A service found nothing.
    #[error("{what} ({origin}) cannot be looked up: {source}")]
    Service {
        /// What was wanted.
        what: String,
        /// Who wrote it.
        origin: String,
        /// Why not.
        source: io::Error,
    },
    /// The place of the program's log cannot be had.
    #[error("the log {to} ({origin}) cannot be kept: {why}")]
    Log {
        /// The place, as the policy names it.
        to: String,
        /// Who wrote it.
        origin: String,
        /// Why not.
        why: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A service that the policy names is not there.
    #[error("socket ({origin}): {lacking}")]
    NoService {
        /// Who wrote it.
        origin: String,
        /// What is missing.
        lacking: &'static str,
    },
    /// A path leads to something that needs the long word.
    #[error("{} ({origin}) leads to {what}", shown(path))]
    Dangerous {
        /// As the policy names it.
        path: PathBuf,
        /// Who wrote it.
        origin: String,
        /// What it leads to.
        what: &'static str,
    },
    /// A path leads out of a writable folder by a symlink in it.
    #[error(
        "{} ({origin}) leads out of a writable folder by the symlink {}, which an earlier run may have made",
        shown(path),
        shown(link)
    )]
    Planted {
        /// As the policy names it.
        path: PathBuf,
        /// Who wrote it.
        origin: String,
        /// The symlink.
        link: PathBuf,
        /// What the path leads to.
        to: PathBuf,
    },
    /// A placement has nowhere to go.
    #[error("{} cannot be placed: nothing is there in the granted folder {}", shown(at), shown(inside))]
    NoMountPoint {
        /// Where it should go.
        at: PathBuf,
        /// The host folder that covers that place.
        inside: PathBuf,
    },
    /// An access that only folders can have.
    #[error("{} is a file: {access} is for folders", shown(path))]
    NotAFolder {
        /// As it is on the host.
        path: PathBuf,
        /// The policy's word.
        access: &'static str,
    },
    /// A path or word holds a zero byte.
    #[error("{what} holds a zero byte")]
    ZeroByte {
        /// What.
        what: &'static str,
    },
    /// A port of this host is not to be had for a server of the jar.
    #[error("cannot publish at 127.0.0.1:{port} of this host: {source}")]
    PortOfHost {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// A port that a server of the jar is to wait at, without a network of the jar's own, is not to be had.
    #[error(
        "port {port} cannot be published: without user namespaces the jar's server needs that port of this host's loopback"
    )]
    PortInUse {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// A descriptor to pass on cannot be.
    #[error("descriptor {fd} ({origin}): {why}")]
    Descriptor {
        /// Its number.
        fd: u16,
        /// Who asked.
        origin: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The program is of another architecture.
    #[error("{} is a 32-bit program: its system calls are refused", shown(path))]
    Program32 {
        /// The program.
        path: PathBuf,
    },
    /// The program was not found.
    #[error("{program}: not found in the jar")]
    NotFound {
        /// As it was named.
        program: String,
    },
    /// The program was found but cannot be run.
    #[error("{program}: cannot be run: {source}")]
    NotRunnable {
        /// As it was named.
        program: String,
        /// What exec answered.
        source: io::Error,
    },
    /// The program is there, what it needs to start is not.
    #[error("{program}: {interpreter} is not in the jar")]
    NoInterpreter {
        /// The program.
        program: String,
        /// Its interpreter.
        interpreter: String,
    },
    /// A step of the child failed.
    #[error("{step}{}{object}: {source}", if object.is_empty() { "" } else { " " })]
    Step {
        /// The step's name.
        step: &'static str,
        /// What it was about; empty when it was about no one thing.
        object: String,
        /// What the kernel answered.
        source: io::Error,
    },
    /// Something that must be refused was allowed.
    #[error("self-probe: a forbidden action succeeded, so nothing was run")]
    NotConfined,
    /// The supervisor's own work failed.
    #[error("{what}: {source}")]
    Supervisor {
        /// What it was doing.
        what: &'static str,
        /// What the kernel answered.
        source: io::Error,
    },
    /// What an action is to be done with is unfit.
    #[error("action {action} ({origin}): {} {why}", shown(with))]
    Action {
        /// The action's word.
        action: &'static str,
        /// Program or folder.
        with: PathBuf,
        /// Who wrote it.
        origin: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Nobody can be asked.
    #[error("{source}{}", because(source))]
    Ask {
        /// Why not.
        #[from]
        source: crate::ask::AskError,
    },
    /// There is an end to how many paths a start takes.
    #[error("{0}")]
    TooMany(String),
    /// A control group could not be made.
    #[error("control group: {0}")]
    Limit(String),
}

/// What the kernel said, after a colon.
fn because(error: &dyn std::error::Error) -> String {
    error.source().map(|source| format!(": {source}")).unwrap_or_default()
}

/// A path for people, as a policy reads it: what steers a terminal, and what is no text, is escaped.
pub(crate) fn shown(path: &std::path::Path) -> String {
    belljar_policy::printable(path.as_os_str())
}
