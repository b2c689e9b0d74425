use std::io;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C2",
    name: "dirfd-openat",
    what: "opens a host file below a folder descriptor inherited from before the box",
    prepare,
    attack,
    control: Control::Chroot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    let host = stage.host.clone();
    let fd = stage.inherit_open(&host)?;
    stage.arg(fd);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(raw::number(args, 0)?, "secret", libc::O_RDONLY)?)
}
