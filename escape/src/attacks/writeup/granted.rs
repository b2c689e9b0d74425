//! I1: leaves something in a folder that is granted for reading, or holds up its owner.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::attack::{Attack, Judge};
use crate::attacks::descriptors::{leased, locked};
use crate::attacks::kernel::{nap, sys};
use crate::attacks::{proof, raw::c};
use crate::files;
use crate::stage::Stage;

const HERE: i32 = libc::AT_FDCWD;

const ROW: Attack = Attack {
    id: "I1",
    what: "leaves something in a host folder that it may only read",
    prepare: nothing_new,
    ..Attack::ROW
};

pub(super) const MKDIR: Attack =
    Attack { name: "readable-mkdir", attack: |args| sys!(SYS_mkdir, &new(args)?, 0o755).map(drop), ..ROW };

pub(super) const CREATE: Attack = Attack {
    name: "readable-create",
    attack: |args| sys!(SYS_openat, HERE, &new(args)?, libc::O_CREAT | libc::O_EXCL, 0o644).map(drop),
    ..ROW
};

pub(super) const SYMLINK: Attack = Attack {
    name: "readable-symlink",
    attack: |args| sys!(SYS_symlink, c"/etc/passwd", &new(args)?).map(drop),
    ..ROW
};

pub(super) const FIFO: Attack = Attack {
    name: "readable-fifo",
    attack: |args| sys!(SYS_mknod, &new(args)?, libc::S_IFIFO | 0o644, 0).map(drop),
    ..ROW
};

pub(super) const SOCKET: Attack = Attack {
    name: "readable-socket",
    attack: |args| {
        std::env::set_current_dir(Path::new(proof::arg(args, 0)?))?;
        UnixListener::bind("new").map(drop)
    },
    ..ROW
};

pub(super) const TMPFILE: Attack = Attack {
    name: "readable-tmpfile",
    attack: |args| {
        let fd = sys!(SYS_openat, HERE, &proof::path(args, 0)?, libc::O_TMPFILE | libc::O_RDWR, 0o600)?;
        let from = c(&format!("/proc/self/fd/{fd}"));
        sys!(SYS_linkat, HERE, &from, HERE, &new(args)?, libc::AT_SYMLINK_FOLLOW).map(drop)
    },
    ..ROW
};

pub(super) const LINK_INTO: Attack = Attack {
    name: "readable-link-into",
    attack: |args| {
        std::fs::write("own", "from below\n")?;
        sys!(SYS_link, c"own", &new(args)?).map(drop)
    },
    ..ROW
};

pub(super) const LOCK: Attack = Attack {
    name: "readable-flock",
    what: "locks a host file that it may only read, so that its owner waits",
    prepare: |stage| {
        let path = file(stage)?;
        Ok(locked(stage, &path))
    },
    attack: |args| {
        let fd = sys!(SYS_openat, HERE, &proof::path(args, 0)?, libc::O_RDONLY)?;
        sys!(SYS_flock, fd, libc::LOCK_EX | libc::LOCK_NB)?;
        nap(200);
        Ok(())
    },
    ..ROW
};

pub(super) const LEASE: Attack = Attack {
    name: "readable-lease",
    what: "takes a lease on a host file that it may only read, so that its owner waits",
    prepare: |stage| {
        let path = file(stage)?;
        Ok(leased(stage, &path))
    },
    attack: |args| {
        let fd = sys!(SYS_openat, HERE, &proof::path(args, 0)?, libc::O_RDONLY)?;
        // The kernel looks at the low half of the command only.
        sys!(SYS_fcntl, fd, libc::F_SETLEASE, libc::F_RDLCK)
            .or_else(|_| sys!(SYS_fcntl, fd, 1u64 << 32 | libc::F_SETLEASE as u64, libc::F_RDLCK))?;
        nap(200);
        Ok(())
    },
    ..ROW
};

/// A fresh folder beside the attack program, where every box may read.
pub(super) fn folder(stage: &Stage) -> io::Result<PathBuf> {
    let path = stage.bin.join("readable");
    // The folder of the run before is still there.
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir(&path)?;
    Ok(path)
}

fn file(stage: &mut Stage) -> io::Result<PathBuf> {
    let path = folder(stage)?.join("file");
    std::fs::write(&path, "content\n")?;
    stage.path_arg(&path);
    Ok(path)
}

fn nothing_new(stage: &mut Stage) -> io::Result<Judge> {
    let path = folder(stage)?;
    stage.path_arg(&path);
    Ok(files::absent(path.join("new")))
}

/// The name that must not appear.
fn new(args: &[String]) -> io::Result<std::ffi::CString> {
    Ok(c(&format!("{}/new", proof::arg(args, 0)?)))
}
