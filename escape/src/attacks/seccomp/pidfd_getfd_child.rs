//! S5: takes a descriptor out of its own child, which shows that the call works inside.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, nap, sys};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S5",
    name: "pidfd-getfd-child",
    what: "uses pidfd_getfd at all",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let pid = child(|| {
        nap(500);
        Ok(())
    })?;
    let pidfd = sys!(SYS_pidfd_open, pid, 0)?;
    sys!(SYS_pidfd_getfd, pidfd, 1, 0)?;
    proof::show(args, 0)
}
