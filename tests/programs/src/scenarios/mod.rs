//! The table of rows, one file per group.

mod archive;
mod build;
mod data;
mod debug;
mod exit;
mod git;
mod layout;
mod lifetime;
mod names;
mod net;
mod node;
mod python;
mod shell;
mod signals;
mod static_binaries;
mod stdio;

use crate::scenario::Scenario;

const GROUPS: &[&[Scenario]] = &[
    shell::ROWS,
    python::ROWS,
    node::ROWS,
    build::ROWS,
    git::ROWS,
    archive::ROWS,
    data::ROWS,
    net::ROWS,
    names::ROWS,
    debug::ROWS,
    static_binaries::ROWS,
    stdio::ROWS,
    exit::ROWS,
    signals::ROWS,
    lifetime::ROWS,
    layout::ROWS,
];

/// All rows in order.
pub(crate) fn all() -> impl Iterator<Item = &'static Scenario> {
    GROUPS.iter().flat_map(|group| group.iter())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{GROUPS, all};
    use crate::scenario::Check;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = all().map(|row| row.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn every_group_has_a_negative_row() {
        let negative = |check: &Check| matches!(check, Check::NoSecret | Check::NoListener | Check::NoWrite);
        for group in GROUPS {
            assert!(group.iter().any(|row| negative(&row.check)), "group of {}", group[0].name);
        }
    }

    #[test]
    fn what_differs_has_a_reason() {
        assert!(all().flat_map(|row| row.differs).all(|cut| cut.reason.len() > 10));
    }
}
