//! What `chroot` and friends leave open: folders held from before, and climbing.

mod climb;
mod cwd_walk;
mod dirfd_chroot;
mod dirfd_exec;
mod dirfd_openat;
mod opath_after_pivot;

use crate::attack::Family;

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
