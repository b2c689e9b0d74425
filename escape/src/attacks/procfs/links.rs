use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;

/// The magic link of an outside process, with `{pid}` and `{path}` to fill in, is one argument of each attack.
macro_rules! link {
    ($name:literal, $what:literal, $link:literal) => {
        Attack {
            id: "C7",
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, $link),
            attack,
            ..Attack::ROW
        }
    };
}

pub(super) const ROOT: Attack = link!(
    "proc-root",
    "reads a host file through /proc/PID/root of a host process",
    "/proc/{pid}/root{path}"
);
pub(super) const CWD: Attack =
    link!("proc-cwd", "reads a host file through /proc/PID/cwd of a host process", "/proc/{pid}/cwd/secret");
pub(super) const FD: Attack = link!(
    "proc-fd",
    "re-opens a file that a host process has open, through /proc/PID/fd",
    "/proc/{pid}/fd/3"
);
pub(super) const TASK: Attack = link!(
    "proc-task-root",
    "reads a host file through the root link of a thread of a host process",
    "/proc/{pid}/task/{pid}/root{path}"
);

fn prepare(stage: &mut Stage, link: &str) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    let path = path.to_string_lossy().into_owned();
    let pid = stage.victim(&["open", &path])?;
    stage.arg(link.replace("{pid}", &pid.to_string()).replace("{path}", &path));
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?)
}
