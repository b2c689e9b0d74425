//! What a tree uses, by looking at it, where no control group counts.

use std::fs;
use std::time::Duration;

/// Processes that are looked at in one round.
const MAX_PROCESSES: usize = 4096;

/// Resident bytes of init's descendants together; shared pages count once per process.
pub(super) fn memory(init: i32) -> u64 {
    let pages =
        processes(init).into_iter().skip(1).fold(0, |sum: u64, pid| sum.saturating_add(resident(pid)));
    pages.saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or(4096))
}

/// Processor time of all processes of the tree, the ended ones too: each carries what its waited-for children used.
pub(super) fn processor_time(init: i32) -> Duration {
    let ticks = processes(init).into_iter().fold(0, |sum: u64, pid| sum.saturating_add(ticks(pid)));
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_millis(ticks.saturating_mul(1000) / per_second)
}

/// Init and its descendants, init first.
fn processes(init: i32) -> Vec<i32> {
    let mut found = vec![init];
    let mut at = 0;
    while let Some(&pid) = found.get(at).filter(|_| at < MAX_PROCESSES) {
        found.extend(children(pid));
        at += 1;
    }
    found
}

/// User and system time of a process and of its waited-for children: fields 14 to 17 of its `stat`. Its name may hold
/// anything, so fields are counted from the last parenthesis.
fn ticks(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, fields)) = text.rsplit_once(')') else { return 0 };
    let times = fields.split_whitespace().skip(11).take(4);
    times.filter_map(|field| field.parse::<u64>().ok()).fold(0, u64::saturating_add)
}

fn resident(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0)
}

/// Children of every thread of a process.
fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let list = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
    let text: String = threads.flatten().map(list).collect();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
