//! S1: seizes a process outside, without stopping it by a signal, and writes into its memory.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::target;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S1",
    name: "ptrace-seize",
    what: "writes into the memory of a host process through PTRACE_SEIZE and POKEDATA",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    Ok(target::start(stage)?.unchanged())
}

fn attack(args: &[String]) -> io::Result<()> {
    target::first(&target::reach(args)?, poke)
}

fn poke(pid: i32) -> io::Result<()> {
    let mut status = 0i32;
    sys!(SYS_ptrace, libc::PTRACE_SEIZE, pid, 0, 0)?;
    sys!(SYS_ptrace, libc::PTRACE_INTERRUPT, pid, 0, 0)?;
    sys!(SYS_wait4, pid, &mut status, libc::__WALL, 0)?;
    sys!(SYS_ptrace, libc::PTRACE_POKEDATA, pid, target::SLOT, u64::MAX)?;
    sys!(SYS_ptrace, libc::PTRACE_DETACH, pid, 0, 0).map(|_| ())
}
