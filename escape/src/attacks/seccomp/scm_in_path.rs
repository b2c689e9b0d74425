//! S2: the same with a socket that lies in a folder the box may read.

use std::fs::File;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::reached;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S2a",
    name: "scm-rights-in-read-grant",
    what: "gets a host folder's descriptor from a service whose socket lies in a folder granted for reading",
    prepare,
    attack: super::scm_in::attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    let listener = reached::path_listener(stage)?;
    let folder = File::open(&stage.host)?;
    reached::give(stage, listener, folder.into());
    Ok(judge)
}
