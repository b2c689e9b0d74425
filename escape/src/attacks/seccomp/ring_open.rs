//! S6: opens and reads a file outside without an open call.

use std::io;

use super::ring::{OPENAT, READ, Ring};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Word, say};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S6",
    name: "io-uring-open",
    what: "opens a hidden file through io_uring",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("ring-secret")?;
    stage.path_arg(&path);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let path = proof::path(args, 0)?;
    let mut ring = Ring::new()?;
    let fd = ring.run(OPENAT, libc::AT_FDCWD, path.as_ptr().word(), 0, 0)?;
    let mut bytes = [0u8; 64];
    ring.run(READ, fd, bytes.as_mut_ptr().word(), 64, 0)?;
    say(&String::from_utf8_lossy(&bytes))
}
