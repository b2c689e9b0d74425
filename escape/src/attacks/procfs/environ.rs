use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const ROW: Attack = Attack {
    id: "C7",
    name: "proc-environ",
    what: "reads the environment, where secrets often are, of a host process from /proc",
    prepare: |stage| prepare(stage, "environ"),
    attack,
    ..Attack::ROW
};

pub(super) const CMDLINE: Attack = Attack {
    id: "C7",
    name: "proc-cmdline",
    what: "reads the command line, where passwords sometimes are, of a host process from /proc",
    prepare: |stage| prepare(stage, "cmdline"),
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage, file: &str) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let bait = stage.host_file(&canary, "")?;
    let pid = stage.victim_with(&["open", &bait.to_string_lossy()], &[("TOKEN", &canary)])?;
    stage.arg(format!("/proc/{pid}/{file}"));
    Ok(files::not_printed(canary))
}

fn attack(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?)
}
