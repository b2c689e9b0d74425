//! S11: asks for the handle of a file.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S11",
    name: "name-to-handle",
    what: "learns file system handles, the first half of opening files without paths",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let mut handle = [0u8; 136];
    handle[0] = 128;
    let mut mount = 0i32;
    sys!(SYS_name_to_handle_at, libc::AT_FDCWD, c".", &mut handle, &mut mount, 0)?;
    proof::show(args, 0)
}
