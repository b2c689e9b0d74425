//! S15: leaves programs with set-user-id bits on the host; one row for each call that can set them.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::outcome::Judgement;
use crate::stage::Stage;

const MODE: u32 = 0o4755;
/// The same mode with bits above the sixteenth, which the kernel drops.
const DIRTY_MODE: u64 = 0xffff_0001_0000 | 0o4755;
const CREATE: i32 = libc::O_CREAT | libc::O_WRONLY;
const HERE: i32 = libc::AT_FDCWD;

const ROW: Attack = Attack {
    id: "S15",
    what: "leaves a set-user-id file of the caller in a folder it may write, for others on the host to run",
    prepare,
    ..Attack::ROW
};

pub(super) const CHMOD: Attack = Attack {
    name: "setuid-by-chmod",
    attack: |args| planted(args, |path| sys!(SYS_chmod, path, MODE)),
    ..ROW
};

pub(super) const FCHMOD: Attack = Attack {
    name: "setuid-by-fchmod",
    attack: |args| {
        planted(args, |path| sys!(SYS_fchmod, sys!(SYS_openat, HERE, path, libc::O_WRONLY)?, MODE))
    },
    ..ROW
};

pub(super) const FCHMODAT: Attack = Attack {
    name: "setuid-by-fchmodat",
    attack: |args| planted(args, |path| sys!(SYS_fchmodat, HERE, path, MODE)),
    ..ROW
};

pub(super) const FCHMODAT2: Attack = Attack {
    name: "setuid-by-fchmodat2",
    attack: |args| planted(args, |path| sys!(SYS_fchmodat2, HERE, path, MODE, 0)),
    ..ROW
};

pub(super) const DIRTY: Attack = Attack {
    name: "setuid-by-dirty-mode",
    attack: |args| planted(args, |path| sys!(SYS_fchmodat, HERE, path, DIRTY_MODE)),
    ..ROW
};

pub(super) const OPEN: Attack = Attack {
    name: "setuid-by-open",
    attack: |args| gone(args, |path| sys!(SYS_openat, HERE, path, CREATE, MODE)),
    ..ROW
};

pub(super) const OPENAT2: Attack = Attack {
    name: "setuid-by-openat2",
    attack: |args| gone(args, |path| sys!(SYS_openat2, HERE, path, &[CREATE as u64, u64::from(MODE), 0], 24)),
    ..ROW
};

pub(super) const CREAT: Attack =
    Attack { name: "setuid-by-creat", attack: |args| gone(args, |path| sys!(SYS_creat, path, MODE)), ..ROW };

pub(super) const MKNOD: Attack = Attack {
    name: "setuid-by-mknod",
    attack: |args| gone(args, |path| sys!(SYS_mknodat, HERE, path, libc::S_IFREG | MODE, 0)),
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.work_file("planted", "#!/bin/sh\n")?;
    if rustix::process::geteuid().is_root() {
        // The file must be one that the box's user may change.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
    }
    stage.path_arg(&path);
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(bits(&path), "a set-user-id file is on the host"))))
}

fn planted(args: &[String], way: fn(&CStr) -> io::Result<usize>) -> io::Result<()> {
    way(&proof::path(args, 0)?).map(|_| ())
}

/// Same, for calls that make the file anew.
fn gone(args: &[String], way: fn(&CStr) -> io::Result<usize>) -> io::Result<()> {
    sys!(SYS_unlink, &proof::path(args, 0)?)?;
    planted(args, way)
}

fn bits(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o6000 != 0)
}
