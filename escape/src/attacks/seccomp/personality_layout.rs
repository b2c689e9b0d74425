//! S12: switches off the random layout of memory.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S12",
    name: "personality-layout",
    what: "makes the addresses of every program started later predictable",
    prepare,
    attack,
    ..Attack::ROW
};

const ADDR_NO_RANDOMIZE: usize = 0x0004_0000;
const ASK: u32 = u32::MAX;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    sys!(SYS_personality, ADDR_NO_RANDOMIZE)?;
    let now = sys!(SYS_personality, ASK).unwrap_or(ADDR_NO_RANDOMIZE);
    if now & ADDR_NO_RANDOMIZE == 0 {
        return Err(io::Error::other("still random"));
    }
    proof::show(args, 0)
}
