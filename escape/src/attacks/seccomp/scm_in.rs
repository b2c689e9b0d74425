//! S2: receives a folder's descriptor from a helper outside and opens a secret beneath it.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::net::RecvFlags;

use crate::attack::{Attack, Judge};
use crate::attacks::{proof, reached};
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S2a",
    name: "scm-rights-in",
    what: "gets a host folder's descriptor from a helper behind an abstract socket",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    let listener = reached::abstract_listener(stage)?;
    let folder = File::open(&stage.host)?;
    reached::give(stage, listener, folder.into());
    Ok(judge)
}

pub(super) fn attack(args: &[String]) -> io::Result<()> {
    let stream = reached::connect(proof::arg(args, 0)?)?;
    let folder = reached::receive_fd(&stream, RecvFlags::empty())?;
    reached::print_beneath(&folder, Path::new("secret"))
}
