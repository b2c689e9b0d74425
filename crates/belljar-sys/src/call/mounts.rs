//! Mounts.

use core::ffi::CStr;

use linux_raw_sys::general as g;
use syscalls::Sysno;

use super::{CWD, Fd, Result, cstr, fd_of, int, plain, ptr, word};
use crate::abi;

/// `mount(2)`.
///
/// # Errors
/// The kernel's.
pub fn mount(kind: &CStr, to: &CStr, flags: u32, data: &CStr) -> Result<()> {
    plain(Sysno::mount, [cstr(c"belljar"), cstr(to), cstr(kind), word(flags), cstr(data), 0]).map(drop)
}

/// `mount(2)` of one file on another, both taken as they are.
///
/// # Errors
/// The kernel's.
pub fn mount_over(from: &CStr, to: &CStr) -> Result<()> {
    plain(Sysno::mount, [cstr(from), cstr(to), 0, word(g::MS_BIND), 0, 0]).map(drop)
}

/// `open_tree(2)` of a descriptor, cloned with everything below it.
///
/// # Errors
/// The kernel's.
pub fn clone_tree(fd: Fd) -> Result<Fd> {
    let flags = g::OPEN_TREE_CLONE | g::O_CLOEXEC | g::AT_RECURSIVE | g::AT_EMPTY_PATH;
    plain(Sysno::open_tree, [int(fd), cstr(c""), word(flags), 0, 0, 0]).map(fd_of)
}

/// `open_tree(2)` of a path that needs no walk of its own.
///
/// # Errors
/// The kernel's.
pub fn clone_path(path: &CStr) -> Result<Fd> {
    let flags = g::OPEN_TREE_CLONE | g::O_CLOEXEC | g::AT_RECURSIVE | g::AT_SYMLINK_NOFOLLOW;
    plain(Sysno::open_tree, [int(CWD), cstr(path), word(flags), 0, 0, 0]).map(fd_of)
}

/// [`clone_tree`] that sets attributes of the whole clone at once: `open_tree_attr(2)`.
///
/// # Errors
/// `ENOSYS` before Linux 6.15; otherwise the kernel's.
pub fn clone_tree_with(fd: Fd, attr: abi::MountAttr) -> Result<Fd> {
    let flags = g::OPEN_TREE_CLONE | g::O_CLOEXEC | g::AT_RECURSIVE | g::AT_EMPTY_PATH;
    clone_with(fd, c"", flags, &attr)
}

/// The same of a path that needs no walk of its own.
///
/// # Errors
/// As [`clone_tree_with`].
pub fn clone_path_with(path: &CStr, attr: abi::MountAttr) -> Result<Fd> {
    let flags = g::OPEN_TREE_CLONE | g::O_CLOEXEC | g::AT_RECURSIVE | g::AT_SYMLINK_NOFOLLOW;
    clone_with(CWD, path, flags, &attr)
}

fn clone_with(fd: Fd, path: &CStr, flags: u32, attr: &abi::MountAttr) -> Result<Fd> {
    let args = [int(fd), cstr(path), word(flags), ptr(&raw const *attr), size_of::<abi::MountAttr>(), 0];
    plain(Sysno::open_tree_attr, args).map(fd_of)
}

/// `mount_setattr(2)` on a mount and everything below it.
///
/// # Errors
/// The kernel's.
pub fn mount_setattr(fd: Fd, path: &CStr, recursive: bool, attr: abi::MountAttr) -> Result<()> {
    let flags = if recursive { g::AT_EMPTY_PATH | g::AT_RECURSIVE } else { g::AT_EMPTY_PATH };
    let attr_at = ptr(&raw const attr);
    let args = [int(fd), cstr(path), word(flags), attr_at, size_of::<abi::MountAttr>(), 0];
    plain(Sysno::mount_setattr, args).map(drop)
}

/// `move_mount(2)` from a descriptor to a descriptor.
///
/// # Errors
/// The kernel's.
pub fn move_mount(from: Fd, to: Fd) -> Result<()> {
    let flags = g::MOVE_MOUNT_F_EMPTY_PATH | g::MOVE_MOUNT_T_EMPTY_PATH;
    plain(Sysno::move_mount, [int(from), cstr(c""), int(to), cstr(c""), word(flags), 0]).map(drop)
}

/// `move_mount(2)` from a descriptor to a path below the current folder.
///
/// # Errors
/// The kernel's.
pub fn move_mount_to(from: Fd, to: &CStr) -> Result<()> {
    let flags = g::MOVE_MOUNT_F_EMPTY_PATH;
    plain(Sysno::move_mount, [int(from), cstr(c""), int(CWD), cstr(to), word(flags), 0]).map(drop)
}

/// `pivot_root(2)` with the current folder as the new root, and the old one detached.
///
/// # Errors
/// The kernel's.
pub fn pivot_here() -> Result<()> {
    plain(Sysno::pivot_root, [cstr(c"."), cstr(c"."), 0, 0, 0, 0])?;
    // The old root lies over the new one, where the current folder is: a path to unmount goes to the topmost.
    plain(Sysno::umount2, [cstr(c"."), word(g::MNT_DETACH), 0, 0, 0, 0]).map(drop)
}

/// Detaches the mount at a folder below the current one and removes the folder. What is in use of the mount stays.
///
/// # Errors
/// The kernel's.
pub fn detach(path: &CStr) -> Result<()> {
    plain(Sysno::umount2, [cstr(path), word(g::MNT_DETACH | g::UMOUNT_NOFOLLOW), 0, 0, 0, 0])?;
    plain(Sysno::unlinkat, [int(CWD), cstr(path), word(g::AT_REMOVEDIR), 0, 0, 0]).map(drop)
}

/// A detached, empty memory-backed folder of this size and mode.
///
/// # Errors
/// The kernel's.
pub fn fresh_tmpfs(size: &CStr, mode: &CStr) -> Result<Fd> {
    let context = plain(Sysno::fsopen, [cstr(c"tmpfs"), 1, 0, 0, 0, 0]).map(fd_of)?;
    for (key, value) in [(c"size", size), (c"mode", mode)] {
        // FSCONFIG_SET_STRING
        plain(Sysno::fsconfig, [int(context), 1, cstr(key), cstr(value), 0, 0])?;
    }
    // FSCONFIG_CMD_CREATE
    plain(Sysno::fsconfig, [int(context), 6, 0, 0, 0, 0])?;
    // MOUNT_ATTR_NOSUID | NODEV
    plain(Sysno::fsmount, [int(context), 1, 6, 0, 0, 0]).map(fd_of)
}
