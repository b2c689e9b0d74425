//! K2: takes an open descriptor out of a neighbour of its worker.

use std::io;

use super::deeds::{HELD_FD, LENGTH};
use super::split;
use crate::attack::Attack;
use crate::attacks::kernel::sys;

pub(super) const PARENT: Attack = Attack {
    name: "worker-descriptors-parent",
    what: "copies into a worker a descriptor of the program that split itself",
    prepare: |stage| split::judge(stage, "descriptors", "parent"),
    ..split::ROW
};

pub(super) const SIBLING: Attack = Attack {
    name: "worker-descriptors-sibling",
    what: "copies into a worker a descriptor of another worker",
    prepare: |stage| split::judge(stage, "descriptors", "sibling"),
    ..split::ROW
};

pub(super) fn take(pid: i32, _: &str) -> io::Result<Vec<u8>> {
    let pidfd = sys!(SYS_pidfd_open, pid, 0)?;
    let taken = sys!(SYS_pidfd_getfd, pidfd, HELD_FD, 0)?;
    let mut bytes = vec![0u8; LENGTH];
    sys!(SYS_pread64, taken, bytes.as_mut_ptr(), LENGTH, 0)?;
    Ok(bytes)
}
