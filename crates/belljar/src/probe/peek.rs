//! The cheapest looks at the file system: one byte of a switch, one attribute, one link.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags};

/// Up to `N` first bytes of a small file; none if it cannot be read.
pub(super) fn head<const N: usize>(path: &str) -> Option<Vec<u8>> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut bytes = [0_u8; N];
    let read = rustix::io::read(&file, &mut bytes).ok()?;
    bytes.get(..read).map(<[u8]>::to_vec)
}

/// The first character of a kernel switch; none if the switch is absent or empty.
pub(super) fn switch(path: &str) -> Option<u8> {
    head::<16>(path)?.first().copied()
}

/// Whether something is mounted exactly at `path`; none if it cannot be looked at.
pub(super) fn mounted_at(path: &str) -> Option<bool> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let stat = rustix::fs::statx(CWD, path, flags, StatxFlags::empty()).ok()?;
    Some(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// The kernel can say where mounts are (5.8) and nothing is mounted at `path`.
pub(super) fn surely_not_a_mount(path: &str) -> bool {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    rustix::fs::statx(CWD, path, flags, StatxFlags::empty()).is_ok_and(|stat| {
        stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT)
            && !stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
    })
}

/// Target of a symlink; none if `path` is none.
pub(super) fn link(path: &str) -> Option<PathBuf> {
    let target = rustix::fs::readlink(path, Vec::with_capacity(64)).ok()?;
    Some(PathBuf::from(OsString::from_vec(target.into_bytes())))
}
