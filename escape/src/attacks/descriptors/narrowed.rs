//! D: a descriptor for both is handed over for one and used for the other.

use std::fs::OpenOptions;
use std::io;

use super::passed;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Page, sys};
use crate::attacks::{proof, target};
use crate::files;
use crate::stage::Stage;

const ROW: Attack = Attack { id: "D3", prepare: read_half, may_refuse: true, ..Attack::ROW };

pub(super) const WRITE: Attack = Attack {
    name: "write-of-narrowed",
    what: "writes through a descriptor that was opened for both and handed over for reading",
    attack: |args| {
        let fd: i32 = proof::number(args, 0)?;
        sys!(SYS_pwrite64, fd, c"changed", 7, 0).map(drop)
    },
    ..ROW
};

pub(super) const MAP: Attack = Attack {
    name: "map-of-narrowed",
    what: "changes a file through memory that maps a descriptor handed over for reading",
    attack: |args| {
        let fd = proof::number(args, 0)?;
        let page = Page::of(4096, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0)?;
        page.put(0, b"changed");
        sys!(SYS_msync, page.address(), 4096, libc::MS_SYNC).map(drop)
    },
    ..ROW
};

pub(super) const READ: Attack = Attack {
    name: "read-of-narrowed",
    what: "reads through a descriptor that was opened for both and handed over for writing",
    prepare: |stage| {
        let (path, judge) = stage.secret("log")?;
        passed::file(stage, &path, OpenOptions::new().read(true).write(true), "write")?;
        Ok(judge)
    },
    attack: |args| target::print_all(proof::number(args, 0)?),
    ..ROW
};

fn read_half(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host_file("bait", "content that must stay\n")?;
    passed::file(stage, &path, OpenOptions::new().read(true).write(true), "read")?;
    files::untouched(&path)
}
