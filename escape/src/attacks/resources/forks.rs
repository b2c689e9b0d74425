//! R1, R8: more processes than allowed.

use std::io;

use super::measure;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, nap, sys};
use crate::stage::Stage;

/// What the box is told.
const LIMIT: &str = "20";
/// The limit and the processes of the box itself and of the suite's shell.
const ALLOWED: u64 = 20 + 6;
/// Where the attack stops by itself.
const ENOUGH: usize = 120;

const ROW: Attack = Attack { id: "R1", prepare, ..Attack::ROW };

pub(super) const BOMB: Attack = Attack {
    name: "fork-bomb",
    what: "starts processes until the host has none left",
    attack: |_| {
        repeat(|| {
            child(|| {
                nap(1500);
                Ok(())
            })
        })
    },
    ..ROW
};

pub(super) const ZOMBIES: Attack = Attack {
    id: "R8",
    name: "zombies",
    what: "fills the process table with ended processes that nobody collects",
    attack: |_| repeat(|| child(|| Ok(()))),
    ..ROW
};

pub(super) const ORPHANS: Attack = Attack {
    id: "R8",
    name: "orphan-bomb",
    what: "leaves processes without a parent faster than anybody collects them",
    attack: |_| {
        repeat(|| {
            let pid = child(|| {
                child(|| {
                    nap(1500);
                    Ok(())
                })
                .map(drop)
            })?;
            crate::attacks::kernel::wait(pid)
        })
    },
    ..ROW
};

pub(super) const THREADS: Attack = Attack {
    name: "thread-bomb",
    what: "starts threads instead of processes until the host has none left",
    prepare: |stage| {
        stage.belljar_flags(&["--pids", LIMIT]);
        Ok(measure::at_most(stage, ALLOWED, |tree| tree.threads, "threads"))
    },
    attack: |_| repeat(|| std::thread::Builder::new().stack_size(1 << 14).spawn(|| nap(1500)).map(|_| 0)),
    ..ROW
};

pub(super) const SIBLINGS: Attack = Attack {
    name: "sibling-bomb",
    what: "starts processes that count as children of its parent",
    attack: |_| {
        repeat(|| match sys!(SYS_clone, libc::CLONE_PARENT | libc::SIGCHLD, 0, 0, 0, 0)? {
            0 => {
                nap(1500);
                crate::attacks::kernel::leave(0)
            }
            _ => Ok(0),
        })
    },
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--pids", LIMIT]);
    Ok(measure::at_most(stage, ALLOWED, |tree| tree.processes, "processes"))
}

/// Goes on after failures: a limit that lets go for a moment is no limit.
fn repeat(start: impl Fn() -> io::Result<i32>) -> io::Result<()> {
    let started = (0..ENOUGH * 2).filter(|_| start().is_ok()).take(ENOUGH).count();
    nap(700);
    if started < ENOUGH { Err(io::Error::other(format!("{started} started"))) } else { Ok(()) }
}
