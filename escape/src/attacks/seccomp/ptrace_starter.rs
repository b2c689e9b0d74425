//! S1: attaches to the process that started it, which has fewer filters on.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::target;

pub(super) const ROW: Attack = Attack {
    id: "S1",
    name: "ptrace-starter",
    what: "attaches to the box's own first process, or to any process outside",
    prepare: target::with_proof,
    attack,
    ..Attack::ROW
};

fn attack(args: &[String]) -> io::Result<()> {
    target::first(&target::reach(args)?, stop_and_go)?;
    proof::show(args, 1)
}

fn stop_and_go(pid: i32) -> io::Result<()> {
    let mut status = 0i32;
    sys!(SYS_ptrace, libc::PTRACE_ATTACH, pid, 0, 0)?;
    sys!(SYS_wait4, pid, &mut status, libc::__WALL, 0)?;
    sys!(SYS_ptrace, libc::PTRACE_DETACH, pid, 0, 0).map(|_| ())
}
