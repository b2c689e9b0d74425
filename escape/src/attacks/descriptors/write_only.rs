//! P3, D3: a log that may only be added to is overwritten, emptied or read.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use super::passed;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{small, sys};
use crate::attacks::{proof, raw::c, target};
use crate::outcome::Judgement;
use crate::stage::Stage;

const BEGINNING: &str = "lines that were there before\n";

const ROW: Attack = Attack { id: "P3", prepare, ..Attack::ROW };

pub(super) const APPEND: Attack = Attack {
    name: "append-flag-cleared",
    what: "overwrites the beginning of a log that it may only add to",
    attack: |args| {
        let fd: i32 = proof::number(args, 0)?;
        sys!(SYS_fcntl, fd, libc::F_SETFL, 0)?;
        sys!(SYS_pwrite64, fd, c"changed", 7, 0).map(drop)
    },
    ..ROW
};

pub(super) const TRUNCATE: Attack = Attack {
    name: "append-only-truncated",
    what: "empties a log that it may only add to",
    attack: |args| {
        let fd: i32 = proof::number(args, 0)?;
        sys!(SYS_ftruncate, fd, 0).map(drop)
    },
    ..ROW
};

pub(super) const REOPEN: Attack = Attack {
    id: "D3",
    name: "reopen-for-reading",
    what: "reads a log that was handed over for writing only",
    prepare: |stage| {
        let (path, judge) = stage.secret("log")?;
        passed::file(stage, &path, OpenOptions::new().append(true), "write")?;
        Ok(judge)
    },
    attack: |args| {
        let path = c(&format!("/proc/self/fd/{}", proof::number::<i32>(args, 0)?));
        let fd = small(sys!(SYS_openat, libc::AT_FDCWD, &path, libc::O_RDONLY)?)?;
        target::print_all(fd as usize)
    },
    ..ROW
};

pub(super) const STANDARD: Attack = Attack {
    name: "append-standard-output",
    what: "overwrites and empties a log to which the shell appends its standard output",
    prepare: |stage| {
        let path = stage.host_file("log", BEGINNING)?;
        let log = path.display();
        // Then the runner sees what was said.
        let script = format!("\"$@\" >> '{log}' 2>&1; cat '{log}'");
        stage.through = ["/bin/sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
        Ok(Box::new(move |_| Ok(Judgement::escaped_if(!begins(&path)?, "earlier lines of a log are gone"))))
    },
    attack: |_| {
        for fd in [1, 2] {
            drop(sys!(SYS_fcntl, fd, libc::F_SETFL, 0));
            drop(sys!(SYS_pwrite64, fd, c"changed", 7, 0));
            drop(sys!(SYS_ftruncate, fd, 0));
        }
        Ok(())
    },
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host_file("log", BEGINNING)?;
    passed::file(stage, &path, OpenOptions::new().append(true), "write")?;
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(!begins(&path)?, "earlier lines of a log are gone"))))
}

fn begins(path: &Path) -> io::Result<bool> {
    Ok(std::fs::read_to_string(path)?.starts_with(BEGINNING))
}
