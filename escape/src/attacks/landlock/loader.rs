use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw;
use crate::stage::Stage;
use crate::{canary, files, needs};

pub(super) const ROW: Attack = Attack {
    id: "L6",
    name: "loader-exec",
    what: "runs a program that is granted without execution by handing it to the dynamic loader",
    prepare,
    attack,
    control: Control::Landlock,
    needs: &[&needs::DYNAMIC_PROGRAMS],
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

/// A copy of a system program in which the name it prints of itself is a canary of the same length.
const NAME: &[u8] = b"GNU coreutils";

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let mut bytes = fs::read("/usr/bin/echo")?;
    let canary: String = canary::fresh()?.chars().skip(6).take(NAME.len()).collect();
    let at = raw::find(&bytes, NAME).ok_or(io::ErrorKind::NotFound)?;
    bytes[at..at + NAME.len()].copy_from_slice(canary.as_bytes());
    let path = stage.data.join("program");
    fs::write(&path, bytes)?;
    stage.path_arg(&path);
    stage.grant_data();
    Ok(files::not_printed(canary))
}

fn attack(args: &[String]) -> io::Result<()> {
    Err(Command::new("/lib64/ld-linux-x86-64.so.2").arg(raw::text(args, 0)?).arg("--version").exec())
}
