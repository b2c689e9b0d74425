//! S10: uses the key service at all.

use std::io;

use super::keys::{PROCESS, READ, keyctl};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::raw::print;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S10",
    name: "keyring-own",
    what: "keeps a key of its own in the kernel and reads it back",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let proof = proof::of(proof::arg(args, 0)?);
    let key = sys!(SYS_add_key, c"user", c"escape", proof.as_ptr(), proof.len(), PROCESS)?;
    let mut bytes = [0u8; 64];
    let length = keyctl(READ, key, bytes.as_mut_ptr().expose_provenance(), 64)?;
    print(bytes.get(..length).unwrap_or_default())
}
