//! Looking at processes from outside.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

static NEXT: AtomicU32 = AtomicU32::new(5000);

/// How long a busy machine may take for what comes for certain.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// An argument for `sleep` that no other process of this machine has.
pub(crate) fn mark() -> String {
    format!("{}.{:07}", NEXT.fetch_add(1, Ordering::Relaxed), std::process::id())
}

/// Living processes with this argument.
pub(crate) fn marked(mark: &str) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| has_argument(*pid, mark)).collect()
}

/// A dead process that nobody has waited for has no arguments any more.
fn has_argument(pid: i32, mark: &str) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut arguments = line.split(|byte| *byte == 0);
    arguments.next().is_some_and(|program| program.ends_with(b"sleep"))
        && arguments.any(|arg| arg == mark.as_bytes())
}

/// Waits for a condition, at most this long.
pub(crate) fn within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + limit;
    while !condition() {
        if Instant::now() > until {
            return false;
        }
        rest();
    }
    true
}

/// A few milliseconds.
fn rest() {
    let pause = rustix::event::Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
    rustix::event::poll(&mut [], Some(&pause)).unwrap();
}

/// Ends what a control has left.
pub(crate) fn end(pids: &[i32]) {
    for pid in pids.iter().filter_map(|pid| rustix::process::Pid::from_raw(*pid)) {
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
    }
}

/// A line of `/proc/PID/status`.
pub(crate) fn status(pid: i32, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name}")).trim().to_owned()
}
