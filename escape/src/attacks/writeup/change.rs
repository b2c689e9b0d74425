//! I1: changes a file that is granted for reading, by each call that could.

use std::ffi::CStr;
use std::io;
use std::path::PathBuf;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{small, sys};
use crate::attacks::{proof, raw, raw::c};
use crate::files;
use crate::needs;
use crate::stage::Stage;

const HERE: i32 = libc::AT_FDCWD;
const WRITE: i32 = libc::O_WRONLY;
/// Number of `file_setattr`.
const FILE_SETATTR: i64 = 469;

const ROW: Attack =
    Attack { id: "I1", what: "changes a host file that it may only read", prepare, ..Attack::ROW };

/// One row: the file's path and its folder's are the arguments of the call.
macro_rules! change {
    ($row:ident, $name:literal, |$path:ident| $call:expr) => {
        pub(super) const $row: Attack = Attack {
            name: $name,
            attack: |args| {
                let path = proof::path(args, 0)?;
                let $path = path.as_c_str();
                $call
            },
            ..ROW
        };
    };
}

change!(OPEN, "readable-open-write", |path| overwrite(path, libc::O_RDWR));
change!(TRUNCATE_ON_OPEN, "readable-open-truncate", |path| overwrite(path, WRITE | libc::O_TRUNC));
change!(TRUNCATE, "readable-truncate", |path| sys!(SYS_truncate, path, 0).map(drop));
change!(CREAT, "readable-creat", |path| sys!(SYS_creat, path, 0o644).map(drop));
change!(UNLINK, "readable-unlink", |path| sys!(SYS_unlink, path).map(drop));
change!(CHMOD, "readable-chmod", |path| sys!(SYS_chmod, path, 0o666).map(drop));
change!(TIMES, "readable-utimensat", |path| sys!(SYS_utimensat, HERE, path, &[1u64, 0, 1, 0], 0).map(drop));
change!(OLD_TIMES, "readable-utimes", |path| {
    let utimes = sys!(SYS_utimes, path, &[1u64, 0, 1, 0]).or_else(|_| sys!(SYS_utime, path, &[1u64, 1]));
    utimes.or_else(|_| sys!(SYS_futimesat, HERE, path, &[1u64, 0, 1, 0])).map(drop)
});
change!(ATTRIBUTE, "readable-setxattr", |path| {
    let set = sys!(SYS_setxattr, path, c"user.escape", c"x", 1, 0);
    set.or_else(|_| sys!(SYS_lsetxattr, path, c"user.escape", c"x", 1, 0)).map(drop)
});
change!(PATH_ONLY, "readable-by-path-descriptor", |path| {
    let fd = sys!(SYS_openat, HERE, path, libc::O_PATH)?;
    overwrite(&c(&format!("/proc/self/fd/{fd}")), WRITE)
});
change!(SYMLINK, "readable-by-symlink", |path| {
    sys!(SYS_symlink, path, c"points-up")?;
    overwrite(c"points-up", WRITE)
});
change!(HARD_LINK, "readable-by-hard-link", |path| {
    sys!(SYS_linkat, HERE, path, HERE, c"linked-up", 0)?;
    overwrite(c"linked-up", WRITE)
});
change!(ROOT_LINK, "readable-by-root-link", |path| {
    overwrite(&c(&format!("/proc/self/root{}", path.to_string_lossy())), WRITE)
});
change!(OPENAT2, "readable-openat2", |path| {
    let fd = sys!(SYS_openat2, HERE, path, &[WRITE as u64, 0, 0], 24)?;
    sys!(SYS_write, fd, c"changed", 7).map(drop)
});
change!(RENAME_AWAY, "readable-rename-away", |path| sys!(SYS_rename, path, c"taken").map(drop));
change!(RENAME_OVER, "readable-rename-over", |path| {
    drop(raw::openat(HERE, "replacement", libc::O_CREAT | WRITE)?);
    sys!(SYS_renameat2, HERE, c"replacement", HERE, path, 0).map(drop)
});
change!(EXCHANGE, "readable-exchange", |path| {
    drop(raw::openat(HERE, "replacement", libc::O_CREAT | WRITE)?);
    sys!(SYS_renameat2, HERE, c"replacement", HERE, path, libc::RENAME_EXCHANGE).map(drop)
});

pub(super) const CHOWN: Attack = Attack {
    name: "readable-chown",
    attack: |args| {
        let path = proof::path(args, 0)?;
        sys!(SYS_chown, &path, 1, 1).or_else(|_| sys!(SYS_fchownat, HERE, &path, 1, 1, 0)).map(drop)
    },
    needs: &[&needs::ROOT],
    ..ROW
};

pub(super) const FILE_ATTRIBUTES: Attack = Attack {
    id: "X6",
    name: "readable-file-setattr",
    what: "changes the flags of a host file that it may only read, by a call newer than most filters",
    prepare: |stage| {
        let path = bait(stage)?;
        stage.path_arg(&path);
        Ok(Box::new(move |_| {
            let changed = flags(&c(&path.to_string_lossy()))? & NODUMP != 0;
            Ok(crate::outcome::Judgement::escaped_if(changed, "the flags of a host file changed"))
        }))
    },
    attack: |args| {
        let words = [NODUMP, 0, 0];
        let path = proof::path(args, 0)?;
        raw::call(
            FILE_SETATTR,
            &[raw::Word::word(HERE), raw::Word::word(&path), raw::Word::word(&words), 24, 0],
        )
        .map(drop)
    },
    needs: &[&SETATTR],
    ..ROW
};

/// Extended flag "no dump".
const NODUMP: u64 = 0x80;
const SETATTR: needs::Need = needs::Need { name: "file_setattr", found: || flags(c"/var/tmp").is_ok() };

fn flags(path: &CStr) -> io::Result<u64> {
    let mut words = [0u64; 3];
    let args = [raw::Word::word(HERE), raw::Word::word(path), raw::Word::word(&mut words), 24, 0];
    raw::call(FILE_SETATTR - 1, &args)?;
    Ok(words[0])
}

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = bait(stage)?;
    stage.path_arg(&path);
    files::untouched(&path)
}

/// A file beside the attack program, where every box may read.
fn bait(stage: &Stage) -> io::Result<PathBuf> {
    let path = super::granted::folder(stage)?.join("bait");
    std::fs::write(&path, "content that must stay\n")?;
    Ok(path)
}

fn overwrite(path: &CStr, flags: i32) -> io::Result<()> {
    let fd = small(sys!(SYS_openat, HERE, path, flags)?)?;
    sys!(SYS_write, fd, c"changed", 7).map(drop)
}
