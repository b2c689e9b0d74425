//! E1: reads the environment of the process that started it.

use std::io;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::target::{print_file, started_by};
use crate::canary;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "E1",
    name: "starter-environ",
    what: "reads a secret of the caller's environment from /proc/PID/environ of the box's own first process",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let secret = canary::fresh()?;
    stage.env.push(("ESCAPE_TOKEN".to_owned(), secret.clone()));
    Ok(files::not_printed(secret))
}

fn attack(_: &[String]) -> io::Result<()> {
    let mut pids = started_by()?;
    pids.push(crate::attacks::kernel::small(sys!(SYS_getpid)?)?);
    for pid in pids {
        drop(print_file(Path::new(&format!("/proc/{pid}/environ"))));
    }
    Ok(())
}
