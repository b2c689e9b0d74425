//! S17: reads the log of the kernel.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::raw::print;
use crate::canary;
use crate::files;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S17",
    name: "kernel-log",
    what: "reads what the kernel logged about the whole host, addresses included",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

const READ_ALL: i32 = 3;

fn prepare(_: &mut Stage) -> io::Result<Judge> {
    let secret = canary::fresh()?;
    std::fs::write("/dev/kmsg", format!("{secret}\n"))?;
    Ok(files::not_printed(secret))
}

fn attack(_: &[String]) -> io::Result<()> {
    let mut log = vec![0u8; 1 << 18];
    let length = sys!(SYS_syslog, READ_ALL, log.as_mut_ptr(), log.len())?;
    print(log.get(length.saturating_sub(4096)..length).unwrap_or_default())
}
