//! The smallest filter: one number gets a verdict, all others pass.

use std::io;

use crate::attacks::kernel::{Word, sys};

/// What happens to one call.
pub(super) struct Rule {
    /// Number of the call.
    pub(super) number: i64,
    /// `SECCOMP_RET_*` with its data.
    pub(super) verdict: u32,
}

/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`.
pub(super) const LISTENER: u32 = 8;

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Installs the filter on the caller; with [`LISTENER`] the result is the listening descriptor.
pub(super) fn install(rule: Rule, flags: u32) -> io::Result<usize> {
    let number = u32::try_from(rule.number).map_err(io::Error::other)?;
    let line = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut lines = [
        line(LOAD, 0, 0, 0),
        line(EQUAL, 0, 1, number),
        line(RETURN, 0, 0, rule.verdict),
        line(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = [4, lines.as_mut_ptr().word()];
    sys!(SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)?;
    sys!(SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &program)
}
