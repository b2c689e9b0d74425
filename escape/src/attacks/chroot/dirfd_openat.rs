use std::io;

use crate::attack::{Attack, Control};
use crate::attacks::raw;
use crate::needs;

pub(super) const ROW: Attack = Attack {
    id: "C2",
    name: "dirfd-openat",
    what: "opens a host file below a folder descriptor inherited from before the box",
    prepare: super::inherited_folder,
    attack,
    control: Control::Chroot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn attack(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(raw::number(args, 0)?, "secret", libc::O_RDONLY)?)
}
