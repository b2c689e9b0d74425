//! Looks at the host from outside: which processes live, which names folders hold.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::run::{Rig, pause};

/// Nothing of a jar may live longer than this after its supervisor, however busy the machine is. Those that would live on have
/// more to do.
pub(crate) const GONE: Duration = Duration::from_secs(20);

/// Process ids of the host whose command line holds this text; the runner itself is left out.
pub(crate) fn processes_with(text: &str) -> Vec<u32> {
    let me = std::process::id();
    let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| *id != me && command_line(*id).contains(text)).collect()
}

/// Whether `test` becomes true within the time.
pub(crate) fn within(limit: Duration, mut test: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if test() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        pause(Duration::from_millis(20));
    }
}

/// Fails if after this time a process still has the row's work folder on its command line, as belljar's have.
pub(crate) fn nothing_left(rig: &Rig<'_>) -> Result<()> {
    let work = rig.work.to_string_lossy();
    ensure!(within(GONE, || processes_with(&work).is_empty()), "still alive: {:?}", processes_with(&work));
    Ok(())
}

/// All names below the folder, down to `depth` levels.
pub(crate) fn names(folder: &Path, depth: usize) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if depth > 1 && fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
            found.extend(names(&path, depth - 1));
        }
        found.insert(path);
    }
    found
}

fn command_line(id: u32) -> String {
    let bytes = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
