//! S4: reads the memory of a process outside.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Word, sys};
use crate::attacks::target;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S4",
    name: "process-vm-readv",
    what: "reads a secret from the memory of a host process",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    Ok(target::start(stage)?.unread())
}

fn attack(args: &[String]) -> io::Result<()> {
    let bytes = [0u8; 64];
    let here = [bytes.as_ptr().word(), 64];
    let there = [target::ADDRESS, 64];
    let read = |pid: i32| sys!(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0).map(|_| ());
    target::first(&target::reach(args)?, read)?;
    sys!(SYS_write, 1, bytes.as_ptr(), 64).map(|_| ())
}
