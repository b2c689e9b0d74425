//! K1, K2: inside a worker that was taken over, and inside a program of a template.
//!
//! What stands around a worker is the library, not the command: the judges start the workers themselves, or a program that does.

mod deeds;
mod descriptors;
mod mem_read;
mod mem_write;
mod program;
mod ptrace;
pub(crate) mod split;
pub(crate) mod sweep;
mod template;
mod vm_read;
mod vm_write;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "K1, K2: inside a worker or a program of a template",
    rows: &[
        sweep::PREAUTH,
        sweep::RENDERER,
        sweep::DECODER,
        program::FILTER,
        program::VIEWER,
        ptrace::PARENT,
        ptrace::ZYGOTE,
        ptrace::SIBLING,
        vm_write::PARENT,
        vm_write::ZYGOTE,
        vm_write::SIBLING,
        vm_read::PARENT,
        vm_read::SIBLING,
        mem_write::PARENT,
        mem_write::ZYGOTE,
        mem_write::SIBLING,
        mem_read::PARENT,
        mem_read::SIBLING,
        descriptors::PARENT,
        descriptors::SIBLING,
    ],
};
