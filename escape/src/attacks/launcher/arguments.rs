//! B3: arguments of the program that look like options of the launcher.

use std::io;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "B3",
    name: "options-after-the-command",
    what: "widens its own policy by arguments that look like options",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host.join("written");
    stage.path_arg(&path);
    let host = stage.host.to_string_lossy().into_owned();
    for word in [
        "-w",
        &host,
        "--dangerously-grant",
        "/",
        "--",
        "--write",
        &host,
        "-p",
        "@dev",
        "--allow-weaker",
        "fs",
    ] {
        stage.arg(word);
    }
    Ok(files::absent(path))
}

fn attack(args: &[String]) -> io::Result<()> {
    std::fs::write(Path::new(proof::arg(args, 0)?), "written\n")
}
