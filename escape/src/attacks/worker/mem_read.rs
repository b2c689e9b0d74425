//! K2: reads the memory of a neighbour of its worker through a file of the kernel.

use std::io;

use super::deeds::LENGTH;
use super::split;
use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::raw;
use crate::attacks::target::ADDRESS;

pub(super) const PARENT: Attack = Attack {
    name: "worker-mem-read-parent",
    what: "reads through /proc from a worker a secret in the memory of the program that split itself",
    prepare: |stage| split::judge(stage, "mem-read", "parent"),
    ..split::ROW
};

pub(super) const SIBLING: Attack = Attack {
    name: "worker-mem-read-sibling",
    what: "reads through /proc from a worker a secret in the memory of another worker",
    prepare: |stage| split::judge(stage, "mem-read", "sibling"),
    ..split::ROW
};

pub(super) fn read(pid: i32, _: &str) -> io::Result<Vec<u8>> {
    let path = raw::c(&format!("/proc/{pid}/mem"));
    let memory = sys!(SYS_openat, libc::AT_FDCWD, &path, libc::O_RDONLY)?;
    let mut bytes = vec![0u8; LENGTH];
    sys!(SYS_pread64, memory, bytes.as_mut_ptr(), LENGTH, ADDRESS)?;
    Ok(bytes)
}
