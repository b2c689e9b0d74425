//! K2: reads the memory of a neighbour of its worker by its number.

use std::io;

use super::deeds::LENGTH;
use super::split;
use crate::attack::Attack;
use crate::attacks::kernel::{Word, sys};
use crate::attacks::target::ADDRESS;

pub(super) const PARENT: Attack = Attack {
    name: "worker-vm-read-parent",
    what: "reads from a worker a secret in the memory of the program that split itself",
    prepare: |stage| split::judge(stage, "vm-read", "parent"),
    ..split::ROW
};

pub(super) const SIBLING: Attack = Attack {
    name: "worker-vm-read-sibling",
    what: "reads from a worker a secret in the memory of another worker",
    prepare: |stage| split::judge(stage, "vm-read", "sibling"),
    ..split::ROW
};

pub(super) fn read(pid: i32, _: &str) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0u8; LENGTH];
    let here = [bytes.as_mut_ptr().word() as u64, LENGTH as u64];
    let there = [ADDRESS, LENGTH as u64];
    sys!(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0)?;
    Ok(bytes)
}
