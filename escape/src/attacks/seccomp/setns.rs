//! S9: enters the namespaces of a process outside.

use std::io;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::{proof, target};
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S9",
    name: "setns",
    what: "enters the mount namespace of a host process, or of the box's own first process, and reads a hidden file",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    target::start(stage)?;
    let (path, judge) = stage.secret("setns-secret")?;
    stage.path_arg(&path);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let secret = proof::arg(args, 1)?;
    target::first(&target::reach(args)?, |pid| {
        let pidfd = sys!(SYS_pidfd_open, pid, 0)?;
        sys!(SYS_setns, pidfd, libc::CLONE_NEWNS)?;
        target::print_file(Path::new(secret))
    })
}
