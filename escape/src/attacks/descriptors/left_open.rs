//! D5: finds descriptors of the launcher itself.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "D5",
    name: "left-open",
    what: "finds a descriptor that the launcher forgot to close, at any number",
    prepare,
    attack,
    ..Attack::ROW
};

/// One more than the highest number tried.
const NUMBERS: i32 = 4096;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let host = stage.host.clone();
    stage.inherit_open(&host)?;
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    match (3..NUMBERS).find(|fd| sys!(SYS_fcntl, *fd, libc::F_GETFD).is_ok()) {
        Some(_) => proof::show(args, 0),
        None => Err(io::Error::other("none")),
    }
}
