//! S2: the same with a socket that lies in a folder the box may read.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::reached;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S2b",
    name: "scm-rights-out-read-grant",
    what: "hands its own descriptors to a service whose socket lies in a folder granted for reading",
    prepare,
    attack: super::scm_out::attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let listener = reached::path_listener(stage)?;
    Ok(reached::nothing_given(stage, listener))
}
