//! Ends and removes groups: the own one at the end of a run, and those whose supervisor was killed.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::node::Node;

/// How long a killed group may take to become empty.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often an emptied group is asked again.
const STEP: Duration = Duration::from_millis(2);

/// Kills every process of the group and removes it. False if it is still there after [`PATIENCE`].
pub(super) fn remove(home: &Node, name: &str, group: &Node) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        kill(group);
        match home.remove(name) {
            Ok(()) | Err(Errno::NOENT) => return true,
            Err(_) if Instant::now() >= end => return false,
            Err(_) => pause(),
        }
    }
}

/// Removes the groups below `home` that no living supervisor holds.
pub(super) fn stale(home: &Node) {
    for name in home.folders() {
        if let Ok(group) = home.child(&name)
            && group.lock()
            && !remove(home, &name, &group)
        {
            tracing::warn!(group = %crate::error::shown(&group.path), "a group of a dead supervisor does not become empty");
        }
    }
}

/// Kills what is in the group now. Forking is stopped first, so that repeating this ends.
fn kill(group: &Node) {
    let stopped = group.write_if_there("pids.max", "0");
    if group.write("cgroup.kill", "1").is_ok() {
        return;
    }
    if let Err(error) = stopped {
        tracing::debug!(%error, "forks of the group cannot be stopped");
    }
    for pid in members(group) {
        kill_member(group, pid);
    }
}

/// A number may be another process by the time it is used; a descriptor may not. So: take it, look again, then kill.
fn kill_member(group: &Node, pid: Pid) {
    let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    if !members(group).contains(&pid) {
        return;
    }
    if let Err(errno) = rustix::process::pidfd_send_signal(&process, Signal::KILL) {
        tracing::debug!(%errno, "a process of the group is gone already");
        return;
    }
    wait(&mut [PollFd::new(&process, PollFlags::IN)], Duration::from_millis(100));
}

fn members(group: &Node) -> Vec<Pid> {
    let text = group.read("cgroup.procs").unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw).collect()
}

fn pause() {
    wait(&mut [], STEP);
}

fn wait(fds: &mut [PollFd<'_>], at_most: Duration) {
    let timeout = Timespec { tv_sec: 0, tv_nsec: at_most.subsec_nanos().into() };
    if let Err(errno) = rustix::event::poll(fds, Some(&timeout)) {
        tracing::trace!(%errno, "woken early");
    }
}
