//! S17: watches every file of the host's file system.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S17",
    name: "fanotify-file-system",
    what: "sees every open on the host's file system from one granted folder",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

const REPORT_FID: i32 = 0x200;
/// `FAN_MARK_ADD | FAN_MARK_FILESYSTEM`.
const WHOLE: i32 = 0x1 | 0x100;
const OPEN: u64 = 0x20;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let group = sys!(SYS_fanotify_init, REPORT_FID, 0)?;
    sys!(SYS_fanotify_mark, group, WHOLE, OPEN, libc::AT_FDCWD, c".")?;
    proof::show(args, 0)
}
