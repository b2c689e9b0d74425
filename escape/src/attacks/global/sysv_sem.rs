use std::io;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "L9",
    name: "sysv-sem",
    what: "changes a semaphore that host programs share",
    prepare,
    attack,
    control: Control::Landlock,
    ..Attack::ROW
};

/// A semaphore of the host, removed at the end.
struct Semaphore(usize);

impl Semaphore {
    fn value(&self) -> io::Result<usize> {
        sys!(SYS_semctl, self.0, 0, libc::GETVAL)
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        drop(sys!(SYS_semctl, self.0, 0, libc::IPC_RMID));
    }
}

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let key = raw::random_key()?;
    let semaphore = Semaphore(sys!(SYS_semget, key, 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o666)?);
    stage.arg(key);
    Ok(Box::new(move |_| {
        Ok(Judgement::escaped_if(semaphore.value()? != 0, "a semaphore of the host changed"))
    }))
}

fn attack(args: &[String]) -> io::Result<()> {
    let id = sys!(SYS_semget, raw::number(args, 0)?, 1, 0)?;
    sys!(SYS_semctl, id, 0, libc::SETVAL, 9).map(drop)
}
