//! R7: more output than allowed.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, sys, wait};
use crate::outcome::Judgement;
use crate::stage::Stage;

/// 64 KiB on each stream and the first line of the suite.
const ALLOWED: usize = 2 * 65536 + 4096;

const ROW: Attack =
    Attack { id: "R7", what: "floods whoever reads its output, a log or a terminal", prepare, ..Attack::ROW };

pub(super) const FLOOD: Attack = Attack { name: "output-flood", attack: |_| flood(1), ..ROW };
pub(super) const ERROR_FLOOD: Attack = Attack { name: "output-flood-error", attack: |_| flood(2), ..ROW };
pub(super) const CHILD_FLOOD: Attack = Attack {
    name: "output-flood-children",
    attack: |_| {
        let pids: io::Result<Vec<i32>> = (0..4).map(|_| child(|| flood(1))).collect();
        pids?.into_iter().try_for_each(|pid| wait(pid).map(drop))
    },
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--output", "64K"]);
    Ok(Box::new(|outcome| {
        let size = outcome.stdout.len() + outcome.stderr.len();
        Ok(Judgement::escaped_if(size > ALLOWED, &format!("{size} bytes came out, 65536 allowed")))
    }))
}

fn flood(fd: i32) -> io::Result<()> {
    let block = [b'x'; 4096];
    (0..512).try_for_each(|_| sys!(SYS_write, fd, &block, block.len()).map(drop))
}
