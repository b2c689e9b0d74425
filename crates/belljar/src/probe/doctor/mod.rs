//! What this host really does: each check performs the operations that a jar needs, in children that end at once, and
//! each protection is tried against something that it must refuse. Nothing on the host changes.

mod confine;
mod finding;
mod namespaces;
mod surroundings;
mod text;
mod trial;

pub use finding::{Diagnosis, Finding, Status};

use super::{HostFacts, Userns};

/// What the checks share.
struct Host {
    facts: HostFacts,
    uid_map: Vec<u8>,
    gid_map: Vec<u8>,
    /// How many Landlock domains surround this process.
    domains: usize,
    /// User namespaces work, or the step at which they stop.
    userns: Result<(), trial::Stopped>,
}

/// In the order of the report: what everything needs first.
const CHECKS: [fn(&Host) -> Finding; 13] = [
    surroundings::kernel,
    surroundings::proc,
    confine::seccomp,
    confine::landlock,
    namespaces::user,
    namespaces::mounts,
    namespaces::fresh_proc,
    namespaces::network,
    namespaces::nesting,
    namespaces::terminal,
    namespaces::overlay,
    surroundings::limits,
    surroundings::outer,
];

/// Examines this host: some twenty short-lived children, a few milliseconds.
///
/// ```
/// let diagnosis = belljar::probe::doctor::examine();
/// assert!(!diagnosis.findings.is_empty());
/// ```
#[must_use]
pub fn examine() -> Diagnosis {
    let mut facts = super::probe();
    facts.cgroup = super::cgroup();
    let map = |id: u32| format!("{id} {id} 1\n").into_bytes();
    let (uid_map, gid_map) = (map(facts.uid), map(facts.gid));
    let domains = confine::domains();
    let userns = namespaces::try_user(&uid_map, &gid_map);
    let host = Host { facts, uid_map, gid_map, domains, userns };
    let findings = CHECKS.iter().map(|check| check(&host)).collect();
    Diagnosis::new(host.facts, findings)
}

impl Host {
    /// What a failed trial means here, and what helps.
    fn explain(&self, stopped: trial::Stopped) -> (String, Option<String>) {
        let outer = self.domains > 0 && stopped.errno == 1 && MOUNTING.contains(&stopped.step);
        if outer {
            return ("a surrounding Landlock domain forbids mounts".to_owned(), Some(FURTHER_OUT.to_owned()));
        }
        let hint = crate::error::hints::lookup(stopped.step, stopped.errno, &self.facts);
        let say = hint.map_or("the trial was killed", |hint| hint.say);
        let fix = hint.map(|hint| hint.fix).filter(|fix| !fix.is_empty() && !fix.contains("belljar doctor"));
        (format!("{say} ({stopped})"), fix.map(str::to_owned))
    }
}

/// Steps that Landlock refuses inside a domain.
const MOUNTING: [&str; 5] = ["new-root", "bind", "mount", "mount-attributes", "pivot-root"];
const FURTHER_OUT: &str = "start Belljar further outside, or grant it less there";
