//! S2: sends a descriptor of the box to a helper outside.

use std::fs::File;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::nap;
use crate::attacks::{proof, reached};
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S2b",
    name: "scm-rights-out",
    what: "hands its own descriptors to a helper outside through an abstract socket",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let listener = reached::abstract_listener(stage)?;
    Ok(reached::nothing_given(stage, listener))
}

pub(super) fn attack(args: &[String]) -> io::Result<()> {
    let stream = reached::connect(proof::arg(args, 0)?)?;
    reached::send_fd(&stream, &File::open("/")?)?;
    nap(200);
    Ok(())
}
