//! What a tree holds, by looking at it, where no control group counts.

use std::fs;

/// Processes that are looked at in one round.
const MAX_PROCESSES: usize = 4096;

/// Resident bytes of init's descendants together; shared pages count once per process.
pub(super) fn memory(init: i32) -> u64 {
    let pages =
        processes(init).into_iter().skip(1).fold(0, |sum: u64, pid| sum.saturating_add(resident(pid)));
    pages.saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or(4096))
}

/// Init and its descendants, init first.
pub(super) fn processes(init: i32) -> Vec<i32> {
    let mut found = vec![init];
    let mut at = 0;
    while let Some(&pid) = found.get(at).filter(|_| at < MAX_PROCESSES) {
        found.extend(children(pid));
        at += 1;
    }
    found
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
