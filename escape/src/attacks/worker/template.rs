//! What the lists of a template say of each call, read from the lists themselves.

use std::collections::HashMap;

/// The last number that Linux 6.18 has.
const LAST: u32 = 469;
/// Numbers that no kernel has.
const BEYOND: u32 = 475;
/// `uretprobe` and `uprobe`: the kernel lets them pass every filter since 6.14, and ends or refuses whoever makes them without a
/// probe of its own.
const PAST_EVERY_FILTER: [u32; 2] = [335, 336];

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Listed {
    /// It is refused as everything that no list names.
    No,
    Answered(i32),
    /// It is made.
    Passes,
}

/// The groups of lists that templates are made of, by their files.
macro_rules! lists {
    ($($name:literal),* $(,)?) => {
        const LISTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../crates/belljar-bpf/groups/", $name, ".txt")))),*];
    };
}

lists!(
    "basic",
    "bytes",
    "channel",
    "decoder",
    "default",
    "descriptor",
    "file-read",
    "file-write",
    "filter",
    "identity",
    "ipc",
    "memfd-exec",
    "memory",
    "network",
    "offline",
    "preauth",
    "process",
    "renderer",
    "signal",
    "socket-io",
    "sysv-ipc",
    "terminal",
    "thread",
    "time",
);

/// What these groups say of calls whose arguments are all ones.
pub(super) fn listed(groups: &[&str]) -> HashMap<u32, Listed> {
    let mut all = HashMap::new();
    for line in groups.iter().flat_map(|name| lines(name)) {
        if let Some((number, new)) = row(line) {
            let known = all.entry(number).or_insert(new);
            *known = new.max(*known);
        }
    }
    all
}

/// The numbers that do not pass.
pub(super) fn refused(listed: &HashMap<u32, Listed>) -> impl Iterator<Item = u32> {
    let passes = |number: &u32| listed.get(number) == Some(&Listed::Passes);
    (0..=BEYOND).filter(move |number| !PAST_EVERY_FILTER.contains(number) && !passes(number))
}

/// Whether the tables have this number.
pub(super) fn is_known(number: u32) -> bool {
    number <= LAST && belljar_bpf::syscall_name(number).is_some()
}

/// The lines of a list and of those that it includes.
fn lines(name: &str) -> Vec<&'static str> {
    let text = LISTS.iter().find(|(list, _)| *list == name).map_or("", |(_, text)| *text);
    let included = |line: &&'static str| line.strip_prefix("@include @").map(str::trim);
    let below: Vec<_> = text.lines().filter_map(|line| included(&line)).flat_map(lines).collect();
    text.lines().chain(below).collect()
}

/// `call | reason`, `call | errno NAME | reason` or `call | condition | reason`; a condition has bars of its own.
fn row(line: &str) -> Option<(u32, Listed)> {
    let (call, rest) = line.split_once(" | ")?;
    let number = belljar_bpf::syscall_number(call.trim())?;
    let second = rest.split(" | ").next().unwrap_or_default();
    let listed = match second.strip_prefix("errno ") {
        Some(name) => Listed::Answered(errno(name)),
        None if is_condition(second) && !may_hold(second) => Listed::No,
        None => Listed::Passes,
    };
    Some((number, listed))
}

fn is_condition(cell: &str) -> bool {
    (0..6).any(|at| cell.contains(&format!("arg{at} ")))
}

/// Conditions name values that are let through, and hold for no argument of all ones, unless they say what is not let through,
/// or ask for bits that are set.
fn may_hold(condition: &str) -> bool {
    let sides = condition.split("&&").filter_map(|part| part.split_once(" == "));
    let mut sides = sides.filter_map(|(left, right)| Some((left.split_once(" & ")?.1, right)));
    let asks_for_bits = sides.any(|(bits, value)| bits.trim() == value.trim());
    asks_for_bits || condition.contains('!') || condition.contains("0xffffffff")
}

fn errno(name: &str) -> i32 {
    match name {
        "EACCES" => libc::EACCES,
        "ENOSYS" => libc::ENOSYS,
        "EPERM" => libc::EPERM,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read() {
        let preauth = listed(&["preauth", "channel"]);
        assert_eq!(preauth.get(&0), Some(&Listed::Passes), "read");
        assert_eq!(preauth.get(&257), Some(&Listed::Answered(libc::EACCES)), "openat");
        assert_eq!(preauth.get(&9), Some(&Listed::No), "mmap, of all ones");
        assert_eq!(listed(&["decoder"]).get(&25), Some(&Listed::Passes), "mremap, that enlarges");
        assert!(!preauth.contains_key(&59), "execve");
        let viewer = listed(&["default"]);
        assert_eq!(viewer.get(&59), Some(&Listed::Passes), "execve, which a list below another has");
    }

    /// A list that is not here would say nothing, and everything in it count as refused.
    #[test]
    fn every_list_and_every_error_is_known() {
        let known = |name: &str| LISTS.iter().any(|(list, _)| *list == name);
        for (name, text) in LISTS {
            for line in text.lines() {
                let included = line.strip_prefix("@include @").map(str::trim);
                assert!(included.is_none_or(known), "{name}: {line}");
                assert!(row(line).is_none_or(|row| row.1 != Listed::Answered(0)), "{name}: {line}");
            }
        }
    }
}
