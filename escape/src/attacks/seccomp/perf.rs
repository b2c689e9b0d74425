//! S10: counts events with the profiler of the kernel.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S10",
    name: "perf-event-open",
    what: "reaches the profiler of the kernel, a frequent source of kernel bugs and side channels",
    prepare,
    attack,
    ..Attack::ROW
};

const SIZE: u64 = 128;
const SOFTWARE: u64 = 1;
const TASK_CLOCK: u64 = 1;
/// `exclude_kernel` and `exclude_hv`, so that an ordinary user may.
const USER_ONLY: u64 = 1 << 5 | 1 << 6;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let mut attributes = [0u64; 16];
    attributes[0] = SOFTWARE | SIZE << 32;
    attributes[1] = TASK_CLOCK;
    attributes[5] = USER_ONLY;
    let fd = sys!(SYS_perf_event_open, &attributes, 0, -1, -1, 0)?;
    let mut count = [0u64; 1];
    sys!(SYS_read, fd, &mut count, 8)?;
    if count[0] > 0 { proof::show(args, 0) } else { Err(io::Error::other("nothing was counted")) }
}
