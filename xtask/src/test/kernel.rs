//! Debian's 6.1 kernel in an emulator (`tests/kernel/run`): the core checks and the attacks on a kernel that lacks much of
//! what a new one offers.

use anyhow::Result;

use super::skips::Expected;
use super::tally::Tally;
use super::{Built, suite};
use crate::account::Account;
use crate::command::{is_installed, program, say};
use crate::stage::Stage;

/// Programs without which there is no emulated machine.
const NEEDS: &[&str] = &["qemu-system-x86_64", "busybox", "apt-get", "dpkg-deb"];

/// Seconds that the machine may run.
const PATIENCE: &str = "1200";

/// Boots the kernel and runs what is in `tests/kernel`.
pub(super) fn run(built: &Built, account: &Account, _: &Stage) -> Result<Tally> {
    if let Some(need) = NEEDS.iter().find(|name| !is_installed(name)) {
        return Expected::read(account.is_root()).map(|expected| skipped(need, &expected));
    }
    let mut command =
        program("tests/kernel/run", [built.belljar.as_path(), built.workspace.named("escape")?]);
    suite::follow(command.env("KERNEL_LIMIT", PATIENCE), None)
}

fn skipped(need: &str, expected: &Expected) -> Tally {
    if !expected.allows("kernel", need) {
        return Tally::broken(&format!("kernel: unexpected skip, needs {need}"));
    }
    say(&format!("SKIP kernel: needs {need}"));
    Tally { skipped: 1, ..Tally::default() }
}
