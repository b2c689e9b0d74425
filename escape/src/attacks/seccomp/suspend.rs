//! S13: traces a child so that its filters are suspended.

use std::io;

use super::filter::{Rule, install};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, nap, sys, wait};
use crate::attacks::proof;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S13",
    name: "suspend-seccomp",
    what: "switches the filters of a traced process off",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

const SUSPEND: i32 = 1 << 21;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let pid = child(|| {
        nap(100);
        install(Rule { number: libc::SYS_getppid, verdict: libc::SECCOMP_RET_ERRNO | 1 }, 0)?;
        nap(200);
        sys!(SYS_getppid)?;
        proof::show(args, 0)
    })?;
    sys!(SYS_ptrace, libc::PTRACE_SEIZE, pid, 0, SUSPEND)?;
    wait(pid).map(|_| ())
}
