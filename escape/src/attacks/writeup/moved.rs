//! P1: somebody outside moves the attack's current folder out of the grant; the attack walks upwards from there.

use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{nap, sys};
use crate::attacks::target::print_file;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "P1",
    name: "current-folder-moved-out",
    what: "walks upwards from its current folder after the owner moved that out of the grant",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    let (from, to) = (stage.work.join("leaf"), stage.host.join("leaf"));
    fs::create_dir(&from)?;
    let ready = stage.work.join("ready");
    stage.watches.push(Box::new(move |_| {
        if fs::metadata(&ready).is_ok() {
            // Moved at the first look; later ones find nothing to move.
            drop(fs::rename(&from, &to));
        }
    }));
    Ok(judge)
}

fn attack(_: &[String]) -> io::Result<()> {
    sys!(SYS_chdir, c"leaf")?;
    fs::write("../ready", "")?;
    nap(200);
    print_file("../secret".as_ref()).or_else(|_| print_file("../host/secret".as_ref()))
}
