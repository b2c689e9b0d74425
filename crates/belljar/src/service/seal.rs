//! What is left to the process of a service once it is ready: `@sealed`, threads, pairs of sockets for clients that are split off, and
//! what this one service does.

use belljar_bpf::{Action, Filter, RuleError};

use super::kind::{Call, Then};
use crate::worker::seal::Instructions;

/// What each service takes, and why.
const EACH: &[Call] = &[
    ("clone", Then::If(THREAD), "a thread for each client, with exactly the flags of C libraries"),
    ("clone3", Then::Fails(ENOSYS), "its flags are in memory; the C library then takes clone"),
    ("set_robust_list", Then::Made, "the C library's, in each thread"),
    ("rseq", Then::Made, "the C library's, in each thread"),
    ("prlimit64", Then::If("arg0 == 0 && arg2 == 0"), "the size of stacks"),
    ("socketpair", Then::If("arg0 == AF_UNIX"), "channels of clients that are split off"),
];

/// For services that open files for reading.
pub(super) const READING: &[Call] = &[
    ("open", Then::If("arg1 & (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | 0x400000) == 0"), "as openat"),
    (
        "openat",
        Then::If("arg2 & (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | 0x400000) == 0"),
        "opens for reading; 0x400000 is the bit of O_TMPFILE",
    ),
    ("openat2", Then::Fails(ENOSYS), "its flags are in memory; the C library then takes openat"),
    ("creat", Then::Fails(EPERM), "opens for writing"),
];

const THREAD: &str = "arg0 & 0xFFFFFFFFFFBFFFFF == CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
     CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID";
const EPERM: u16 = 1;
const ENOSYS: u16 = 38;

/// The filter of a service that makes these calls.
pub(super) fn filter(own: &[Call]) -> Result<Instructions, String> {
    let built = || -> Result<_, RuleError> {
        let mut builder = Filter::builder().allow_group("@sealed")?;
        for (call, then, _) in EACH.iter().chain(own) {
            builder = match then {
                Then::Made => builder.allow(call)?,
                Then::If(when) => builder.allow_when(call, when)?,
                Then::Fails(errno) => builder.deny(call, None, Action::Errno(*errno))?,
            };
        }
        Ok(builder)
    };
    let filter = built().map_err(|error| error.to_string())?.compile().map_err(|error| error.to_string())?;
    Ok(filter.insns().iter().map(|insn| (insn.code, insn.jt, insn.jf, insn.k)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_each_service_compiles_and_says_why() {
        for (name, calls) in super::super::inside::tables() {
            filter(calls).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(calls.iter().all(|(_, _, why)| !why.is_empty()), "{name}");
        }
    }
}
