//! How much the tree of the box holds, read from `/proc` outside.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

use crate::attack::Judge;
use crate::outcome::Judgement;
use crate::stage::Stage;

/// One mebibyte.
pub(super) const MIB: u64 = 1 << 20;

/// Sums over all processes that descend from the runner.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Processes, with those that ended but were not collected.
    pub(super) processes: u64,
    /// Threads of all of them.
    pub(super) threads: u64,
    /// Private memory, huge pages, the largest shared mapping and files that exist only in memory or were unlinked, in bytes.
    pub(super) memory: u64,
    /// Storage of the open regular files, in bytes, each file once.
    pub(super) files: u64,
    /// Processor time, with that of collected children, in clock ticks of 10 ms.
    pub(super) ticks: u64,
    /// Most descriptors of one process.
    pub(super) descriptors: u64,
}

/// The judge of a measure that must stay at or below `limit` all the time.
pub(super) fn at_most(stage: &mut Stage, limit: u64, measure: fn(&Tree) -> u64, unit: &'static str) -> Judge {
    let peak = Rc::new(Cell::new(0));
    let seen = Rc::clone(&peak);
    // What an earlier run left may still be on its way out.
    let before: HashSet<u32> = descendants().into_iter().map(|(pid, _)| pid).collect();
    stage.watches.push(Box::new(move |_| seen.set(seen.get().max(measure(&now(&before))))));
    Box::new(move |_| {
        let evidence = format!("{} {unit} at the peak, {limit} allowed", peak.get());
        Ok(Judgement::escaped_if(peak.get() > limit, &evidence))
    })
}

/// The judge of processor time, in ticks, that must stay at or below `limit`, also where nobody collects the ended ones: the
/// most that was seen of each process is added up.
pub(super) fn seen_ticks(stage: &mut Stage, limit: u64) -> Judge {
    let each = Rc::new(RefCell::new(HashMap::new()));
    let seen = Rc::clone(&each);
    let before: HashSet<u32> = descendants().into_iter().map(|(pid, _)| pid).collect();
    stage.watches.push(Box::new(move |_| {
        for (pid, fields) in descendants().into_iter().filter(|(pid, _)| !before.contains(pid)) {
            let field = |at: usize| fields.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            seen.borrow_mut().insert(pid, field(11) + field(12));
        }
    }));
    Box::new(move |_| {
        let ticks: u64 = each.borrow().values().sum();
        let evidence = format!("{ticks} ticks of processor time, {limit} allowed");
        Ok(Judgement::escaped_if(ticks > limit, &evidence))
    })
}

/// Measures the tree without the processes that were there before.
fn now(before: &HashSet<u32>) -> Tree {
    let mut tree = Tree::default();
    let mut shared = 0;
    let mut files = HashSet::new();
    for (pid, fields) in descendants().into_iter().filter(|(pid, _)| !before.contains(pid)) {
        let field = |index: usize| fields.get(index).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        tree.processes += 1;
        tree.threads += field(17);
        tree.ticks += field(11) + field(12) + field(13) + field(14);
        tree.memory += (kilobytes(pid, "RssAnon:") + kilobytes(pid, "HugetlbPages:")) * 1024;
        shared = shared.max(kilobytes(pid, "RssShmem:") * 1024);
        tree.descriptors = tree.descriptors.max(open_files(pid, &mut files));
    }
    tree.files = files.iter().map(|(_, _, bytes)| bytes).sum();
    tree.memory += shared.max(tree.files);
    tree
}

type File = (u64, u64, u64);

/// Counts the descriptors and collects device, inode and storage of regular files.
fn open_files(pid: u32, files: &mut HashSet<File>) -> u64 {
    let Ok(list) = fs::read_dir(format!("/proc/{pid}/fd")) else { return 0 };
    let mut count = 0;
    for entry in list.flatten() {
        count += 1;
        if let Ok(meta) = fs::metadata(entry.path()).map(|meta| (meta.is_file(), meta))
            && meta.0
        {
            files.insert((meta.1.dev(), meta.1.ino(), meta.1.blocks() * 512));
        }
    }
    count
}

fn kilobytes(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Process ids and the fields of `/proc/PID/stat` after the name.
fn descendants() -> Vec<(u32, Vec<String>)> {
    let mut by_parent: HashMap<u32, Vec<(u32, Vec<String>)>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let Some((_, rest)) = text.rsplit_once(") ") else { continue };
        let fields: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        let Some(parent) = fields.get(1).and_then(|word| word.parse().ok()) else { continue };
        by_parent.entry(parent).or_default().push((pid, fields));
    }
    let mut found = Vec::new();
    let mut queue = vec![std::process::id()];
    while let Some(parent) = queue.pop() {
        let children = by_parent.remove(&parent).unwrap_or_default();
        queue.extend(children.iter().map(|(pid, _)| *pid));
        found.extend(children);
    }
    found
}
