//! Version 1: a hierarchy for each controller, writable by root or by whom root gave a folder.

use super::node::Node;
use super::v2::quota_us;
use super::{Amounts, LimitError};
use crate::report::LimitKind;

/// Writes the limit of one controller into its group.
pub(super) fn limit(group: &Node, controller: &str, amounts: &Amounts) -> Result<(), LimitError> {
    match (controller, amounts) {
        ("memory", Amounts { memory: Some(bytes), .. }) => memory(group, *bytes),
        ("pids", Amounts { pids: Some(count), .. }) => group.write("pids.max", &Amounts::pids_text(*count)),
        ("cpu", Amounts { cpu_percent: Some(percent), .. }) => {
            group.write("cpu.cfs_quota_us", &quota_us(*percent).to_string())
        }
        _ => Ok(()),
    }
}

/// Memory first: memory with swap may not be below it.
fn memory(group: &Node, bytes: u64) -> Result<(), LimitError> {
    group.write("memory.limit_in_bytes", &bytes.to_string())?;
    group.write_if_there("memory.memsw.limit_in_bytes", &bytes.to_string())
}

/// The limit was reached.
pub(super) fn hit(group: &Node, limit: LimitKind) -> bool {
    let count = match limit {
        LimitKind::Memory => group.counter("memory.oom_control", "oom_kill"),
        LimitKind::Pids => group.counter("pids.events", "max"),
        _ => None,
    };
    count.is_some_and(|count| count > 0)
}
