//! Starting commands, and finding processes by their parents.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// A command with nothing on standard input, its errors shown.
pub(crate) fn command(words: &[String]) -> Result<Command> {
    let (program, arguments) = words.split_first().context("an empty command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    Ok(command)
}

/// One process as /proc shows it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) parent: u32,
    pub(crate) name: String,
}

/// Every process of the machine.
pub(crate) fn all() -> Result<Vec<Process>> {
    let ids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(ids.filter_map(|id: u32| parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect())
}

/// Reads `id (name) state parent ...`; the name may hold spaces and brackets.
fn parse(id: u32, stat: &str) -> Option<Process> {
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let parent = tail.split_whitespace().nth(1)?.parse().ok()?;
    Some(Process { id, parent, name })
}

/// The process and everything below it.
pub(crate) fn tree(root: u32, all: &[Process]) -> Vec<Process> {
    let mut found: Vec<Process> = all.iter().filter(|process| process.id == root).cloned().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.id) {
        found.extend(all.iter().filter(|process| process.parent == parent).cloned());
        next += 1;
    }
    found
}

/// Waits without working.
pub(crate) fn pause(time: Duration) -> Result<()> {
    let time = rustix::event::Timespec::try_from(time)?;
    rustix::event::poll(&mut [], Some(&time))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_brackets_are_read() {
        let process = parse(7, "7 (a) b) S 3 7 7 0").unwrap();
        assert_eq!((process.name.as_str(), process.parent), ("a) b", 3));
        assert!(parse(7, "7 a S").is_none());
    }

    #[test]
    fn a_tree_is_a_process_with_all_below_it() {
        let one = |id, parent| Process { id, parent, name: String::new() };
        let all = [one(4, 3), one(1, 0), one(3, 2), one(2, 1), one(9, 1)];
        let ids: Vec<u32> = tree(2, &all).iter().map(|process| process.id).collect();
        assert_eq!(ids, [2, 3, 4]);
    }
}
