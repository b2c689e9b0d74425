//! B10: gets a writable handle of a running program, the launcher's among them.

use std::ffi::{CStr, CString};
use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::{small, sys};
use crate::attacks::{proof, target};

pub(super) const ROW: Attack = Attack {
    id: "B10",
    name: "exe-of-the-launcher",
    what: "may write the launcher's program file, or its own, through /proc/PID/exe once it is no longer running",
    prepare: target::with_proof,
    attack,
    ..Attack::ROW
};

/// The file would have been opened for writing but for the program that runs from it.
const BUSY: i32 = libc::ETXTBSY;

fn attack(args: &[String]) -> io::Result<()> {
    let mut pids = target::reach(args)?;
    pids.push(small(sys!(SYS_getpid)?)?);
    target::first(&pids, |pid| {
        let exe = format!("/proc/{pid}/exe");
        writable(&exe).or_else(|_| {
            let fd = sys!(SYS_openat, libc::AT_FDCWD, &CString::new(exe)?, libc::O_PATH)?;
            writable(&format!("/proc/self/fd/{fd}"))
        })
    })?;
    proof::show(args, 1)
}

fn writable(path: &str) -> io::Result<()> {
    let path = CString::new(path)?;
    match sys!(SYS_openat, libc::AT_FDCWD, &path, libc::O_WRONLY) {
        Err(error) if error.raw_os_error() != Some(BUSY) || read_only(&path) => Err(error),
        _ => Ok(()),
    }
}

/// The kernel says "busy" before it looks whether the mount is read-only.
fn read_only(path: &CStr) -> bool {
    let mut words = [0u64; 15];
    let asked = sys!(SYS_statfs, path, &mut words);
    asked.is_ok() && words[FLAGS] & libc::ST_RDONLY != 0
}

/// Word of the mount flags in `struct statfs`.
const FLAGS: usize = 10;
