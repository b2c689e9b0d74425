//! N6: calls that never end keep the broker's threads.

use std::io;

use super::ROW as BROKERED;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{nap, sys};
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "N6",
    name: "fifo-stall",
    what: "keeps its supervisor from ending it in time, by hundreds of calls that wait for ever",
    prepare,
    attack,
    ..BROKERED
};

/// More than there are threads to answer.
const CALLS: usize = 200;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--trace", "-t", "1s"]);
    let late = stage.work.join("late");
    stage.path_arg(&late);
    stage.late();
    Ok(files::absent(late))
}

fn attack(args: &[String]) -> io::Result<()> {
    let name = c("fifo");
    sys!(SYS_mknodat, libc::AT_FDCWD, &name, libc::S_IFIFO | 0o600, 0)?;
    // Made before the others take every thread.
    let late = std::fs::File::create("soon")?;
    for _ in 0..CALLS {
        std::thread::Builder::new().stack_size(16 << 10).spawn(|| {
            drop(sys!(SYS_open, &c("fifo"), libc::O_RDONLY));
        })?;
    }
    nap(proof::number(args, 1)?);
    drop(late);
    drop(std::fs::rename("soon", proof::arg(args, 0)?));
    Ok(())
}
