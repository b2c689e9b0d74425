use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::canary;
use crate::files;
use crate::stage::Stage;

/// One fact about a hidden file that a call tells without opening it.
macro_rules! fact {
    ($name:literal, $what:literal, $prepare:expr, $attack:expr) => {
        Attack {
            id: "L4",
            name: $name,
            what: $what,
            prepare: $prepare,
            attack: |args| $attack(raw::text(args, 0)?),
            control: Control::Landlock,
            ..Attack::ROW
        }
    };
}

pub(super) const STAT: Attack =
    fact!("stat-hidden", "learns the size of a hidden file with `stat`", size, |path: &str| {
        raw::print(format!("size {}", fs::metadata(path)?.len()).as_bytes())
    });
pub(super) const STATX: Attack = fact!(
    "statx-empty-path",
    "learns the size of a hidden file with `statx` on an O_PATH descriptor",
    size,
    |path: &str| {
        let file = raw::openat(libc::AT_FDCWD, path, libc::O_PATH)?;
        // SAFETY: all zero is a valid statx.
        let mut facts: libc::statx = unsafe { std::mem::zeroed() };
        sys!(SYS_statx, file.as_raw_fd(), &c(""), libc::AT_EMPTY_PATH, libc::STATX_SIZE, &raw mut facts)?;
        raw::print(format!("size {}", facts.stx_size).as_bytes())
    }
);
pub(super) const READLINK: Attack =
    fact!("readlink-hidden", "reads where a hidden symbolic link points", link, |path: &str| {
        raw::print(fs::read_link(path)?.as_os_str().as_encoded_bytes())
    });
pub(super) const CHDIR: Attack =
    fact!("chdir-hidden", "enters a hidden folder and learns its inode", folder, |path: &str| {
        std::env::set_current_dir(path)?;
        raw::print(format!("inode {}", fs::metadata(".")?.ino()).as_bytes())
    });
pub(super) const GETXATTR: Attack =
    fact!("getxattr-hidden", "reads an extended attribute of a hidden file", attribute, |path: &str| {
        let mut value = [0u8; 64];
        let got = sys!(SYS_getxattr, &c(path), &c("user.note"), value.as_mut_ptr(), value.len())?;
        raw::print(value.get(..got).unwrap_or_default())
    });
pub(super) const OPATH: Attack = fact!(
    "opath-inode",
    "gets an O_PATH descriptor of a hidden file and learns its inode",
    inode,
    |path: &str| {
        let file = File::from(raw::openat(libc::AT_FDCWD, path, libc::O_PATH)?);
        raw::print(format!("inode {}", file.metadata()?.ino()).as_bytes())
    }
);

fn size(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host_file("sparse", "")?;
    let length = u64::from(u32::from_ne_bytes(raw::random_key()?.to_ne_bytes()));
    fs::OpenOptions::new().write(true).open(&path)?.set_len(length)?;
    stage.path_arg(&path);
    Ok(files::not_printed(format!("size {length}")))
}

fn link(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let path = stage.host.join("link");
    symlink(&canary, &path)?;
    stage.path_arg(&path);
    Ok(files::not_printed(canary))
}

fn folder(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host.clone();
    stage.path_arg(&path);
    Ok(files::not_printed(format!("inode {}", fs::metadata(path)?.ino())))
}

fn inode(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host_file("file", "")?;
    stage.path_arg(&path);
    Ok(files::not_printed(format!("inode {}", fs::metadata(path)?.ino())))
}

fn attribute(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let path = stage.host_file("noted", "")?;
    rustix::fs::setxattr(&path, "user.note", canary.as_bytes(), rustix::fs::XattrFlags::CREATE)?;
    stage.path_arg(&path);
    Ok(files::not_printed(canary))
}
