//! What a failed step means on this host and what helps: one table, searched from the top, special rows first.

mod table;

use crate::probe::HostFacts;
use table::TABLE;
pub(crate) use table::{FIX_DELEGATE, FIX_NEWER_KERNEL, FIX_PROC};

/// One row: a failure, and what to tell about it.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    /// Name of the step ([`belljar_sys::Step`], or one of the supervisor's own steps); [`ANY_STEP`] = every step.
    pub step: &'static str,
    /// The kernel's answer; [`ANY_ERRNO`] = every answer.
    pub errno: i32,
    /// Hosts for which the row holds.
    pub when: fn(&HostFacts) -> bool,
    /// What the failure means.
    pub say: &'static str,
    /// The one thing to do about it; empty = nothing can be done here.
    pub fix: &'static str,
}

/// A row for every step.
pub const ANY_STEP: &str = "*";
/// A row for every answer.
pub const ANY_ERRNO: i32 = 0;

/// The hint for a failed step; none for a step that the table does not know.
///
/// ```
/// let facts = belljar::probe::probe();
/// let hint = belljar::error::hints::lookup("exec", 8, &facts);
/// assert!(hint.is_some_and(|hint| hint.say.contains("format")));
/// ```
#[must_use]
pub fn lookup(step: &str, errno: i32, facts: &HostFacts) -> Option<&'static Hint> {
    TABLE.iter().find(|row| {
        (row.step == step || row.step == ANY_STEP)
            && (row.errno == errno || row.errno == ANY_ERRNO)
            && (row.when)(facts)
    })
}

#[cfg(test)]
mod tests {
    use super::table::FIX_APPARMOR;
    use super::*;
    use crate::probe::Userns;

    const EPERM: i32 = 1;
    const EACCES: i32 = 13;

    /// Steps of the two processes of a jar and of the supervisor.
    const STEPS: &[&str] = &[
        "supervisor",
        "overlay",
        "translate-owners",
        "clone",
        "cgroup",
        "program",
        "die-with-parent",
        "descriptors",
        "id-maps",
        "become-user",
        "join-cgroup",
        "limit-namespaces",
        "new-root",
        "layout",
        "bind",
        "mount",
        "mask",
        "channel",
        "mount-attributes",
        "pivot-root",
        "hostname",
        "loopback",
        "network",
        "terminal",
        "capabilities",
        "no-new-privs",
        "not-dumpable",
        "subreaper",
        "session",
        "rlimit",
        "umask",
        "chdir",
        "landlock",
        "signals",
        "broker",
        "seccomp",
        "self-probe",
        "promise",
        "exec",
    ];

    fn hosts() -> Vec<HostFacts> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        files.map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    #[test]
    fn every_step_of_a_child_is_in_the_list() {
        let text = include_str!("../../../belljar-sys/src/child/op.rs");
        let (_, names) = text.split_once("match self {").unwrap();
        let names = names.lines().filter_map(|line| line.trim().strip_suffix("\",")?.rsplit_once("=> \""));
        let names: Vec<&str> = names.map(|(_, name)| name).collect();
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            assert!(STEPS.contains(&name), "{name}: add it to STEPS above, and a row to hints/table.rs");
        }
    }

    #[test]
    fn every_step_has_a_hint_for_every_answer_on_every_host() {
        for facts in hosts() {
            for &step in STEPS {
                for errno in 1..=133 {
                    let hint = lookup(step, errno, &facts).unwrap_or_else(|| {
                        panic!("no row of hints/table.rs for {step} {errno} {}", facts.release)
                    });
                    assert!(hint.step == step || hint.step == ANY_STEP);
                }
            }
        }
    }

    #[test]
    fn every_row_is_reached_by_some_failure_of_some_host() {
        let hosts = hosts();
        for row in TABLE {
            let reached = hosts.iter().any(|facts| {
                let mut steps = STEPS.iter().filter(|step| row.step == ANY_STEP || **step == row.step);
                steps.any(|step| {
                    (1..=133)
                        .any(|errno| lookup(step, errno, facts).is_some_and(|hit| std::ptr::eq(hit, row)))
                })
            });
            assert!(reached, "no failure reaches {} {}: {}", row.step, row.errno, row.say);
        }
    }

    #[test]
    fn every_step_of_the_table_is_a_step() {
        for row in TABLE {
            assert!(
                row.step == ANY_STEP || STEPS.contains(&row.step),
                "{}: no step in STEPS above",
                row.step
            );
        }
    }

    #[test]
    fn texts_are_one_plain_sentence_each() {
        for Hint { say, fix, .. } in TABLE {
            assert!(!say.is_empty() && !say.ends_with('.') && !fix.ends_with('.'), "{say} / {fix}");
            assert!(!say.contains('\n') && !fix.contains('\n') && !fix.contains("  "), "{say} / {fix}");
        }
    }

    #[test]
    fn a_profile_is_advised_before_a_switch_for_everyone() {
        for facts in hosts().iter().filter(|facts| facts.userns == Userns::AppArmor) {
            for &step in STEPS {
                for errno in [EPERM, EACCES] {
                    let hint = lookup(step, errno, facts).unwrap();
                    assert!(!hint.fix.contains("sysctl"), "{step} {errno}: {}", hint.fix);
                }
            }
            assert_eq!(lookup("clone", EPERM, facts).unwrap().fix, FIX_APPARMOR);
            assert_eq!(lookup("id-maps", EPERM, facts).unwrap().fix, FIX_APPARMOR);
        }
    }

    #[test]
    fn an_unknown_step_has_no_invented_hint() {
        assert!(lookup("no such step", EPERM, &hosts()[0]).is_none());
    }
}
