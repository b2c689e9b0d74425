//! Huge pages that the host has set aside: a pool that limits of memory do not count.

use std::fs;
use std::io;

use crate::needs::{self, Need};

/// Pages of 2 MiB that the attack takes.
const PAGES: u64 = 160;
const SIZE: &str = "/proc/sys/vm/nr_hugepages";

/// Enough of them, or a right to set them aside.
pub(super) const POOL: Need = Need { name: "huge pages", found: || free() >= PAGES || (needs::ROOT.found)() };

/// What was set aside for this run is given back at its end.
pub(super) struct Pool(Option<String>);

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            drop(fs::write(SIZE, before));
        }
    }
}

/// Sees to it that there are enough.
pub(super) fn pool() -> io::Result<Pool> {
    let free = free();
    if free >= PAGES {
        return Ok(Pool(None));
    }
    let before = fs::read_to_string(SIZE)?;
    let all = before.trim().parse::<u64>().unwrap_or(0) + PAGES - free;
    fs::write(SIZE, all.to_string())?;
    Ok(Pool(Some(before)))
}

fn free() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("HugePages_Free:"));
    line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
}
