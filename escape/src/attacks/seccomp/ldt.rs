//! S16: adds a segment of its own to the descriptor table and reads memory through it.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Page, say, sys};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S16",
    name: "modify-ldt",
    what: "changes the segment table, a frequent source of kernel bugs",
    prepare,
    attack,
    ..Attack::ROW
};

/// Function 1 of `modify_ldt`: write.
const WRITE: i32 = 1;
/// 32-bit, writable data, limit in pages, usable.
const FLAGS: u32 = 1 | 1 << 4 | 1 << 6;
/// Entry 0 of the local table with user rights.
const SELECTOR: u16 = 7;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let page = Page::low(false)?;
    let proof = proof::of(proof::arg(args, 0)?);
    page.put(0, proof.as_bytes());
    let entry = [0u32, page.low_address()?, 0xf_ffff, FLAGS];
    match sys!(SYS_modify_ldt, WRITE, &entry, 16)? as u32 {
        0 => {}
        error => return Err(io::Error::from_raw_os_error(error.wrapping_neg().cast_signed())),
    }
    let bytes: Vec<u8> = (0..proof.len()).map(read).collect();
    say(&String::from_utf8_lossy(&bytes))
}

fn read(offset: usize) -> u8 {
    let byte: u8;
    unsafe {
        std::arch::asm!("mov gs, {selector:x}", "mov {byte}, gs:[{offset}]",
            selector = in(reg) SELECTOR, byte = out(reg_byte) byte, offset = in(reg) offset);
    }
    byte
}
