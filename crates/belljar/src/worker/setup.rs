//! What a program and the process that it starts for its workers tell each other.

use serde::{Deserialize, Serialize};

use super::error::SetupError;
use super::seal::{Instructions, Limits};

/// Name under which the process that workers are forked from gets its socket to the parent.
pub(super) const SOCKET: &str = "belljar_worker";

/// What the parent wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    /// Name of the entry.
    pub(super) entry: String,
    /// What is left to the process itself.
    pub(super) zygote: Instructions,
    /// What is left to each worker.
    pub(super) workers: Instructions,
    pub(super) limits: Limits,
}

/// Why the process is not ready.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Unready {
    /// No entry of that name.
    NoEntry(String),
    /// A step was refused.
    Step { step: String, errno: i32 },
}

impl From<Unready> for SetupError {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::NoEntry(name) => Self::NoEntry(name.chars().take(64).collect()),
            Unready::Step { step, errno } => Self::Step { step: step.chars().take(64).collect(), errno },
        }
    }
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// As `wait4` gives it.
    pub(super) status: i32,
    /// Most memory that it had at once, in KiB.
    pub(super) peak: u64,
}
