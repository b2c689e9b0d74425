//! The policy as data: every stage after parsing reads only these types.

mod network;
mod origin;
mod rule;
mod services;
mod syscalls;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::value::path::{form, option_form};
use origin::setting_form;

pub use crate::value::amount::Bytes;
pub use crate::value::host::NetTarget;
pub use crate::value::spot::FsSubject;
pub use network::{NetMode, NetPolicy, NetRule, Publish, UnixService, UnixSocket};
pub use origin::{Origin, Setting};
pub use rule::Dropped;
pub(crate) use services::SYSLOG;
pub use services::{Answered, LOG_BYTES, LogTarget, Service, ServiceRule};
pub use syscalls::{Otherwise, SyscallPolicy};

/// What a path rule grants. Ordered by strength: on equal paths the smaller one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Access {
    /// Nothing is there.
    Hide,
    /// Read, list and execute.
    Read,
    /// Read and list; executing is refused.
    ReadNoexec,
    /// Reads pass, writes are kept aside.
    Cow,
    /// Read, write, create, remove and execute.
    Write,
}

/// One rule about a file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FsRule {
    /// What is granted or hidden.
    pub subject: FsSubject,
    /// Where it appears in the jar, when not at its own path (`SRC:DEST`).
    #[serde(with = "option_form")]
    pub dest: Option<PathBuf>,
    /// What may be done.
    pub access: Access,
    /// A missing path is fine (`?PATH`).
    pub optional: bool,
    /// The long word was given: may be `/`, the home folder or a container engine's socket.
    pub dangerous: bool,
    /// Who wrote it.
    pub origin: Origin,
}

/// How the jar sees its own processes under `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProcView {
    /// No `/proc` at all.
    None,
    /// Processes of the jar and the few global files that programs read; kernel settings read-only or masked.
    Own,
}

/// Which devices exist in the jar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DevView {
    /// No `/dev` at all.
    None,
    /// null, zero, full, random, urandom, tty, own pts and shm.
    Basic,
}

/// Rules about files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FsPolicy {
    /// Path rules; the longest path wins whatever the order, on a tie the smaller [`Access`].
    pub rules: Vec<FsRule>,
    /// Size of the private `/tmp`; none = no `/tmp` unless a rule grants one.
    pub tmp: Option<Setting<Bytes>>,
    /// Memory in which writes to `cow` folders are kept until the end, when they are dropped; none = such rules are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throw_away: Option<Setting<Bytes>>,
    /// `/proc`.
    pub proc: Setting<ProcView>,
    /// `/dev`.
    pub dev: Setting<DevView>,
    /// Working folder inside the jar; none = the current folder when it is visible, else `/`.
    #[serde(with = "setting_form")]
    pub cwd: Option<Setting<PathBuf>>,
    /// A folder that becomes `/` (`--root DIR`); rules are placed on top.
    #[serde(with = "setting_form")]
    pub root: Option<Setting<PathBuf>>,
}

/// Rules about environment variables; nothing passes that is not named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvPolicy {
    /// Names, or prefixes with a final `*`, that pass from the caller.
    pub pass: Vec<Setting<String>>,
    /// Names with fixed values.
    pub set: BTreeMap<String, Setting<String>>,
}

/// Amounts. None = not limited by the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of the whole tree.
    pub memory: Option<Setting<Bytes>>,
    /// Processes and threads at once.
    pub pids: Option<Setting<u32>>,
    /// Wall-clock time.
    pub wall: Option<Setting<Duration>>,
    /// Processor time of all processes together.
    pub cpu: Option<Setting<Duration>>,
    /// Open descriptors of one process.
    pub files: Option<Setting<u32>>,
    /// Largest file that may be written.
    pub fsize: Option<Setting<Bytes>>,
    /// Private writable memory of one process.
    pub data: Option<Setting<Bytes>>,
    /// Bytes of stdout and stderr together.
    pub output: Option<Setting<Bytes>>,
}

/// A subject that `[require]` and `--allow-weaker` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Subject {
    /// Files.
    Fs,
    /// Networks.
    Net,
    /// Processes and inter-process communication.
    Ipc,
    /// System calls.
    Syscalls,
    /// Memory limit.
    Memory,
    /// Process-count limit.
    Pids,
    /// Processor-time limit.
    Cpu,
    /// Privileges.
    Privileges,
}

/// How much must hold, or the start is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Demand {
    /// At least this many layers.
    Layers(u8),
    /// This layer by name (`namespaces`, `landlock`, `seccomp`, `cgroup`, `rlimit`).
    Layer(String),
}

/// One line of `[require]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// What must be enforced.
    pub subject: Subject,
    /// How.
    pub demand: Demand,
    /// Who wrote it.
    pub origin: Origin,
}

/// A descriptor that the jar inherits besides 0, 1 and 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassFd {
    /// Number in the caller and in the jar.
    pub fd: u16,
    /// What it may be used for; a mode that the descriptor's own open mode exceeds is refused.
    pub mode: FdMode,
    /// Who wrote it.
    pub origin: Origin,
}

/// What a passed descriptor may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FdMode {
    /// As it is.
    Any,
    /// Must be open for reading only.
    Read,
    /// Must be open for writing only.
    Write,
}

/// Something that belljar does outside the jar when a program in it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Shows a web address.
    OpenUrl,
    /// Writes a new file into a folder.
    SaveAs,
    /// Shows a short text.
    Notify,
    /// Prints a document.
    Print,
}

/// One line of `[actions]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRule {
    /// What may be asked for.
    pub action: Action,
    /// The program that does it; for [`Action::SaveAs`] the folder.
    #[serde(with = "form")]
    pub with: PathBuf,
    /// Who wrote it.
    pub origin: Origin,
}

/// Everything a jar may do. Starts from nothing; only rules add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// Files.
    pub fs: FsPolicy,
    /// Networks.
    pub net: NetPolicy,
    /// Environment.
    pub env: EnvPolicy,
    /// System calls.
    pub syscalls: SyscallPolicy,
    /// Amounts.
    pub limits: Limits,
    /// What belljar does outside when the jar asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionRule>,
    /// What is looked up for the jar at its start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceRule>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answered>,
    /// What must hold.
    pub require: Vec<Requirement>,
    /// What may be weaker (`--allow-weaker`).
    pub weaker: Vec<Setting<Subject>>,
    /// Descriptors besides 0-2.
    pub pass_fds: Vec<PassFd>,
    /// Processes of the jar may trace one another (`--debug`).
    pub debug: Setting<bool>,
    /// Every call that names a path goes to the broker (`--trace`).
    #[serde(default = "off", skip_serializing_if = "is_off")]
    pub trace: Setting<bool>,
    /// Words of promises, by name; none = nothing is promised, and the filter alone decides (`--promise`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promises: Option<Setting<String>>,
    /// File mode mask of the program; none = the caller's.
    pub umask: Option<Setting<u32>>,
    /// Host name inside.
    pub hostname: Option<Setting<String>>,
    /// Rules that were written and do not hold, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
}

impl Policy {
    /// Nothing is granted: no files, no network, no environment, no system calls.
    ///
    /// ```
    /// let policy = belljar_policy::Policy::none();
    /// assert!(policy.fs.rules.is_empty());
    /// ```
    #[must_use]
    pub fn none() -> Self {
        Self {
            fs: FsPolicy {
                rules: Vec::new(),
                tmp: None,
                throw_away: None,
                proc: Setting::new(ProcView::None, Origin::Default),
                dev: Setting::new(DevView::None, Origin::Default),
                cwd: None,
                root: None,
            },
            net: NetPolicy::off(),
            env: EnvPolicy { pass: Vec::new(), set: BTreeMap::new() },
            syscalls: SyscallPolicy::default(),
            limits: Limits::default(),
            actions: Vec::new(),
            services: Vec::new(),
            answers: Vec::new(),
            require: Vec::new(),
            weaker: Vec::new(),
            pass_fds: Vec::new(),
            debug: Setting::new(false, Origin::Default),
            trace: off(),
            promises: None,
            umask: None,
            hostname: None,
            dropped: Vec::new(),
        }
    }
}

fn off() -> Setting<bool> {
    Setting::new(false, Origin::Default)
}

fn is_off(setting: &Setting<bool>) -> bool {
    !setting.value
}
