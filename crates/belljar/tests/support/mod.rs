//! What several test programs share.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod jars;
pub(crate) mod poorer;
pub(crate) mod recorded;
pub(crate) mod server;
pub(crate) mod user;
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

pub(crate) fn size(rows: u16, columns: u16) -> rustix::termios::Winsize {
    rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// A terminal of this size: who shows it, and the programs' side.
pub(crate) fn terminal(rows: u16, columns: u16) -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    rustix::termios::tcsetwinsize(&master, size(rows, columns)).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let program = rustix::fs::open(ptsname(&master, Vec::new()).unwrap(), flags, Mode::empty()).unwrap();
    (master, program)
}
