//! Ending a tree without a PID namespace: init is the subreaper, so every orphan becomes its child.

use linux_raw_sys::general as g;

use crate::abi::Rusage;
use crate::call::{self, Fd};

/// Rounds are bounded: a jar that forks faster than it can be killed meets its process limit first.
const ROUNDS: u32 = 10_000;

/// Kills children until there are none. Grandchildren of a killed child become children.
pub(super) fn kill_descendants() {
    for _ in 0..ROUNDS {
        if !kill_children() {
            return;
        }
        let mut unasked = Rusage::default();
        if call::wait_any(false, &mut unasked).is_err() {
            return;
        }
        while call::wait_any(true, &mut unasked).is_ok_and(|(pid, _)| pid != 0) {}
    }
}

/// Sends SIGKILL to each current child; false when there is none.
fn kill_children() -> bool {
    let Ok(list) = call::open(c"/proc/thread-self/children", g::O_RDONLY) else { return false };
    let any = kill_listed(list);
    call::close(list);
    any
}

fn kill_listed(list: Fd) -> bool {
    let (mut any, mut pid) = (false, 0_i32);
    // Short enough to be cleared without a call of memset, which the child does not have.
    let mut bytes = [0_u8; 128];
    while let Ok(count) = call::read(list, &mut bytes) {
        if count == 0 {
            break;
        }
        for &byte in bytes.iter().take(count) {
            if byte.is_ascii_digit() {
                pid = pid.wrapping_mul(10).wrapping_add(i32::from(byte.wrapping_sub(b'0')));
            } else if pid > 0 {
                any = true;
                crate::call::unheard(call::kill(pid, 9));
                pid = 0;
            }
        }
    }
    any
}
