//! What several test programs share.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod jars;
pub(crate) mod poorer;
pub(crate) mod recorded;
pub(crate) mod watch;

/// Whether something that a test needs is there; where it is not, the test is skipped by name (`tests/expected-skips.txt`),
/// or fails when `BELLJAR_MUST` lists it.
pub(crate) fn has(need: &str, there: bool) -> bool {
    if !there {
        let must = std::env::var("BELLJAR_MUST").unwrap_or_default();
        assert!(!must.split(',').any(|item| item == need), "needs {need}");
        eprintln!("SKIP: needs {need}");
    }
    there
}

/// User namespaces can be made here.
pub(crate) fn has_userns() -> bool {
    let works = std::process::Command::new("unshare").args(["-Ur", "true"]).status();
    has("userns", works.is_ok_and(|status| status.success()))
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(crate) fn has_python() -> bool {
    has("python3", std::fs::metadata("/usr/bin/python3").is_ok())
}
