//! S1: a child asks to be traced and the attack writes a word into it.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Page, child, say, sys, wait};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S1",
    name: "ptrace-traceme",
    what: "uses ptrace at all: pokes the proof into a child that called TRACEME",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let page = Page::new(4096, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE)?;
    let pid = child(|| {
        sys!(SYS_ptrace, libc::PTRACE_TRACEME, 0, 0, 0)?;
        sys!(SYS_kill, sys!(SYS_getpid)?, libc::SIGSTOP)?;
        say(&String::from_utf8_lossy(&page.get(0, 64)))
    })?;
    wait(pid)?;
    let proof = proof::of(proof::arg(args, 0)?);
    for (index, bytes) in (0u64..).zip(proof.as_bytes().chunks(8)) {
        let mut word = [0u8; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        sys!(SYS_ptrace, libc::PTRACE_POKEDATA, pid, page.address() + index * 8, u64::from_ne_bytes(word))?;
    }
    sys!(SYS_ptrace, libc::PTRACE_CONT, pid, 0, 0)?;
    wait(pid).map(|_| ())
}
