//! S6: writes to standard output without a write call.

use std::io;

use super::ring::{Ring, WRITE};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::Word;
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S6",
    name: "io-uring-write",
    what: "does input and output through io_uring, which no filter sees",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let proof = proof::of(proof::arg(args, 0)?);
    let length = u32::try_from(proof.len()).map_err(io::Error::other)?;
    Ring::new()?.run(WRITE, 1, proof.as_ptr().word(), length, u64::MAX).map(|_| ())
}
