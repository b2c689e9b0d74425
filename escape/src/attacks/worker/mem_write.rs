//! K2: writes into the memory of a neighbour of its worker through a file of the kernel.

use std::io;

use super::split;
use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::raw;
use crate::attacks::target::SLOT;

pub(super) const PARENT: Attack = Attack {
    name: "worker-mem-write-parent",
    what: "writes through /proc from a worker into the memory of the program that split itself",
    prepare: |stage| split::judge(stage, "mem-write", "parent"),
    ..split::ROW
};

pub(super) const ZYGOTE: Attack = Attack {
    name: "worker-mem-write-zygote",
    what: "writes through /proc from a worker into the memory of the process it was forked from",
    prepare: |stage| split::judge(stage, "mem-write", "zygote"),
    ..split::ROW
};

pub(super) const SIBLING: Attack = Attack {
    name: "worker-mem-write-sibling",
    what: "writes through /proc from a worker into the memory of another worker",
    prepare: |stage| split::judge(stage, "mem-write", "sibling"),
    ..split::ROW
};

pub(super) fn change(pid: i32, word: &str) -> io::Result<Vec<u8>> {
    let path = raw::c(&format!("/proc/{pid}/mem"));
    let memory = sys!(SYS_openat, libc::AT_FDCWD, &path, libc::O_RDWR)?;
    let bytes = proof::of(word).into_bytes();
    sys!(SYS_pwrite64, memory, bytes.as_ptr(), bytes.len(), SLOT)?;
    Ok(Vec::new())
}
