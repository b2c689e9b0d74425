//! S1, S4: the same attacks on the box's own first process when debugging inside is granted.

use std::io;

use crate::attack::{Attack, Judge};
use crate::stage::Stage;

/// A row that differs from `row` in its name and in the flag.
macro_rules! debugged {
    ($row:expr, $name:literal, $prepare:ident) => {
        Attack { name: $name, prepare: $prepare, ..$row }
    };
}

pub(super) const ATTACH: Attack = debugged!(super::ptrace_starter::ROW, "debug-ptrace-starter", attach);
pub(super) const MEMORY: Attack = debugged!(super::mem_starter::ROW, "debug-mem-starter", memory);
pub(super) const DESCRIPTORS: Attack = debugged!(super::proc_fd::ROW, "debug-proc-fd-others", descriptors);

fn attach(stage: &mut Stage) -> io::Result<Judge> {
    granted(stage, super::ptrace_starter::ROW)
}

fn memory(stage: &mut Stage) -> io::Result<Judge> {
    granted(stage, super::mem_starter::ROW)
}

fn descriptors(stage: &mut Stage) -> io::Result<Judge> {
    granted(stage, super::proc_fd::ROW)
}

fn granted(stage: &mut Stage, row: Attack) -> io::Result<Judge> {
    stage.belljar_flags(&["--debug"]);
    (row.prepare)(stage)
}
