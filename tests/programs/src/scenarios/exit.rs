//! Exit codes.

use anyhow::{Result, ensure};

use crate::run::Rig;
use crate::scenario::{Check, ROW, Scenario};

pub(crate) const ROWS: &[Scenario] = &[
    Scenario { name: "exit-0", command: &["true"], ..ROW },
    Scenario { name: "exit-1", command: &["false"], check: Check::SameCode(1), ..ROW },
    Scenario { name: "exit-42", command: &["sh", "-c", "exit 42"], check: Check::SameCode(42), ..ROW },
    Scenario { name: "exit-255", command: &["sh", "-c", "exit 255"], check: Check::SameCode(255), ..ROW },
    Scenario { name: "exit-kill", command: &["sh", "-c", "kill -9 $$"], check: Check::SameCode(137), ..ROW },
    Scenario {
        name: "exit-term",
        command: &["sh", "-c", "kill -TERM $$"],
        check: Check::SameCode(143),
        ..ROW
    },
    Scenario {
        name: "exit-abort",
        needs: &["perl"],
        command: &["perl", "-MPOSIX", "-e", "POSIX::abort()"],
        check: Check::SameCode(134),
        ..ROW
    },
    Scenario {
        name: "exit-127-not-found",
        command: &["no-such-program-at-all"],
        check: Check::Own(|rig| refused(rig, 127, "no-such-program-at-all")),
        ..ROW
    },
    Scenario {
        name: "exit-126-not-executable",
        files: &[("data", b"not a program\n")],
        command: &["./data"],
        check: Check::Own(|rig| refused(rig, 126, "data")),
        ..ROW
    },
    Scenario {
        name: "exit-126-folder",
        prepare: &[&["mkdir", "folder"]],
        command: &["./folder"],
        check: Check::Own(|rig| refused(rig, 126, "folder")),
        ..ROW
    },
    Scenario {
        name: "exit-script-without-interpreter",
        files: &[("script", b"#!/no/such/interpreter\n")],
        prepare: &[&["chmod", "+x", "script"]],
        command: &["./script"],
        check: Check::Own(|rig| refused(rig, 126, "/no/such/interpreter")),
        ..ROW
    },
    Scenario {
        name: "exit-no-secret",
        command: &["head", "-n", "1", "{secret}"],
        check: Check::NoSecret,
        ..ROW
    },
];

/// This code, nothing on standard output, and a message that names the object.
fn refused(rig: &Rig<'_>, code: i32, named: &str) -> Result<()> {
    let inside = rig.boxed(&rig.row.plain(rig)).run()?;
    ensure!(inside.code == code, "must be {code}: {}", inside.text());
    ensure!(inside.stdout.is_empty(), "must print nothing: {}", inside.text());
    ensure!(String::from_utf8_lossy(&inside.stderr).contains(named), "must name {named}: {}", inside.text());
    Ok(())
}
