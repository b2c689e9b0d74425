//! Calls under a number, a width or an address that a filter does not expect.

mod compat;
mod dirty_socket;
mod dirty_words;
mod far_jump;
mod fast_entry;
mod int80_mkdir;
mod int80_open;
mod int80_write;
mod reachable;
mod sign;
mod unknown;
mod vsyscall;
mod x32;

use crate::attack::Family;

pub(super) const FAMILY: Family = Family {
    title: "Calls under an unexpected number, width or address",
    rows: &[
        int80_write::ROW,
        int80_mkdir::ROW,
        int80_open::ROW,
        x32::WRITE,
        x32::EXECVE,
        far_jump::ROW,
        fast_entry::ROW,
        dirty_socket::DOMAIN,
        dirty_socket::KIND,
        dirty_socket::PACKET_SOCKET,
        dirty_words::PERSONALITY,
        dirty_words::PRCTL,
        dirty_words::SECCOMP,
        vsyscall::ROW,
        unknown::ROW,
        sign::DIRTY,
        sign::SHORT,
        reachable::ROW,
    ],
};
