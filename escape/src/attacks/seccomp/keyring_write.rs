//! S10: leaves a key in the session it was started from.

use std::io;

use super::keys::SESSION;
use crate::attack::{Attack, Judge};
use crate::attacks::{kernel::sys, proof, raw::c};
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S10",
    name: "keyring-write",
    what: "puts a key of its own into the caller's session keyring",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    super::keys::join_session()?;
    let name = stage.word("key");
    stage.arg(&name);
    Ok(Box::new(move |_| {
        let found = super::keys::search(SESSION, &c(&name)).is_ok();
        Ok(Judgement::escaped_if(found, "a key of the box is in the caller's session keyring"))
    }))
}

fn attack(args: &[String]) -> io::Result<()> {
    let name = proof::path(args, 0)?;
    sys!(SYS_add_key, c"user", &name, c"x", 1, SESSION).map(|_| ())
}
