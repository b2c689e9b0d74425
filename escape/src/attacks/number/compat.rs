//! Entry into the 32-bit half of the kernel.

use std::arch::asm;
use std::io;

use crate::attacks::kernel::Page;

/// Numbers of the 32-bit table.
pub(super) const EXIT: u32 = 1;
pub(super) const READ: u32 = 3;
pub(super) const WRITE: u32 = 4;
pub(super) const OPEN: u32 = 5;
pub(super) const MKDIR: u32 = 39;

/// `int 0x80` from 64-bit code.
pub(super) fn int80(number: u32, first: u32, second: u32, third: u32) -> io::Result<u32> {
    let result: u32;
    // The first argument goes into a register that the compiler keeps for itself.
    unsafe {
        asm!("xchg rbx, {first}", "int 0x80", "xchg rbx, {first}",
            first = inout(reg) u64::from(first) => _, inlateout("eax") number => result,
            in("ecx") second, in("edx") third,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    match result.cast_signed() {
        error @ -4095..=-1 => Err(io::Error::from_raw_os_error(-error)),
        _ => Ok(result),
    }
}

/// A text where 32-bit pointers reach it.
pub(super) fn low(text: &str) -> io::Result<Page> {
    let page = Page::low(false)?;
    page.put(0, text.as_bytes());
    Ok(page)
}
