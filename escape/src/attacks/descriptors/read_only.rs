//! D1-D3, D5, P2: a descriptor for reading is used to change the file.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::RecvFlags;

use super::passed;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{nap, sys};
use crate::attacks::{proof, raw, raw::c, reached};
use crate::files;
use crate::needs;
use crate::outcome::Judgement;
use crate::stage::Stage;

const ROW: Attack =
    Attack { id: "D3", what: "changes a file that was handed over for reading only", prepare, ..Attack::ROW };

const HERE: i32 = libc::AT_FDCWD;
const WRITE: i32 = libc::O_WRONLY;

pub(super) const REOPEN: Attack = Attack {
    name: "reopen-for-writing",
    attack: |args| overwrite(&format!("/proc/self/fd/{}", fd(args)?), WRITE),
    ..ROW
};

pub(super) const REOPEN_TRUNCATE: Attack = Attack {
    name: "reopen-and-truncate",
    attack: |args| overwrite(&format!("/dev/fd/{}", fd(args)?), WRITE | libc::O_TRUNC),
    ..ROW
};

pub(super) const REOPEN_BY_TASK: Attack = Attack {
    name: "reopen-by-thread",
    attack: |args| overwrite(&format!("/proc/thread-self/fd/{}", fd(args)?), libc::O_RDWR | libc::O_APPEND),
    ..ROW
};

pub(super) const REOPEN_STANDARD: Attack = Attack {
    name: "reopen-standard-input",
    what: "changes the file that the shell gave it as standard input, where the broker opens what has a number",
    prepare: |stage| {
        let path = stage.host_file("bait", "content that must stay\n")?;
        let script = format!("\"$@\" < '{}'", path.display());
        stage.through = ["/bin/sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
        stage.belljar_flags(&["--trace"]);
        files::untouched(&path)
    },
    attack: |_| {
        let ways = ["/dev/stdin", "/proc/self/fd/0", "/dev/fd/0", "/proc/thread-self/fd/0"];
        let flags = [WRITE, WRITE | libc::O_TRUNC, libc::O_RDWR, libc::O_RDONLY | libc::O_TRUNC];
        let tries = ways.into_iter().flat_map(|way| flags.map(|flags| overwrite(way, flags)));
        // A refusal of one says nothing about the others.
        let done = tries.filter(Result::is_ok).count();
        if done > 0 { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    },
    ..ROW
};

pub(super) const FCHMOD: Attack = Attack {
    id: "P2",
    name: "fchmod-of-read-only",
    attack: |args| sys!(SYS_fchmod, fd(args)?, 0o666).map(drop),
    ..ROW
};

pub(super) const FCHMODAT2: Attack = Attack {
    id: "P2",
    name: "fchmodat2-of-read-only",
    attack: |args| sys!(SYS_fchmodat2, fd(args)?, c"", 0o666, libc::AT_EMPTY_PATH).map(drop),
    ..ROW
};

pub(super) const FCHOWN: Attack = Attack {
    id: "P2",
    name: "fchown-of-read-only",
    attack: |args| sys!(SYS_fchown, fd(args)?, 1, 1).map(drop),
    needs: &[&needs::ROOT],
    ..ROW
};

pub(super) const TIMES: Attack = Attack {
    id: "P2",
    name: "futimens-of-read-only",
    attack: |args| sys!(SYS_utimensat, fd(args)?, 0, &[1u64, 0, 1, 0], 0).map(drop),
    ..ROW
};

pub(super) const ATTRIBUTE: Attack = Attack {
    id: "P2",
    name: "fsetxattr-of-read-only",
    attack: |args| sys!(SYS_fsetxattr, fd(args)?, c"user.escape", c"x", 1, 0).map(drop),
    ..ROW
};

pub(super) const LINK: Attack = Attack {
    id: "I1",
    name: "link-of-read-only",
    attack: |args| {
        let from = c(&format!("/proc/self/fd/{}", fd(args)?));
        sys!(SYS_linkat, HERE, &from, HERE, c"second-name", libc::AT_SYMLINK_FOLLOW)?;
        overwrite("second-name", WRITE)
    },
    ..ROW
};

pub(super) const LINK_EMPTY: Attack = Attack {
    id: "I1",
    name: "link-of-read-only-by-number",
    attack: |args| {
        // An ordinary user may link by number only what it has opened itself.
        let own = sys!(SYS_openat, HERE, &c(&format!("/proc/self/fd/{}", fd(args)?)), libc::O_RDONLY)?;
        sys!(SYS_linkat, own, c"", HERE, c"third-name", libc::AT_EMPTY_PATH)?;
        overwrite("third-name", WRITE)
    },
    ..ROW
};

pub(super) const DUP: Attack = Attack {
    id: "D1",
    name: "dup-to-odd-number",
    attack: |args| {
        sys!(SYS_dup2, fd(args)?, 777)?;
        let copy = sys!(SYS_fcntl, 777, libc::F_DUPFD, 500)?;
        sys!(SYS_fchmod, copy, 0o666)
            .map(drop)
            .or_else(|_| overwrite(&format!("/proc/self/fd/{copy}"), WRITE))
    },
    ..ROW
};

pub(super) const PASSED_TO_SELF: Attack = Attack {
    id: "D2",
    name: "passed-to-itself",
    attack: |args| {
        let (one, other) = UnixStream::pair()?;
        let file = File::open(format!("/proc/self/fd/{}", fd(args)?))?;
        reached::send_fd(&one, &file)?;
        let copy = reached::receive_fd(&other, RecvFlags::empty())?;
        overwrite(&format!("/proc/self/fd/{}", copy.as_raw_fd()), WRITE)
    },
    ..ROW
};

pub(super) const LOCK: Attack = Attack {
    id: "I1",
    name: "lock-of-read-only",
    what: "locks a file that was handed over for reading, so that its owner waits",
    prepare: |stage| {
        let path = passed::for_reading(stage)?;
        Ok(locked(stage, &path))
    },
    attack: |args| {
        sys!(SYS_flock, fd(args)?, libc::LOCK_EX | libc::LOCK_NB)?;
        nap(200);
        Ok(())
    },
    ..ROW
};

pub(super) const LEASE: Attack = Attack {
    id: "I1",
    name: "lease-of-read-only",
    what: "takes a lease on a file that was handed over for reading, so that its owner waits",
    prepare: |stage| {
        let path = passed::for_reading(stage)?;
        Ok(leased(stage, &path))
    },
    attack: |args| {
        sys!(SYS_fcntl, fd(args)?, libc::F_SETLEASE, libc::F_RDLCK)?;
        nap(200);
        Ok(())
    },
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    files::untouched(&passed::for_reading(stage)?)
}

fn fd(args: &[String]) -> io::Result<i32> {
    proof::number(args, 0)
}

/// Writes something through a fresh descriptor.
pub(super) fn overwrite(path: &str, flags: i32) -> io::Result<()> {
    let file = raw::openat(HERE, path, flags)?;
    sys!(SYS_write, file.as_raw_fd(), c"changed", 7).map(drop)
}

/// Somebody outside must get an exclusive lock at any time.
pub(in crate::attacks) fn locked(stage: &mut Stage, path: &Path) -> Judge {
    watched(stage, path, |path| {
        let file = File::open(path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(())
    })
}

/// Somebody outside must be able to open the file for writing without waiting.
pub(in crate::attacks) fn leased(stage: &mut Stage, path: &Path) -> Judge {
    watched(stage, path, |path| {
        raw::openat(HERE, &path.to_string_lossy(), WRITE | libc::O_NONBLOCK).map(drop)
    })
}

fn watched(stage: &mut Stage, path: &Path, attempt: fn(&Path) -> io::Result<()>) -> Judge {
    let path = path.to_owned();
    let blocked = std::rc::Rc::new(std::cell::Cell::new(false));
    let seen = std::rc::Rc::clone(&blocked);
    stage.watches.push(Box::new(move |_| seen.set(seen.get() || attempt(&path).is_err())));
    Box::new(move |_| Ok(Judgement::escaped_if(blocked.get(), "a program outside has to wait for the box")))
}
