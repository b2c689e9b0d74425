//! S10: reads a key of the session it was started from.

use std::io;

use super::keys::{READ, SESSION, keyctl};
use crate::attack::{Attack, Judge};
use crate::attacks::raw::print;
use crate::attacks::{kernel::sys, proof, raw::c};
use crate::canary;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S10",
    name: "keyring-read",
    what: "reads a secret from the caller's session keyring",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let secret = canary::fresh()?;
    super::keys::join_session()?;
    let name = stage.word("key");
    sys!(SYS_add_key, c"user", &c(&name), secret.as_ptr(), secret.len(), SESSION)?;
    stage.arg(name);
    Ok(files::not_printed(secret))
}

fn attack(args: &[String]) -> io::Result<()> {
    let name = proof::path(args, 0)?;
    let key =
        sys!(SYS_request_key, c"user", &name, 0, SESSION).or_else(|_| super::keys::search(SESSION, &name))?;
    let mut bytes = [0u8; 64];
    let length = keyctl(READ, key, bytes.as_mut_ptr().expose_provenance(), 64)?;
    print(bytes.get(..length).unwrap_or_default())
}
