//! Memory of a tree by looking at it, where no control group counts.

use std::fs;

/// Processes that are looked at in one round.
const MAX_PROCESSES: usize = 4096;

/// Resident bytes of init's descendants together; shared pages count once per process.
pub(super) fn of_tree(init: i32) -> u64 {
    let mut left = vec![init];
    let (mut pages, mut seen) = (0_u64, 0_usize);
    while let Some(pid) = left.pop() {
        seen += 1;
        if seen > MAX_PROCESSES {
            break;
        }
        if pid != init {
            pages = pages.saturating_add(resident(pid));
        }
        left.extend(children(pid));
    }
    pages.saturating_mul(u64::try_from(rustix::param::page_size()).unwrap_or(4096))
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
