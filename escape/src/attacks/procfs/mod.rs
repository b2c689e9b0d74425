//! `/proc` of a process outside: magic links, memory, environment.

mod environ;
mod every_root;
mod kernel_files;
mod links;
mod map_files;
mod mem;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "C7: /proc and other windows of the kernel",
    rows: &[
        links::ROOT,
        links::CWD,
        links::FD,
        links::TASK,
        map_files::ROW,
        mem::ROW,
        environ::ROW,
        environ::CMDLINE,
        every_root::ROOTS,
        every_root::DESCRIPTORS,
        kernel_files::TCP,
        kernel_files::UNIX,
        kernel_files::OOM,
        kernel_files::SYSCTL,
        kernel_files::HOST_NAME,
        kernel_files::DEVICE,
    ],
};
