use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags};

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::{canary, files};

/// One kind of descriptor of the host that the box may inherit; its number is the first argument.
macro_rules! inherited {
    ($name:literal, $what:literal, $prepare:expr, $attack:expr) => {
        Attack {
            id: "E2",
            name: $name,
            what: $what,
            prepare: $prepare,
            attack: |args| $attack(raw::number(args, 0)?),
            ..Attack::ROW
        }
    };
}
pub(super) use inherited;

pub(super) const READ: Attack =
    inherited!("inherited-file", "reads a file that the caller happened to have open", opened, read);
pub(super) const DELETED: Attack = inherited!(
    "inherited-deleted-file",
    "reads a file that the caller had open and has deleted since",
    |stage| {
        let judge = opened(stage)?;
        fs::remove_file(stage.host.join("secret"))?;
        Ok(judge)
    },
    read
);
pub(super) const WRITE: Attack = inherited!(
    "inherited-writable-file",
    "overwrites a file that the caller happened to have open for writing",
    |stage| writable(stage, OpenOptions::new().write(true)),
    write
);
pub(super) const APPEND: Attack = inherited!(
    "inherited-log-file",
    "adds lines to a log that the caller happened to have open",
    |stage| writable(stage, OpenOptions::new().append(true)),
    write
);
pub(super) const FOLDER: Attack = inherited!(
    "inherited-folder",
    "lists a hidden folder that the caller happened to have open",
    |stage| {
        let canary = canary::fresh()?;
        stage.host_file(&canary, "")?;
        let host = stage.host.clone();
        let fd = stage.inherit_open(&host)?;
        stage.arg(fd);
        Ok(files::not_printed(canary))
    },
    |fd: i32| {
        let mut block = [0u8; 4096];
        let got = sys!(SYS_getdents64, fd, block.as_mut_ptr(), block.len())?;
        raw::print(block.get(..got).unwrap_or_default())
    }
);
pub(super) const OPATH: Attack = inherited!(
    "inherited-opath-file",
    "re-opens a file of which the caller held only an O_PATH descriptor",
    |stage| {
        let (path, judge) = stage.secret("secret")?;
        let fd = stage.inherit(rustix::fs::open(path, OFlags::PATH, Mode::empty())?)?;
        stage.arg(fd);
        Ok(judge)
    },
    |fd: i32| raw::show(raw::openat(libc::AT_FDCWD, &format!("/proc/self/fd/{fd}"), libc::O_RDONLY)?)
);
pub(super) const HIGH: Attack = inherited!(
    "inherited-high-number",
    "reads a file that the caller has open at a number far above the others",
    |stage| {
        let (path, judge) = stage.secret("secret")?;
        let fd = rustix::io::fcntl_dupfd_cloexec(File::open(path)?, 900)?;
        let fd = stage.inherit(fd)?;
        stage.arg(fd);
        Ok(judge)
    },
    read
);
pub(super) const MANY: Attack = inherited!(
    "inherited-forty",
    "finds one readable descriptor among forty inherited ones",
    |stage| {
        let mut judges = Vec::new();
        for index in 0..40 {
            let (path, judge) = stage.secret(&format!("secret{index}"))?;
            stage.inherit_open(&path)?;
            judges.push(judge);
        }
        stage.arg(1024);
        Ok(files::any(judges))
    },
    |limit: i32| {
        // Numbers that are not open only fail.
        (3..limit).for_each(|fd| drop(read(fd)));
        Ok(())
    }
);
pub(super) const MEMFD: Attack = inherited!(
    "inherited-memory",
    "changes anonymous memory that the caller shares with another program",
    |stage| {
        let memory = rustix::fs::memfd_create("shared", MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&memory, 64)?;
        let own = memory.try_clone()?;
        let fd = stage.inherit(memory)?;
        stage.arg(fd);
        Ok(Box::new(move |_| {
            let mut content = [0u8; 64];
            rustix::io::pread(&own, &mut content, 0)?;
            Ok(Judgement::escaped_if(content != [0u8; 64], "shared memory changed"))
        }))
    },
    |fd: i32| sys!(SYS_pwrite64, fd, b"loot".as_slice(), 4, 0).map(drop)
);
pub(super) const LOCK: Attack = inherited!(
    "inherited-lock",
    "gives up a lock that the caller holds on a file",
    |stage| {
        let path = stage.host_file("lock", "")?;
        let held = File::open(&path)?;
        rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive)?;
        let fd = stage.inherit(held)?;
        stage.arg(fd);
        Ok(Box::new(move |_| {
            let free =
                rustix::fs::flock(File::open(&path)?, FlockOperation::NonBlockingLockExclusive).is_ok();
            Ok(Judgement::escaped_if(free, "the caller's lock is gone"))
        }))
    },
    |fd: i32| sys!(SYS_flock, fd, libc::LOCK_UN).map(drop)
);

/// A hidden file, open and inherited.
pub(in crate::attacks) fn opened(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    let fd = stage.inherit_open(&path)?;
    stage.arg(fd);
    Ok(judge)
}

fn writable(stage: &mut Stage, options: &OpenOptions) -> io::Result<Judge> {
    let path = stage.host_file("log", "first line\n")?;
    let fd: OwnedFd = options.open(&path)?.into();
    let fd = stage.inherit(fd)?;
    stage.arg(fd);
    files::untouched(&path)
}

/// Reads from the start where that is possible, otherwise what comes.
pub(in crate::attacks) fn read(fd: i32) -> io::Result<()> {
    let mut block = [0u8; 4096];
    let at_start = sys!(SYS_pread64, fd, block.as_mut_ptr(), block.len(), 0);
    let got = at_start.or_else(|_| sys!(SYS_read, fd, block.as_mut_ptr(), block.len()))?;
    raw::print(block.get(..got).unwrap_or_default())
}

pub(super) fn write(fd: i32) -> io::Result<()> {
    sys!(SYS_write, fd, b"loot".as_slice(), 4).map(drop)
}
