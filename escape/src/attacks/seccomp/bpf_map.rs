//! S10: makes a BPF map.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S10",
    name: "bpf",
    what: "reaches the BPF machinery of the kernel",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

const MAP_CREATE: i32 = 0;
const ARRAY: u32 = 2;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let mut attributes = [0u32; 32];
    attributes[..4].copy_from_slice(&[ARRAY, 4, 8, 1]);
    sys!(SYS_bpf, MAP_CREATE, &attributes, 128)?;
    proof::show(args, 0)
}
