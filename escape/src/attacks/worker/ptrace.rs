//! K2: attaches to a neighbour of its worker and changes a word in its memory.

use std::io;

use super::split;
use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::target::SLOT;

pub(super) const PARENT: Attack = Attack {
    name: "worker-ptrace-parent",
    what: "attaches from a worker to the program that split itself and changes its memory",
    prepare: |stage| split::judge(stage, "ptrace", "parent"),
    ..split::ROW
};

pub(super) const ZYGOTE: Attack = Attack {
    name: "worker-ptrace-zygote",
    what: "attaches from a worker to the process it was forked from and changes what later workers get",
    prepare: |stage| split::judge(stage, "ptrace", "zygote"),
    ..split::ROW
};

pub(super) const SIBLING: Attack = Attack {
    name: "worker-ptrace-sibling",
    what: "attaches from a worker to another one and changes its memory",
    prepare: |stage| split::judge(stage, "ptrace", "sibling"),
    ..split::ROW
};

pub(super) fn change(pid: i32, word: &str) -> io::Result<Vec<u8>> {
    let mut status = 0i32;
    sys!(SYS_ptrace, libc::PTRACE_ATTACH, pid, 0, 0)?;
    sys!(SYS_wait4, pid, &mut status, libc::__WALL, 0)?;
    let bytes = proof::of(word).into_bytes();
    for (at, part) in (SLOT..).step_by(8).zip(bytes.chunks(8)) {
        let mut eight = [0u8; 8];
        eight.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
        sys!(SYS_ptrace, libc::PTRACE_POKEDATA, pid, at, u64::from_ne_bytes(eight))?;
    }
    sys!(SYS_ptrace, libc::PTRACE_DETACH, pid, 0, 0)?;
    Ok(Vec::new())
}
