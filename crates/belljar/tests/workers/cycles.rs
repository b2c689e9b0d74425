//! Nothing is left of workers that have ended, and one that waits costs little.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use belljar::worker::{Buffer, WorkerError};

use crate::acts::{self, Act};
use crate::{Acting, LONG, able, small, zygote};

/// What users may lack: their own processes hide their memory.
pub(crate) const LOOK: &str = "a look at the memory of workers";
/// Variable that asks for the long run.
const CYCLES: &str = "BELLJAR_WORKER_CYCLES";

pub(crate) fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Its number here, as its pidfd tells.
pub(crate) fn pid(worker: &Acting) -> u32 {
    let about = format!("/proc/self/fdinfo/{}", worker.pidfd().unwrap().as_raw_fd());
    let about = std::fs::read_to_string(about).unwrap();
    let line = about.lines().find_map(|line| line.strip_prefix("Pid:")).unwrap();
    line.trim().parse().unwrap()
}

/// Everything that it can write to; none where this user may not look.
pub(crate) fn writable_memory(worker: &Acting) -> Option<Vec<u8>> {
    let pid = pid(worker);
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let mut part = vec![0; usize::try_from(to - from).ok()?];
        if memory.read_exact_at(&mut part, from).is_ok() {
            all.extend(part);
        }
    }
    Some(all)
}

/// Children of a process, in the order in which they were made.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/task"));
    let lists = folder.into_iter().flatten().flatten().map(|task| task.path().join("children"));
    let lists: Vec<_> = lists.filter_map(|list| std::fs::read_to_string(list).ok()).collect();
    lists.iter().flat_map(|list| list.split_whitespace()).map(|pid| pid.parse().unwrap()).collect()
}

/// Processes below this one, ended ones included.
fn descendants() -> Vec<u32> {
    let mut found = vec![std::process::id()];
    let mut at = 0;
    while let Some(pid) = found.get(at) {
        found.extend(children(*pid));
        at += 1;
    }
    found.remove(0);
    found
}

/// A long run of its own process: other tests open descriptors too.
#[test]
fn cycles_leave_nothing() {
    if able() {
        alone("cycles::many");
    }
}

/// Runs an ignored test in a process of its own.
pub(crate) fn alone(test: &str) {
    let own = std::env::current_exe().unwrap();
    let done =
        std::process::Command::new(own).args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "runs in a process of its own: cycles_leave_nothing"]
fn many() {
    let asked = std::env::var(CYCLES).ok().and_then(|number| number.parse().ok());
    let cycles: u32 = asked.unwrap_or(300);
    let before = descriptors();
    {
        let zygote = small();
        let buffers = zygote_of_buffers();
        let steady = descriptors();
        for cycle in 0..cycles {
            let mut worker = zygote.spawn().unwrap();
            match cycle % 5 {
                0 => drop(worker.call(&Act::Pid, LONG).unwrap()),
                1 => assert!(matches!(worker.call(&Act::Abort, LONG), Err(WorkerError::Crashed { .. }))),
                2 => assert!(worker.call(&Act::Sleep(60_000), Duration::from_millis(1)).is_err()),
                3 => worker.end(),
                _ => {
                    let buffer = Buffer::copy_of(&[7; 70_000]).unwrap();
                    assert_eq!(buffers.spawn().unwrap().call(&buffer, LONG).unwrap(), (7, 7));
                }
            }
        }
        assert_eq!(descriptors(), steady);
        // Two jars: init, zygote and a spare worker each.
        settles(6);
    }
    assert_eq!(descriptors(), before);
    settles(0);
}

fn zygote_of_buffers() -> belljar::worker::Zygote<Buffer, (u8, u8)> {
    zygote(&acts::ENDS)
}

/// What is killed takes a moment to be gone.
pub(crate) fn settles(processes: usize) {
    let begun = Instant::now();
    while descendants().len() != processes {
        assert!(begun.elapsed() < LONG, "{:?} are left", descendants());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_worker_that_waits_has_little_memory_of_its_own() {
    if !able() {
        return;
    }
    let worker = small().spawn().unwrap();
    let about = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", pid(&worker)));
    if !crate::support::has(LOOK, about.is_ok()) {
        return;
    }
    let about = about.unwrap();
    let private: u64 = about
        .lines()
        .filter_map(|line| {
            line.strip_prefix("Private_Clean:").or_else(|| line.strip_prefix("Private_Dirty:"))
        })
        .map(|amount| amount.trim().trim_end_matches(" kB").parse::<u64>().unwrap())
        .sum();
    assert!(private > 0 && private <= 2048, "{private} KiB");
}
