//! Which processes descend from the runner, read from /proc, and their end, always by process id.

use std::collections::HashMap;
use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid};

/// One line of the process table.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) state: char,
    pub(crate) name: String,
}

/// All processes that descend from `root`, without it; those that ended but were not collected are left out.
pub(crate) fn descendants(root: u32) -> Vec<Process> {
    let table = table();
    let mut found: Vec<Process> = Vec::new();
    let mut queue = vec![root];
    while let Some(parent) = queue.pop() {
        let children = table.get(&parent).map_or(&[][..], Vec::as_slice);
        queue.extend(children.iter().map(|child| child.pid));
        found.extend(children.iter().filter(|child| child.state != 'Z').cloned());
    }
    found
}

/// Ends the process and collects it if it is a child of ours.
pub(crate) fn end(pid: u32) -> io::Result<()> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
    match pidfd_send_signal(&fd, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Collects orphans that were handed to the runner, except the helpers, whose owners collect them.
pub(crate) fn collect_orphans(helpers: &[u32]) {
    let own = std::process::id();
    let children = table().remove(&own).unwrap_or_default();
    for child in children.iter().filter(|child| child.state == 'Z' && !helpers.contains(&child.pid)) {
        let pid = i32::try_from(child.pid).ok().and_then(Pid::from_raw);
        // Nobody else waits for an adopted process; a failure means it is gone already.
        pid.and_then(|pid| waitpid(Some(pid), WaitOptions::NOHANG).ok());
    }
}

/// The state letter of a process, if there is one.
pub(crate) fn state(pid: u32) -> Option<char> {
    read_one(pid).map(|process| process.state)
}

fn table() -> HashMap<u32, Vec<Process>> {
    let mut by_parent: HashMap<u32, Vec<Process>> = HashMap::new();
    let Ok(entries) = fs::read_dir("/proc") else { return by_parent };
    for entry in entries.flatten() {
        let pid = entry.file_name().to_string_lossy().parse().ok();
        if let Some(process) = pid.and_then(read_one) {
            by_parent.entry(process.parent).or_default().push(process);
        }
    }
    by_parent
}

fn read_one(pid: u32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = text.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let mut fields = tail.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    Some(Process { pid, parent, state, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_a_descendant_until_it_is_ended() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let own = std::process::id();
        assert!(descendants(own).iter().any(|process| process.pid == child.id()));
        end(child.id()).unwrap();
        child.wait().unwrap();
        assert!(!descendants(own).iter().any(|process| process.pid == child.id()));
    }
}
