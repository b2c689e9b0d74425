//! K1: counts the calls that get past the filter.

use std::io::{self, Write};

use crate::attack::Attack;
use crate::attacks::kernel::{Page, child, nap, sys};
use crate::attacks::{proof, raw};

pub(super) const ROW: Attack = Attack {
    id: "K1",
    name: "reachable-calls",
    what: "reaches more system calls of the kernel than the published number",
    prepare: proof::demanded,
    attack,
    ..Attack::ROW
};

/// The published number of calls that the default policy lets through to the kernel, with or without conditions.
const PUBLISHED: usize = 260;
/// The last number that Linux 6.18 has.
const LAST: i64 = 469;
/// Errors by which a filter refuses.
const REFUSED: [i32; 2] = [libc::EPERM, libc::ENOSYS];
/// Longest time one call may take, in milliseconds.
const PATIENCE: u64 = 60;
/// What a child writes before its call, and after a refused one.
const ENTERED: u8 = 1;
const SENT_BACK: u8 = 2;

fn attack(args: &[String]) -> io::Result<()> {
    let slots = Page::new(4096, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED)?;
    let reached: Vec<i64> = (0..=LAST).filter(|number| reaches(*number, slots).unwrap_or(false)).collect();
    io::stderr().write_all(format!("{} calls reached: {reached:?}\n", reached.len()).as_bytes())?;
    if reached.len() > PUBLISHED { proof::show(args, 0) } else { Ok(()) }
}

/// Makes the call with arguments that nothing accepts, in a child of its own session.
fn reaches(number: i64, slots: Page) -> io::Result<bool> {
    let slot = number as usize;
    let pid = child(|| {
        drop(sys!(SYS_setsid));
        slots.put(slot, &[ENTERED]);
        let refused = raw::call(number, &[usize::MAX; 6])
            .is_err_and(|error| error.raw_os_error().is_some_and(|code| REFUSED.contains(&code)));
        if refused {
            slots.put(slot, &[SENT_BACK]);
        }
        Ok(())
    })?;
    let killed_by_filter = patient_wait(pid)? & 0x7f == libc::SIGSYS;
    Ok(slots.get(slot, 1) == [ENTERED] && !killed_by_filter)
}

/// Waits for the child; one that stays in its call is ended.
fn patient_wait(pid: i32) -> io::Result<i32> {
    let mut status = 0i32;
    for _ in 0..PATIENCE {
        if sys!(SYS_wait4, pid, &mut status, libc::WNOHANG | libc::__WALL, 0)? != 0 {
            return Ok(status);
        }
        nap(1);
    }
    sys!(SYS_kill, pid, libc::SIGKILL)?;
    sys!(SYS_wait4, pid, &mut status, libc::__WALL, 0)?;
    Ok(0)
}
