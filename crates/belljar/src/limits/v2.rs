//! Version 2: one delegated folder, controllers handed down step by step.

use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;

use super::node::Node;
use super::{Amounts, GroupUsage, LimitError};
use crate::probe::LEAF;
use crate::report::LimitKind;

/// Where the time is divided: a tenth of a second, the kernel's default.
const PERIOD_US: u64 = 100_000;

/// Makes `folder` able to hold groups with these limits, and opens the folder for them.
pub(super) fn home(folder: &Path, usable: &[String], amounts: &Amounts) -> Result<Node, LimitError> {
    if let Some(controller) = amounts.controllers().find(|name| !usable.iter().any(|have| have == name)) {
        return Err(LimitError::NoController { controller });
    }
    let folder = Node::open(folder)?;
    make_room(&folder, amounts)?;
    hand_down(&folder, amounts)?;
    folder.make_or_open(super::group::HOME)
}

const CONTROL: &str = "cgroup.subtree_control";

/// Switches the missing controllers on for children.
pub(super) fn hand_down(folder: &Node, amounts: &Amounts) -> Result<(), LimitError> {
    let switches: Vec<_> = missing(folder, amounts).map(|name| format!("+{name}")).collect();
    if switches.is_empty() {
        return Ok(());
    }
    folder.write(CONTROL, &switches.join(" ")).map_err(|error| {
        move_back(folder);
        match error {
            LimitError::Io { errno: Errno::BUSY, .. } => LimitError::Crowded { folder: folder.path.clone() },
            other => other,
        }
    })
}

fn missing<'a>(folder: &'a Node, amounts: &Amounts) -> impl Iterator<Item = &'static str> + 'a {
    amounts.controllers().filter(|name| !folder.has_word(CONTROL, name)).collect::<Vec<_>>().into_iter()
}

/// Only a folder without processes hands controllers down; with processes the kernel refuses, or (for `pids` and `cpu`)
/// makes children that take no process. So the own process moves to a leaf. Others are not ours to move.
fn make_room(folder: &Node, amounts: &Amounts) -> Result<(), LimitError> {
    let is_root = folder.read("cgroup.type").is_none();
    let inside = folder.read("cgroup.procs").unwrap_or_default();
    if is_root || inside.is_empty() || missing(folder, amounts).next().is_none() {
        return Ok(());
    }
    let me = rustix::process::getpid().as_raw_nonzero().to_string();
    if inside.lines().any(|pid| pid != me) {
        return Err(LimitError::Crowded { folder: folder.path.clone() });
    }
    move_to_leaf(folder)
}

fn leaf_name() -> String {
    format!("{LEAF}{}", rustix::process::getpid().as_raw_nonzero())
}

fn move_to_leaf(folder: &Node) -> Result<(), LimitError> {
    let leaf = folder.make_or_open(&leaf_name())?;
    leaf.write("cgroup.procs", "0")
}

/// Undoes [`move_to_leaf`] once no group is left: controllers off, the own process back, the leaf gone.
pub(super) fn move_back(folder: &Node) {
    let leaf = leaf_name();
    if folder.child(&leaf).is_err() {
        return;
    }
    let all = ["memory", "pids", "cpu"].into_iter();
    let off: Vec<_> =
        all.filter(|name| folder.has_word(CONTROL, name)).map(|name| format!("-{name}")).collect();
    let undone = folder.write(CONTROL, &off.join(" ")).and_then(|()| folder.write("cgroup.procs", "0"));
    if let Err(error) = undone {
        tracing::debug!(%error, "the supervisor stays in its own group");
        return;
    }
    if let Err(errno) = folder.remove(&leaf) {
        tracing::debug!(%errno, "the supervisor's group stays");
    }
}

/// Writes the limits.
pub(super) fn limit(group: &Node, amounts: &Amounts) -> Result<(), LimitError> {
    if let Some(bytes) = amounts.memory {
        group.write("memory.max", &bytes.to_string())?;
        // Swap would be memory beyond the limit.
        group.write_if_there("memory.swap.max", "0")?;
        // Out of memory ends the jar, not one process of it.
        group.write_if_there("memory.oom.group", "1")?;
    }
    if let Some(count) = amounts.pids {
        group.write("pids.max", &Amounts::pids_text(count))?;
    }
    if let Some(percent) = amounts.cpu_percent {
        group.write("cpu.max", &format!("{} {PERIOD_US}", quota_us(percent)))?;
    }
    Ok(())
}

/// Microseconds of processor time per period; the kernel refuses less than 1000.
pub(super) fn quota_us(percent: u32) -> u64 {
    (PERIOD_US / 100).saturating_mul(percent.into()).max(1000)
}

/// What the group used.
pub(super) fn usage(group: &Node) -> GroupUsage {
    let time = |key| group.counter("cpu.stat", key).map(Duration::from_micros);
    GroupUsage {
        peak_memory: group.number("memory.peak"),
        user: time("user_usec"),
        system: time("system_usec"),
    }
}

/// The limit was reached.
pub(super) fn hit(group: &Node, limit: LimitKind) -> bool {
    let count = match limit {
        LimitKind::Memory => group.counter("memory.events", "oom_kill"),
        LimitKind::Pids => group.counter("pids.events", "max"),
        _ => None,
    };
    count.is_some_and(|count| count > 0)
}
