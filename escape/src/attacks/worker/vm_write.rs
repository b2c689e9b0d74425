//! K2: writes into the memory of a neighbour of its worker by its number.

use std::io;

use super::split;
use crate::attack::Attack;
use crate::attacks::kernel::{Word, sys};
use crate::attacks::proof;
use crate::attacks::target::SLOT;

pub(super) const PARENT: Attack = Attack {
    name: "worker-vm-write-parent",
    what: "writes from a worker into the memory of the program that split itself",
    prepare: |stage| split::judge(stage, "vm-write", "parent"),
    ..split::ROW
};

pub(super) const ZYGOTE: Attack = Attack {
    name: "worker-vm-write-zygote",
    what: "writes from a worker into the memory of the process it was forked from",
    prepare: |stage| split::judge(stage, "vm-write", "zygote"),
    ..split::ROW
};

pub(super) const SIBLING: Attack = Attack {
    name: "worker-vm-write-sibling",
    what: "writes from a worker into the memory of another worker",
    prepare: |stage| split::judge(stage, "vm-write", "sibling"),
    ..split::ROW
};

pub(super) fn change(pid: i32, word: &str) -> io::Result<Vec<u8>> {
    let bytes = proof::of(word).into_bytes();
    let here = [bytes.as_ptr().word() as u64, bytes.len() as u64];
    let there = [SLOT, bytes.len() as u64];
    sys!(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0)?;
    Ok(Vec::new())
}
