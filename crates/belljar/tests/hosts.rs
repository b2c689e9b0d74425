//! The recorded hosts are well-formed and could exist; the planner's tests build on them.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use belljar::HostFacts;
use belljar::probe::Userns;

/// Landlock's ABI and the kernel that brought it.
const ABIS: [(u32, (u16, u16)); 8] = [
    (0, (0, 0)),
    (1, (5, 13)),
    (2, (5, 19)),
    (3, (6, 2)),
    (4, (6, 7)),
    (5, (6, 10)),
    (6, (6, 12)),
    (7, (6, 15)),
];

fn hosts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect()
}

fn facts() -> impl Iterator<Item = (String, HostFacts)> {
    hosts().into_iter().map(|(name, text)| {
        let facts = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, facts)
    })
}

#[test]
fn every_file_says_all_facts_and_nothing_else() {
    let hosts = hosts();
    assert!(hosts.len() >= 10, "{} hosts", hosts.len());
    for (name, text) in hosts {
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        let facts: HostFacts = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(&facts).unwrap(), said, "{name}");
    }
}

#[test]
fn every_host_could_exist() {
    for (name, host) in facts() {
        let (_, since) =
            ABIS.iter().find(|row| row.0 == host.landlock).unwrap_or_else(|| panic!("{name}: ABI"));
        assert!(host.kernel >= *since, "{name}: Landlock {} on {:?}", host.landlock, host.kernel);
        assert!(!host.mseal || host.kernel >= (6, 10), "{name}: mseal");
        assert!(!host.mount_fds || host.kernel >= (5, 12), "{name}: mount_fds");
        assert!(!host.seccomp_notify || (host.seccomp && host.kernel >= (5, 14)), "{name}: notify");
        assert!(!host.admin || host.uid == 0, "{name}: admin");
        assert!(host.userns != Userns::Seccomp || host.inside_seccomp, "{name}: no filter to refuse");
        let first_two: Vec<_> = host.release.split('.').take(2).collect();
        assert_eq!(first_two.join("."), format!("{}.{}", host.kernel.0, host.kernel.1), "{name}");
    }
}

#[test]
fn each_state_of_user_namespaces_is_recorded() {
    let all = [
        Userns::Available,
        Userns::Absent,
        Userns::Limit,
        Userns::Sysctl,
        Userns::AppArmor,
        Userns::Seccomp,
        Userns::Refused,
    ];
    for state in all {
        assert!(facts().any(|(_, host)| host.userns == state), "no host with {state:?}");
    }
}
