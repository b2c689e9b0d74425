//! R3: more storage than allowed.

use std::io;

use super::measure::{self, MIB};
use super::memory::{fill, hold};
use crate::attack::Attack;
use crate::attacks::kernel::{small, sys};
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::outcome::Judgement;

const ROW: Attack = Attack { id: "R3", ..Attack::ROW };
const HERE: i32 = libc::AT_FDCWD;
const CREATE: i32 = libc::O_CREAT | libc::O_WRONLY;

pub(super) const TMP: Attack = Attack {
    name: "fill-tmp",
    what: "fills the temporary folder beyond its size, until the host's disk or memory is full",
    prepare: |stage| {
        stage.belljar_flags(&["--tmp", "16M"]);
        Ok(measure::at_most(stage, 32 * MIB, |tree| tree.files, "bytes"))
    },
    attack: |_| {
        let fd = sys!(SYS_openat, libc::AT_FDCWD, c"/tmp", libc::O_TMPFILE | libc::O_RDWR, 0o600)?;
        hold(fill(small(fd)?))
    },
    ..ROW
};

pub(super) const ANYWHERE: Attack = Attack {
    name: "fill-anywhere",
    what: "fills any folder of the box that takes files and was not granted, down to its root",
    prepare: |stage| {
        stage.belljar_flags(&["--tmp", "16M"]);
        Ok(measure::at_most(stage, 48 * MIB, |tree| tree.files, "bytes"))
    },
    attack: |_| {
        let folders =
            ["/", "/dev", "/run", "/var", "/var/tmp", "/home", "/root", "/mnt", "/opt", "/proc", "/etc"];
        let opened: Vec<usize> = folders.iter().filter_map(|path| nameless(path).ok()).collect();
        hold(opened.into_iter().try_for_each(|fd| fill_some(small(fd)?)))
    },
    ..ROW
};

/// An open file without a name in the folder.
fn nameless(path: &str) -> io::Result<usize> {
    let path = c(path);
    sys!(SYS_openat, HERE, &path, libc::O_TMPFILE | libc::O_RDWR, 0o600).or_else(|_| {
        let folder = sys!(SYS_openat, HERE, &path, libc::O_RDONLY)?;
        let file = sys!(SYS_openat, folder, c"filled", CREATE, 0o600)?;
        sys!(SYS_unlinkat, folder, c"filled", 0)?;
        Ok(file)
    })
}

/// Writes 64 MiB or until refused.
fn fill_some(fd: i32) -> io::Result<()> {
    let block = vec![0u8; 1 << 20];
    (0..64).try_for_each(|_| sys!(SYS_write, fd, block.as_ptr(), block.len()).map(drop))
}

pub(super) const TMP_FILES: Attack = Attack {
    name: "fill-tmp-with-names",
    what: "makes so many empty files in the small temporary folder that the kernel's memory for them runs out",
    prepare: |stage| {
        stage.belljar_flags(&["--tmp", "4M"]);
        proof::demanded(stage)
    },
    attack: many_files,
    ..ROW
};

pub(super) const FILE: Attack = Attack {
    name: "file-too-large",
    what: "writes one file larger than allowed into a granted folder",
    prepare: |stage| {
        stage.belljar_flags(&["--fsize", "8M"]);
        let path = stage.work.join("large");
        stage.path_arg(&path);
        Ok(Box::new(move |_| {
            let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
            Ok(Judgement::escaped_if(size > 8 * MIB, "a file on the host is larger than allowed"))
        }))
    },
    attack: |args| {
        // Without this the first write beyond the limit ends the attack.
        sys!(SYS_rt_sigaction, libc::SIGXFSZ, &[libc::SIG_IGN, 0, 0, 0], 0, 8)?;
        let fd = sys!(SYS_openat, libc::AT_FDCWD, &proof::path(args, 0)?, CREATE, 0o600)?;
        let written = fill(small(fd)?);
        let grown = sys!(SYS_fallocate, fd, 0, 0, 64 * MIB).or_else(|_| sys!(SYS_ftruncate, fd, 64 * MIB));
        written.or(grown.map(drop))
    },
    ..ROW
};

/// Far more than 4 MiB of pages.
const NAMES: usize = 20_000;

fn many_files(args: &[String]) -> io::Result<()> {
    let folder = std::path::PathBuf::from(format!("/tmp/{}", proof::arg(args, 0)?));
    std::fs::create_dir(&folder)?;
    let made =
        (0..NAMES).take_while(|name| std::fs::File::create(folder.join(name.to_string())).is_ok()).count();
    std::fs::remove_dir_all(&folder)?;
    if made == NAMES { proof::show(args, 0) } else { Err(io::Error::other(format!("{made} files"))) }
}
