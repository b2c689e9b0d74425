//! What `chroot` and friends leave open: folders held from before, and climbing.

mod climb;
mod cwd_walk;
mod dirfd_chroot;
mod dirfd_exec;
mod dirfd_openat;
mod opath_after_pivot;

use std::io;

use crate::attack::{Family, Judge};
use crate::stage::Stage;

pub(super) const FAMILY: Family = Family {
    title: "C1-C6: a root folder is not a wall",
    rows: &[
        cwd_walk::ROW,
        dirfd_openat::ROW,
        dirfd_exec::ROW,
        dirfd_chroot::ROW,
        climb::ROW,
        opath_after_pivot::ROW,
    ],
};

/// A secret in the host's folder, and the folder itself, open since before the box.
fn inherited_folder(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    let host = stage.host.clone();
    let fd = stage.inherit_open(&host)?;
    stage.arg(fd);
    Ok(judge)
}
