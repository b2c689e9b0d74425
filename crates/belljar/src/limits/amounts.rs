//! What a group limits and what it counts.

use std::time::Duration;

use crate::report::LimitKind;

/// Limits of one group. None = not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Memory of the whole tree with its page cache, in bytes; swap is not granted beyond it.
    pub memory: Option<u64>,
    /// Processes and threads at once.
    pub pids: Option<u32>,
    /// Processor time as a part of one core, in percent; 250 = two and a half cores.
    pub cpu_percent: Option<u32>,
}

impl Amounts {
    /// The value for `pids.max`; the kernel refuses numbers above what it could ever run.
    pub(super) fn pids_text(count: u32) -> String {
        count.min(4_194_304).to_string()
    }

    /// Controllers that these limits need.
    pub(super) fn controllers(&self) -> impl Iterator<Item = &'static str> {
        let needed = [
            ("memory", self.memory.is_some()),
            ("pids", self.pids.is_some()),
            ("cpu", self.cpu_percent.is_some()),
        ];
        needed.into_iter().filter(|row| row.1).map(|row| row.0)
    }
}

/// What a group's processes used together. None = this host does not count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupUsage {
    /// Most memory at once, in bytes.
    pub peak_memory: Option<u64>,
    /// Processor time in user mode.
    pub user: Option<Duration>,
    /// Processor time in the kernel.
    pub system: Option<Duration>,
}

/// A limit that the group holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which limit.
    pub limit: LimitKind,
    /// The mechanism, in the report's words.
    pub by: &'static str,
    /// It was reached.
    pub hit: bool,
}
