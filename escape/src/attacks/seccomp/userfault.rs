//! S7: handles its own page faults.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Page, child, say, sys};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S7",
    name: "userfaultfd",
    what: "stops the kernel in the middle of a copy, the usual step of kernel exploits",
    prepare,
    attack,
    ..Attack::ROW
};

const USER_MODE_ONLY: i32 = 1;
const API: u64 = 0xc018_aa3f;
const REGISTER: u64 = 0xc020_aa00;
const COPY: u64 = 0xc028_aa03;
const MISSING: u64 = 1;
const SIZE: usize = 4096;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let faults = Page::new(SIZE, both, libc::MAP_PRIVATE)?;
    let answer = Page::new(SIZE, both, libc::MAP_PRIVATE)?;
    let proof = proof::of(proof::arg(args, 0)?);
    answer.put(0, proof.as_bytes());
    let fd = sys!(SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY)?;
    sys!(SYS_ioctl, fd, API, &mut [0xaau64, 0, 0])?;
    sys!(SYS_ioctl, fd, REGISTER, &mut [faults.address(), SIZE as u64, MISSING, 0])?;
    child(|| {
        let mut message = [0u8; 32];
        sys!(SYS_read, fd, &mut message, 32)?;
        sys!(SYS_ioctl, fd, COPY, &mut [faults.address(), answer.address(), SIZE as u64, 0, 0]).map(|_| ())
    })?;
    say(&String::from_utf8_lossy(&faults.get(0, proof.len())))
}
