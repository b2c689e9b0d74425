//! X7: names the current folder by a number that only the kernel shortens.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::{proof, target};
use crate::stage::Stage;

const HERE: u64 = 0xffff_ff9c;
const HIGH: u64 = 0x7777_0000_0000;

const ROW: Attack = Attack {
    id: "X7",
    what: "opens a hidden file with an AT_FDCWD that does not look like one",
    prepare,
    ..Attack::ROW
};

pub(super) const DIRTY: Attack =
    Attack { name: "fdcwd-high-word", attack: |args| open(args, HIGH | HERE), ..ROW };
pub(super) const SHORT: Attack =
    Attack { name: "fdcwd-not-extended", attack: |args| open(args, HERE), ..ROW };

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    stage.path_arg(&path);
    Ok(judge)
}

fn open(args: &[String], folder: u64) -> io::Result<()> {
    target::print_all(sys!(SYS_openat, folder, &proof::path(args, 0)?, libc::O_RDONLY)?)
}
