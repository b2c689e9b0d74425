//! The table of all attacks and the part that runs inside the box.

#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::ptr_as_ptr,
    reason = "attacks break rules on purpose, in a process of their own that ends after one attempt"
)]

mod broker;
mod chroot;
mod data;
mod descriptors;
mod global;
pub(crate) mod kernel;
mod landlock;
mod launcher;
mod named;
mod number;
mod peers;
mod procfs;
pub(crate) mod proof;
pub(crate) mod raw;
mod reached;
mod refused;
pub(crate) mod relayed;
mod resources;
mod sabotage;
mod seccomp;
mod services;
mod steps;
mod successor;
pub(crate) mod target;
mod terminal;
mod trust;
pub(crate) mod weak;
pub(crate) mod worker;
mod writeup;

use std::io::{self, Write};

use crate::attack::{Attack, Family};
use crate::outcome::BEGAN;

/// Every attack, in the order they run.
pub(crate) const FAMILIES: &[Family] = &[
    chroot::FAMILY,
    procfs::FAMILY,
    global::FAMILY,
    named::FAMILY,
    peers::FAMILY,
    refused::FAMILY,
    landlock::FAMILY,
    data::FAMILY,
    terminal::FAMILY,
    trust::FAMILY,
    seccomp::FAMILY,
    number::FAMILY,
    descriptors::FAMILY,
    resources::FAMILY,
    writeup::FAMILY,
    launcher::FAMILY,
    services::FAMILY,
    broker::FAMILY,
    worker::FAMILY,
];

/// `escape attack NAME ARGS...`, inside the box. The exit status is for people; judges do not look at it.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    let [name, args @ ..] = words else { return Err(io::Error::other("attack: NAME ARGS...")) };
    let row = by_name(name).ok_or_else(|| io::Error::other("no such attack"))?;
    let mut out = io::stdout();
    writeln!(out, "{BEGAN}")?;
    out.flush()?;
    (row.attack)(args).map(|()| 0)
}

fn by_name(name: &str) -> Option<&'static Attack> {
    FAMILIES.iter().flat_map(|family| family.rows).find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_complete_and_its_name_unique() {
        let mut names = HashSet::new();
        for row in FAMILIES.iter().flat_map(|family| family.rows) {
            assert!(names.insert(row.name), "{} appears twice", row.name);
            assert!(!row.id.is_empty() && row.what.len() > 20, "{} is incomplete", row.name);
            assert!(!row.what.contains('|') && !row.what.ends_with('.'), "{}: not a table cell", row.name);
        }
    }

    /// The number is written by hand where people read it.
    #[test]
    fn the_specification_counts_the_attacks() {
        let count = FAMILIES.iter().flat_map(|family| family.rows).count();
        let text = include_str!("../../../SPECIFICATION.md");
        assert!(
            text.contains(&format!("`escape/src/attacks`, {count} of them")),
            "SPECIFICATION.md, Containment: there are {count} attacks"
        );
    }

    /// The comparison in SECURITY.md: what each box let out, of how many, family by family.
    #[test]
    fn the_comparison_adds_up() {
        let text = include_str!("../../../SECURITY.md");
        let cells = |line: &str| -> Vec<(usize, usize)> {
            let cells = line.split('|').map(|cell| cell.trim().trim_matches('*'));
            cells
                .filter_map(|cell| cell.split_once(" of "))
                .filter_map(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
                .collect()
        };
        let rows: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(cells)
            .filter(|row| row.len() == 3)
            .collect();
        let (all, families) = rows.split_last().unwrap();
        assert!(families.len() > 10);
        for (place, total) in all.iter().enumerate() {
            let sum = families
                .iter()
                .map(|row| row[place])
                .fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
            assert_eq!(*total, sum, "column {place}");
        }
    }

    #[test]
    fn no_row_keeps_the_default_preparation() {
        for row in FAMILIES.iter().flat_map(|family| family.rows) {
            assert!(!std::ptr::fn_addr_eq(row.prepare, Attack::ROW.prepare), "{} has no judge", row.name);
        }
    }
}
