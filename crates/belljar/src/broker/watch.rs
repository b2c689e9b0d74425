//! Watching files and folders.

use rustix::fs::inotify::{WatchFlags, add_watch};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::caller::own_name;
use super::judge::Wanted;
use super::look::{AT_NOFOLLOW, object};
use super::task::{Done, Served, Task};

/// `inotify_add_watch`: on the caller's own queue, which stays where it is.
pub(super) fn add(task: &Task<'_>) -> Served {
    let mask = WatchFlags::from_bits_retain(task.word(2));
    let flags = if mask.contains(WatchFlags::DONT_FOLLOW) { AT_NOFOLLOW } else { 0 };
    let held = object(task, &task.name()?, flags)?;
    task.decide(Wanted::Read, &held)?;
    let process = i32::try_from(task.caller().numbers()?.group).ok().and_then(Pid::from_raw);
    let process = pidfd_open(process.ok_or(Errno::SRCH)?, PidfdFlags::empty())?;
    task.still_waits()?;
    let queue = pidfd_getfd(&process, task.int(0), PidfdGetfdFlags::empty())?;
    task.still_waits()?;
    let number = add_watch(&queue, own_name(&held.fd), mask.difference(WatchFlags::DONT_FOLLOW))?;
    Ok(Done::Value(i64::from(number)))
}
