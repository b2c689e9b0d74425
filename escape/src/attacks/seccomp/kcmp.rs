//! S11: compares kernel pointers of two processes.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::{proof, target};

pub(super) const ROW: Attack = Attack {
    id: "S11",
    name: "kcmp",
    what: "learns the order of kernel objects of another process",
    prepare: target::with_proof,
    attack,
    ..Attack::ROW
};

const FILES: i32 = 2;

fn attack(args: &[String]) -> io::Result<()> {
    let me = sys!(SYS_getpid)?;
    let mut pids = target::reach(args)?;
    pids.push(crate::attacks::kernel::small(me)?);
    target::first(&pids, |pid| sys!(SYS_kcmp, me, pid, FILES, 0, 0).map(|_| ()))?;
    proof::show(args, 1)
}
