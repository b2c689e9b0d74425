//! S4: writes into the memory of a process outside.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Word, sys};
use crate::attacks::target;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S4",
    name: "process-vm-writev",
    what: "changes the memory of a host process",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    Ok(target::start(stage)?.unchanged())
}

fn attack(args: &[String]) -> io::Result<()> {
    let bytes = [1u8; 16];
    let here = [bytes.as_ptr().word(), 16];
    let there = [target::SLOT, 16];
    let write = |pid: i32| sys!(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0).map(|_| ());
    target::first(&target::reach(args)?, write)
}
