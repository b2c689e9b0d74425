//! What this host really does: each check performs the operations that a jar needs, in children that end at once, and
//! each protection is tried against something that it must refuse. Nothing on the host changes.

mod confine;
mod finding;
mod namespaces;
mod surroundings;
mod text;
mod trial;

pub use finding::{Diagnosis, Finding, Status};

use crate::probe::{self, HostFacts};

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
const CHECKS: [fn(&Host) -> Finding; 15] = [
    surroundings::kernel,
    surroundings::proc,
    surroundings::paths,
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
    surroundings::core_dumps,
    surroundings::outer,
];

/// Examines this host: some twenty short-lived children, a few milliseconds.
///
/// ```
/// let diagnosis = belljar::doctor::examine();
/// assert!(!diagnosis.findings.is_empty());
/// ```
#[must_use]
pub fn examine() -> Diagnosis {
    let mut facts = probe::probe();
    facts.cgroup = probe::cgroup();
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

#[cfg(test)]
mod tests {
    use super::trial::Stopped;
    use super::*;

    fn host(file: &str, domains: usize) -> Host {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts").join(file);
        let facts = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        Host { facts, uid_map: Vec::new(), gid_map: Vec::new(), domains, userns: Ok(()) }
    }

    #[test]
    fn a_restricted_ubuntu_is_sent_to_the_profile_and_not_to_a_switch_for_everyone() {
        let mut ubuntu = host("ubuntu-24.04-apparmor-restricted.json", 0);
        for (step, errno) in [("clone", 1), ("hostname", 1), ("id-maps", 13)] {
            ubuntu.userns = Err(Stopped { step, errno });
            let finding = namespaces::user(&ubuntu);
            assert_eq!(finding.status, Status::Weaker);
            let remedy = finding.remedy.unwrap();
            assert!(
                remedy.contains("dist/apparmor/belljar") && !remedy.contains("sysctl"),
                "{step}: {remedy}"
            );
        }
    }

    #[test]
    fn refused_mounts_are_blamed_on_a_domain_only_if_there_is_one() {
        let stopped = Stopped { step: "mount", errno: 1 };
        let (say, fix) = host("debian-12-user.json", 1).explain(stopped);
        assert!(say.contains("Landlock domain") && fix.is_some());
        let (say, _) = host("debian-12-user.json", 0).explain(stopped);
        assert!(!say.contains("Landlock"), "{say}");
    }

    #[test]
    fn the_doctor_never_sends_to_the_doctor() {
        for file in ["debian-12-user.json", "docker-default-seccomp-root.json", "gvisor-root.json"] {
            for step in
                ["clone", "id-maps", "new-root", "mount", "pivot-root", "landlock", "seccomp", "program"]
            {
                for errno in 1..=133 {
                    let (_, fix) = host(file, 0).explain(Stopped { step, errno });
                    assert!(!fix.is_some_and(|fix| fix.contains("belljar doctor")), "{step} {errno}");
                }
            }
        }
    }
}
