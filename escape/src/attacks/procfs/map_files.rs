use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;
use crate::{files, marked, needs};

pub(super) const ROW: Attack = Attack {
    id: "C7",
    name: "proc-map-files",
    what: "reads a file that a host process has mapped, through /proc/PID/map_files",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let program = stage.host.join("tool");
    let canary = marked::copy(&stage.program(), &program)?;
    let pid = stage.victim_program(&program)?;
    stage.arg(pid);
    Ok(files::not_printed(canary))
}

fn attack(args: &[String]) -> io::Result<()> {
    for entry in fs::read_dir(format!("/proc/{}/map_files", raw::text(args, 0)?))?.flatten() {
        let content = fs::read(entry.path())?;
        let mut rest = &content[..];
        // What is looked for stands in this program's own constants as well.
        while let Some(at) = raw::find(rest, b"escape-mark:canary") {
            raw::print(rest.get(at..at + 50).unwrap_or_default())?;
            rest = rest.get(at + 1..).unwrap_or_default();
        }
    }
    Ok(())
}
