//! `/proc` of a process outside: magic links, memory, environment.

mod environ;
mod links;
mod map_files;
mod mem;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "C7: /proc of processes outside",
    rows: &[
        links::ROOT,
        links::CWD,
        links::FD,
        links::TASK,
        map_files::ROW,
        mem::ROW,
        environ::ROW,
        environ::CMDLINE,
    ],
};
