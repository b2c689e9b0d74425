use std::io;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C6",
    name: "opath-after-pivot",
    what: "opens host files below an O_PATH descriptor that outlived `pivot_root` and the detached old root",
    prepare,
    attack,
    control: Control::Pivot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY;
    let fd = rustix::fs::open(&stage.host, flags, rustix::fs::Mode::empty())?;
    let fd = stage.inherit(fd)?;
    stage.arg(fd);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(raw::number(args, 0)?, "secret", libc::O_RDONLY)?)
}
