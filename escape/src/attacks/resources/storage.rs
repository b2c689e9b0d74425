//! R3: more storage than allowed.

use std::io;

use super::measure::{self, MIB};
use super::memory::{fill, hold};
use crate::attack::Attack;
use crate::attacks::kernel::{small, sys};
use crate::attacks::proof;
use crate::outcome::Judgement;

const ROW: Attack = Attack { id: "R3", ..Attack::ROW };
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
