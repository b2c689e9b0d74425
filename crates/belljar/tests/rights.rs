//! Rights of the program: none in force, and none to be had from a file.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test program"
)]

mod support;

use std::os::unix::fs::PermissionsExt;

use rustix::fs::{XattrFlags, setxattr};
use support::jars::{self, Place};
use support::{has, has_userns, is_root};

/// `security.capability`, version 2: every capability permitted and in force.
fn all_capabilities() -> Vec<u8> {
    let words: [u32; 5] = [0x0200_0001, !0, 0, 0x1FF, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Whether a line of `/proc/self/status` names a set with something in it.
fn is_filled(line: &str) -> bool {
    line.split_whitespace().nth(1).is_some_and(|set| !set.trim_matches('0').is_empty())
}

#[test]
fn a_file_with_capabilities_gives_none() {
    if !has_userns() || !has("root", is_root()) {
        return;
    }
    let place = Place::new();
    let own = place.granted().join("grep");
    std::fs::copy("/usr/bin/grep", &own).unwrap();
    std::fs::set_permissions(&own, PermissionsExt::from_mode(0o755)).unwrap();
    setxattr(&own, "security.capability", &all_capabilities(), XattrFlags::empty()).unwrap();
    let script = "$G/grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status";
    let outside = jars::control(&place, script);
    assert!(outside.lines().any(is_filled), "outside the file gives them: {outside}");
    for access in ["-r", "-w"] {
        let done = jars::finish(&mut jars::shell(&place, &[(access, ".")], script)).unwrap();
        assert_eq!(done.out.lines().count(), 4, "{done:?}");
        assert!(!done.out.lines().any(is_filled), "{access}: {}", done.out);
    }
}
