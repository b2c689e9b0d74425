//! Descriptors that were handed over with one right and are tried for others.

mod folder;
mod left_open;
mod left_so;
mod narrowed;
mod passed;
mod read_only;
mod write_only;

use crate::attack::Family;

pub(super) use read_only::{leased, locked};

pub(super) const FAMILY: Family = Family {
    title: "Descriptors handed over with one right, tried for others",
    rows: &[
        read_only::REOPEN,
        read_only::REOPEN_TRUNCATE,
        read_only::REOPEN_BY_TASK,
        read_only::REOPEN_STANDARD,
        read_only::FCHMOD,
        read_only::FCHMODAT2,
        read_only::FCHOWN,
        read_only::TIMES,
        read_only::ATTRIBUTE,
        read_only::LINK,
        read_only::LINK_EMPTY,
        read_only::DUP,
        read_only::PASSED_TO_SELF,
        read_only::LOCK,
        read_only::LEASE,
        narrowed::WRITE,
        narrowed::MAP,
        narrowed::READ,
        write_only::APPEND,
        write_only::TRUNCATE,
        write_only::REOPEN,
        write_only::STANDARD,
        left_open::ROW,
        left_so::ROW,
        left_so::OWNER,
        folder::CLIMB,
        folder::WRITE,
        folder::CREATE,
        folder::REMOVE,
        folder::CHDIR,
    ],
};
