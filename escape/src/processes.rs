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

/// Whether a process has been killed or is on its way out, and only has not got a processor for it yet.
pub(crate) fn is_dying(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state is the first field after the name, the flags are the seventh.
    let flags =
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & EXITING != 0) || is_killed(pid)
}

/// `PF_EXITING` of the kernel.
const EXITING: u64 = 4;

/// Whether the signal that nobody can ignore waits for the process or for its first thread.
fn is_killed(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let waiting =
        status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    waiting.filter_map(|set| u64::from_str_radix(set.trim(), 16).ok()).any(|set| set & 1 << 8 != 0)
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
    fn a_stopped_process_is_not_dying_and_a_killed_one_is_until_it_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let pid = child.id();
        let raw = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(raw, Signal::STOP).unwrap();
        assert!(!is_dying(pid));
        end(pid).unwrap();
        // Until it is collected it is dying or has ended.
        assert!(is_dying(pid) || state(pid) == Some('Z'));
        child.wait().unwrap();
        assert!(!is_dying(pid));
    }

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
