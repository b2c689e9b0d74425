//! S12: makes all readable memory executable.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S12",
    name: "personality-exec",
    what: "turns data into code: every later readable mapping is executable",
    prepare,
    attack,
    ..Attack::ROW
};

const READ_IMPLIES_EXEC: i32 = 0x0040_0000;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    sys!(SYS_personality, READ_IMPLIES_EXEC)?;
    let both = libc::PROT_READ | libc::PROT_WRITE;
    sys!(
        SYS_mmap,
        0x3000_0000_0000u64,
        4096,
        both,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
        -1,
        0
    )?;
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let executable = maps.lines().any(|line| line.starts_with("300000000000-") && line.contains("rwxp"));
    if executable { proof::show(args, 0) } else { Err(io::Error::other("still only data")) }
}
