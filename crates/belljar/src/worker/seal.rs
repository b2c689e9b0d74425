//! How a worker is sealed off once it is warm: the filter of system calls, and limits.

use belljar_bpf::{Action, Filter, FilterBuilder, RuleError};
use serde::{Deserialize, Serialize};

use super::error::{SetupError, WorkerError};

/// The system calls that are left to a worker. What it does not name fails with `EPERM`, or ends the worker.
///
/// The start is [`Seal::new`]: memory, the descriptors it has, clocks, its end. No path, socket, process, thread, and no memory
/// that is code. Beside it stands Landlock, which grants no path and no port at all, and the walls of the jar.
///
/// ```
/// use belljar::worker::Seal;
///
/// let seal = Seal::new().allow("@thread").allow_when("ioctl", "arg1 == FIONREAD").kill_others();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    bare: bool,
    rules: Vec<(String, Option<String>, u16)>,
    kills: bool,
}

impl Seal {
    /// The group `@sealed`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing at all, for lists of one's own: what is missing that messages take (see `groups/sealed.txt`) ends the worker.
    #[must_use]
    pub fn bare() -> Self {
        Self { bare: true, ..Self::default() }
    }

    /// A system call or a `@group` more.
    #[must_use]
    pub fn allow(self, name: &str) -> Self {
        self.rule(name, None, 0)
    }

    /// A system call more, when a condition on its arguments holds.
    #[must_use]
    pub fn allow_when(self, name: &str, when: &str) -> Self {
        self.rule(name, Some(when), 0)
    }

    /// A system call fails with this error number, whatever else is said about it.
    #[must_use]
    pub fn refuse(self, name: &str, errno: u16) -> Self {
        self.rule(name, None, errno)
    }

    /// What is not allowed ends the worker instead of failing.
    #[must_use]
    pub fn kill_others(mut self) -> Self {
        self.kills = true;
        self
    }

    fn rule(mut self, name: &str, when: Option<&str>, errno: u16) -> Self {
        self.rules.push((name.to_owned(), when.map(str::to_owned), errno));
        self
    }

    /// For workers.
    pub(super) fn workers(&self) -> Result<Instructions, WorkerError> {
        let mut builder = Filter::builder();
        if self.kills {
            builder = builder.known_denied(Action::KillProcess).map_err(rule_mistake)?;
            builder = builder.unknown(Action::KillProcess).map_err(rule_mistake)?;
        }
        compiled(&self.add(builder)?)
    }

    /// For the process that they are forked from.
    pub(super) fn zygote(&self) -> Result<Instructions, WorkerError> {
        let builder = Filter::builder().allow_group("@sealed").and_then(|all| all.allow_group("@zygote"));
        compiled(&self.widen(builder.map_err(rule_mistake)?)?)
    }

    fn add(&self, mut builder: FilterBuilder) -> Result<FilterBuilder, WorkerError> {
        if !self.bare {
            builder = builder.allow_group("@sealed").map_err(rule_mistake)?;
        }
        builder = self.widen(builder)?;
        for (name, when, errno) in self.rules.iter().filter(|(_, _, errno)| *errno != 0) {
            builder = builder.deny(name, when.as_deref(), Action::Errno(*errno)).map_err(rule_mistake)?;
        }
        Ok(builder)
    }

    /// What is allowed beside the groups.
    fn widen(&self, mut builder: FilterBuilder) -> Result<FilterBuilder, WorkerError> {
        for (name, when, _) in self.rules.iter().filter(|(_, _, errno)| *errno == 0) {
            let wider = match (name.starts_with('@'), when) {
                (true, _) => builder.allow_group(name),
                (false, Some(when)) => builder.allow_when(name, when),
                (false, None) => builder.allow(name),
            };
            builder = wider.map_err(rule_mistake)?;
        }
        Ok(builder)
    }
}

/// A filter as it is sent.
pub(crate) type Instructions = Vec<(u16, u8, u8, u32)>;

fn rule_mistake(error: RuleError) -> WorkerError {
    WorkerError::setup(SetupError::Filter(error.to_string()))
}

fn compiled(builder: &FilterBuilder) -> Result<Instructions, WorkerError> {
    let mistake = |error: belljar_bpf::CompileError| SetupError::Filter(error.to_string());
    let filter = builder.compile().map_err(|error| WorkerError::setup(mistake(error)))?;
    Ok(filter.insns().iter().map(|insn| (insn.code, insn.jt, insn.jf, insn.k)).collect())
}

/// What one worker may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limits {
    /// Private memory in bytes (`RLIMIT_DATA`): 512 MiB. What the process that it is forked from has taken up counts.
    pub memory: u64,
    /// Descriptors at once, the four of its own included: 64.
    pub descriptors: u32,
    /// Processor time over its life in seconds, rounded up by the kernel (`RLIMIT_CPU`); none = only the deadlines of calls.
    pub cpu: Option<u64>,
    /// Largest file or buffer that it writes, in bytes (`RLIMIT_FSIZE`); none = as much as its memory.
    pub file: Option<u64>,
    /// No process or thread beside it (`RLIMIT_NPROC` 0), whatever its seal leaves.
    pub alone: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 512 << 20, descriptors: 64, cpu: None, file: None, alone: false }
    }
}

impl Limits {
    /// Those of [`Limits::default`] with this much memory, in bytes.
    #[must_use]
    pub fn memory(bytes: u64) -> Self {
        Self { memory: bytes, ..Self::default() }
    }

    /// Numbers of the kernel's and their values.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u32, u64)> {
        const CPU: u32 = 0;
        const FSIZE: u32 = 1;
        const DATA: u32 = 2;
        const CORE: u32 = 4;
        const NPROC: u32 = 6;
        const NOFILE: u32 = 7;
        let file = self.file.unwrap_or(self.memory);
        let alone = self.alone.then_some((NPROC, 0));
        let always = [(FSIZE, file), (DATA, self.memory), (CORE, 0), (NOFILE, self.descriptors.into())];
        always.into_iter().chain(alone).chain(self.cpu.map(|seconds| (CPU, seconds)))
    }
}
