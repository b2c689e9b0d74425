//! Test hook: takes facts away, so that plans and runs for poorer hosts are tested on this one.
//!
//! `BELLJAR_TEST_MASK=userns,landlock=2,seccomp-notify` names what is missing; `=N` keeps Landlock up to ABI N.

use super::{Cgroup, HostFacts, Userns};

/// A maskable fact and how it is taken away.
type Row = (&'static str, fn(&mut HostFacts, u32));

const ROWS: [Row; 11] = [
    ("userns", |facts, _| facts.userns = Userns::Refused),
    ("landlock", |facts, keep| facts.landlock = facts.landlock.min(keep)),
    ("seccomp", |facts, _| {
        facts.seccomp = false;
        facts.seccomp_notify = false;
    }),
    ("seccomp-notify", |facts, _| facts.seccomp_notify = false),
    ("mount-fds", |facts, _| facts.mount_fds = false),
    ("proc", |facts, _| facts.proc_mount = false),
    ("mseal", |facts, _| facts.mseal = false),
    ("cgroup", |facts, _| facts.cgroup = Cgroup::None),
    ("admin", |facts, _| facts.admin = false),
    ("root-links", |facts, _| facts.root_links.clear()),
    ("inside-seccomp", |facts, _| facts.inside_seccomp = true),
];

/// Applies the mask of the environment.
pub(super) fn from_environment(facts: HostFacts) -> HostFacts {
    apply(facts, &text())
}

/// The mask names `fact`.
pub(super) fn hides(fact: &str) -> bool {
    text().split(',').any(|entry| entry.trim() == fact)
}

fn text() -> String {
    std::env::var("BELLJAR_TEST_MASK").unwrap_or_default()
}

fn apply(mut facts: HostFacts, mask: &str) -> HostFacts {
    for entry in mask.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, keep) = entry.split_once('=').unwrap_or((entry, "0"));
        row(name.trim())(&mut facts, keep.trim().parse().unwrap_or(0));
    }
    facts
}

#[expect(clippy::panic, reason = "compiled into tests only; a misspelt mask must not let a test pass")]
fn row(name: &str) -> fn(&mut HostFacts, u32) {
    match ROWS.iter().find(|row| row.0 == name) {
        Some(row) => row.1,
        None => panic!("BELLJAR_TEST_MASK: no fact is called {name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::host;

    #[test]
    fn each_fact_can_be_taken_away() {
        let all = ROWS.map(|row| row.0).join(",");
        let facts = apply(host::facts(), &all);
        assert_eq!((facts.userns, facts.landlock), (Userns::Refused, 0));
        assert!(
            !facts.seccomp && !facts.seccomp_notify && !facts.mount_fds && !facts.proc_mount && !facts.mseal
        );
        assert!(facts.root_links.is_empty() && facts.inside_seccomp && !facts.admin);
    }

    #[test]
    fn landlock_can_be_lowered() {
        let mut facts = host::facts();
        facts.landlock = 7;
        assert_eq!(apply(facts.clone(), "landlock=2").landlock, 2);
        assert_eq!(apply(facts, "landlock = 9, proc").landlock, 7);
    }

    #[test]
    #[should_panic(expected = "no fact is called")]
    fn an_unknown_name_is_not_ignored() {
        drop(apply(host::facts(), "landlok"));
    }
}
