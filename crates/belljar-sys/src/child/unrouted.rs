//! How often programs of the jar wanted to go where no way leads: what the kernel has counted of its network namespace.

use linux_raw_sys::general as g;

use crate::call::{self, Fd};

/// The line of numbers about IP, and where "no route" stands in it (`OutNoRoutes`).
const LINE: u32 = 1;
const COLUMN: u32 = 12;

/// Connections and datagrams over IPv4 without a route; 0 where the kernel does not tell.
pub(super) fn count() -> u64 {
    let Ok(list) = call::open(c"/proc/net/snmp", g::O_RDONLY) else { return 0 };
    let count = number(list);
    call::close(list);
    count
}

fn number(list: Fd) -> u64 {
    let (mut line, mut column, mut number) = (0_u32, 0_u32, 0_u64);
    // Short enough to be cleared without a call of memset, which the child does not have.
    let mut bytes = [0_u8; 128];
    while let Ok(count) = call::read(list, &mut bytes) {
        if count == 0 {
            break;
        }
        for &byte in bytes.iter().take(count) {
            let wanted = line == LINE && column == COLUMN;
            match byte {
                b' ' | b'\n' if wanted => return number,
                b' ' => column = column.wrapping_add(1),
                b'\n' => (line, column) = (line.wrapping_add(1), 0),
                digit if wanted && digit.is_ascii_digit() => {
                    number = number.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')));
                }
                _ => {}
            }
        }
    }
    0
}
