//! X1: writes by the 32-bit number of `write`, which is `stat` in the 64-bit table.

use std::io;

use super::compat::{WRITE, int80, low};
use crate::attack::Attack;
use crate::attacks::proof;

pub(super) const ROW: Attack = Attack {
    id: "X1",
    name: "int80-write",
    what: "makes calls by 32-bit numbers that a filter of 64-bit numbers takes for others",
    prepare: proof::demanded,
    attack,
    ..Attack::ROW
};

fn attack(args: &[String]) -> io::Result<()> {
    let proof = proof::of(proof::arg(args, 0)?);
    let page = low(&proof)?;
    int80(WRITE, 1, page.low_address()?, proof.len() as u32).map(|_| ())
}
