//! S9: changes the tree of mounts, one row for each call.

use std::ffi::CStr;
use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::needs;

const ROW: Attack = Attack {
    id: "S9",
    what: "reaches the mount calls of the kernel and changes what lies where",
    prepare: proof::demanded,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

const HERE: i32 = libc::AT_FDCWD;
const NONE: &CStr = c"none";
const FSCONFIG_CREATE: i32 = 6;
const CLONE_TREE: i32 = 1;
const EMPTY_PATH: i32 = libc::AT_EMPTY_PATH;
const MOVE_FROM_EMPTY: i32 = 4;

pub(super) const MOUNT: Attack = Attack {
    name: "mount-tmpfs",
    attack: |args| after(args, || sys!(SYS_mount, NONE, c".", c"tmpfs", 0, 0)),
    ..ROW
};

pub(super) const BIND: Attack = Attack {
    name: "mount-bind",
    attack: |args| after(args, || sys!(SYS_mount, c"/proc", c".", 0, libc::MS_BIND | libc::MS_REC, 0)),
    ..ROW
};

pub(super) const FSMOUNT: Attack =
    Attack { name: "mount-by-fsmount", attack: |args| after(args, fsmount), ..ROW };

pub(super) const MOVE: Attack = Attack {
    name: "mount-by-move-mount",
    attack: |args| after(args, || sys!(SYS_move_mount, fsmount()?, c"", HERE, c".", MOVE_FROM_EMPTY)),
    ..ROW
};

pub(super) const OPEN_TREE: Attack = Attack {
    name: "mount-by-open-tree",
    attack: |args| after(args, || sys!(SYS_open_tree, HERE, c".", CLONE_TREE)),
    ..ROW
};

pub(super) const OPEN_TREE_ATTR: Attack = Attack {
    id: "X6",
    name: "mount-by-open-tree-attr",
    what: "reaches a mount call that is newer than most filters",
    attack: |args| after(args, open_tree_attr),
    ..ROW
};

pub(super) const SETATTR: Attack = Attack {
    name: "mount-by-setattr",
    attack: |args| {
        after(args, || {
            let tree = sys!(SYS_open_tree, HERE, c".", CLONE_TREE)?;
            sys!(SYS_mount_setattr, tree, c"", EMPTY_PATH, &[1u64, 0, 0, 0], 32)
        })
    },
    ..ROW
};

pub(super) const FSPICK: Attack =
    Attack { name: "mount-by-fspick", attack: |args| after(args, fspick), ..ROW };

pub(super) const REMOUNT: Attack = Attack {
    name: "mount-remount",
    attack: |args| {
        after(args, || {
            let here = here()?;
            // A bind mount of its own if it can; else the one the box made.
            drop(sys!(SYS_mount, &here, &here, 0, libc::MS_BIND, 0));
            sys!(SYS_mount, NONE, &here, 0, libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY, 0)
        })
    },
    ..ROW
};

pub(super) const UNMOUNT: Attack = Attack {
    name: "mount-unmount",
    attack: |args| {
        let alone = sys!(SYS_unshare, libc::CLONE_NEWNS);
        if alone.is_err() && crate::attacks::target::started_by()?.is_empty() {
            return alone.map(|_| ());
        }
        drop(sys!(SYS_mount, NONE, c"/", 0, libc::MS_PRIVATE | libc::MS_REC, 0));
        sys!(SYS_umount2, c"/proc", libc::MNT_DETACH)?;
        proof::show(args, 0)
    },
    needs: &[&needs::ROOT],
    ..ROW
};

pub(super) const CHROOT: Attack =
    Attack { name: "mount-chroot", attack: |args| after(args, || sys!(SYS_chroot, c".")), ..ROW };

pub(super) const PIVOT: Attack = Attack {
    name: "mount-pivot-root",
    attack: |args| {
        after(args, || {
            sys!(SYS_mount, NONE, c"/", 0, libc::MS_PRIVATE | libc::MS_REC, 0)?;
            sys!(SYS_mount, c".", c".", 0, libc::MS_BIND, 0)?;
            // The mount lies over the current folder; go into it.
            sys!(SYS_chdir, &here()?)?;
            sys!(SYS_pivot_root, c".", c".")
        })
    },
    ..ROW
};

/// In a user namespace of its own if it gets one, and never in the host's mount namespace as root.
fn after(args: &[String], call: impl Fn() -> io::Result<usize>) -> io::Result<()> {
    let alone = sys!(SYS_unshare, libc::CLONE_NEWUSER | libc::CLONE_NEWNS);
    let boxed = !crate::attacks::target::started_by()?.is_empty();
    if alone.is_err() && !boxed {
        return alone.map(|_| ());
    }
    call()?;
    proof::show(args, 0)
}

fn fsmount() -> io::Result<usize> {
    let context = sys!(SYS_fsopen, c"tmpfs", 0)?;
    sys!(SYS_fsconfig, context, FSCONFIG_CREATE, 0, 0, 0)?;
    sys!(SYS_fsmount, context, 0, 0)
}

fn fspick() -> io::Result<usize> {
    // A file system of its own if it can; else the one the box made.
    drop(sys!(SYS_mount, NONE, c".", c"tmpfs", 0, 0));
    sys!(SYS_fspick, HERE, &here()?, 0)
}

/// The current folder by its path, which leads to whatever was mounted over it.
fn here() -> io::Result<std::ffi::CString> {
    Ok(std::ffi::CString::new(std::env::current_dir()?.to_string_lossy().as_bytes())?)
}

fn open_tree_attr() -> io::Result<usize> {
    const OPEN_TREE_ATTR: i64 = 467;
    let words = [1u64, 0, 0, 0];
    let (path, attributes) = (c"".as_ptr(), words.as_ptr());
    let folder = sys!(SYS_openat, HERE, c".", libc::O_PATH)?;
    let call = [
        folder,
        path.expose_provenance(),
        (CLONE_TREE | EMPTY_PATH) as usize,
        attributes.expose_provenance(),
        32,
    ];
    super::super::raw::call(OPEN_TREE_ATTR, &call)
}
