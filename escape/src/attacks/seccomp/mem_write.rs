//! S4: writes to the memory file of a process outside.

use std::ffi::CString;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::target;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S4",
    name: "proc-mem-write",
    what: "changes the memory of a host process through /proc/PID/mem",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    Ok(target::start(stage)?.unchanged())
}

fn attack(args: &[String]) -> io::Result<()> {
    target::first(&target::reach(args)?, |pid| {
        let path = CString::new(format!("/proc/{pid}/mem"))?;
        let fd = sys!(SYS_openat, libc::AT_FDCWD, path.as_c_str(), libc::O_RDWR)?;
        sys!(SYS_pwrite64, fd, [1u8; 16].as_ptr(), 16, target::SLOT).map(|_| ())
    })
}
