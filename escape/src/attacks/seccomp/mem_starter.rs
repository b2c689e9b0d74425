//! S4: opens the memory of the process that started it for writing.

use std::ffi::CString;
use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::target;

pub(super) const ROW: Attack = Attack {
    id: "S4",
    name: "proc-mem-starter",
    what: "opens the memory of the box's own first process for writing",
    prepare: target::with_proof,
    attack,
    ..Attack::ROW
};

fn attack(args: &[String]) -> io::Result<()> {
    target::first(&target::reach(args)?, |pid| {
        let path = CString::new(format!("/proc/{pid}/mem"))?;
        sys!(SYS_openat, libc::AT_FDCWD, path.as_c_str(), libc::O_RDWR).map(|_| ())
    })?;
    proof::show(args, 1)
}
