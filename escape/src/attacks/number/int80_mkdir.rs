//! X1: makes a folder by the 32-bit number of `mkdir`, which is `getpid` in the 64-bit table.

use std::io;

use super::compat::{MKDIR, int80, low};
use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "X1",
    name: "int80-mkdir",
    what: "makes a folder by a number that every filter takes for getpid",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.work.join("made-by-32-bits");
    stage.path_arg(&path);
    Ok(files::absent(path))
}

fn attack(args: &[String]) -> io::Result<()> {
    int80(MKDIR, low(proof::arg(args, 0)?)?.low_address()?, 0o755, 0).map(|_| ())
}
