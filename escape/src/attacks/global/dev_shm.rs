use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const ROW: Attack = Attack {
    id: "C8",
    name: "dev-shm",
    what: "reads POSIX shared memory of a host program from /dev/shm",
    prepare,
    attack: |args| raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?),
    ..Attack::ROW
};

/// A file of the host outside the stage, removed at the end.
struct Shared(String);

impl Drop for Shared {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let shared = Shared(format!("/dev/shm/{}", stage.word("memory")));
    let canary = canary::fresh()?;
    fs::write(&shared.0, &canary)?;
    stage.arg(&shared.0);
    let judge = files::not_printed(canary);
    Ok(Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop(shared);
        judgement
    }))
}
