//! Privileges, Landlock and the filter.

use syscalls::Sysno;

use super::{Errno, Fd, Result, int, plain, ptr, word};
use crate::abi;

/// `prctl(2)` with plain numbers.
///
/// # Errors
/// The kernel's.
pub fn prctl(option: u32, value: usize) -> Result<usize> {
    plain(Sysno::prctl, [word(option), value, 0, 0, 0, 0])
}

/// `capset(2)`: empties the effective, permitted and inheritable sets (and with them the ambient one).
///
/// # Errors
/// The kernel's.
pub fn drop_capabilities() -> Result<()> {
    keep_capabilities(0)
}

/// `capset(2)`: of the first 32 capabilities these stay permitted and effective, everything else is empty.
///
/// # Errors
/// `EPERM` for one that the caller does not have.
pub fn keep_capabilities(mask: u32) -> Result<()> {
    let header = abi::CapHeader { version: 0x2008_0522, pid: 0 };
    let kept = abi::CapData { effective: mask, permitted: mask, inheritable: 0 };
    let data = [kept, abi::CapData::default()];
    plain(Sysno::capset, [ptr(&raw const header), ptr(data.as_ptr()), 0, 0, 0, 0]).map(drop)
}

/// `setgroups(2)` to none.
///
/// # Errors
/// The kernel's.
pub fn drop_groups() -> Result<()> {
    plain(Sysno::setgroups, [0; 6]).map(drop)
}

/// `setresgid(2)` and `setresuid(2)` to one id each.
///
/// # Errors
/// The kernel's.
pub fn become_user(uid: u32, gid: u32) -> Result<()> {
    plain(Sysno::setresgid, [word(gid), word(gid), word(gid), 0, 0, 0])?;
    plain(Sysno::setresuid, [word(uid), word(uid), word(uid), 0, 0, 0]).map(drop)
}

/// `landlock_add_rule(2)` for a path.
///
/// # Errors
/// The kernel's.
pub fn landlock_path(ruleset: Fd, rule: &abi::LandlockPath) -> Result<()> {
    let at = ptr(&raw const *rule);
    plain(Sysno::landlock_add_rule, [int(ruleset), 1, at, 0, 0, 0]).map(drop)
}

/// `landlock_restrict_self(2)`.
///
/// # Errors
/// The kernel's.
pub fn landlock_restrict(ruleset: Fd) -> Result<()> {
    plain(Sysno::landlock_restrict_self, [int(ruleset), 0, 0, 0, 0, 0]).map(drop)
}

/// `seccomp(2)`: loads a filter for the calling thread.
///
/// # Errors
/// `EINVAL` for a program that is empty, too long or malformed; otherwise the kernel's.
pub fn seccomp(filter: &[abi::SockFilter]) -> Result<()> {
    let len = u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?;
    let program = abi::SockFprog { len, filter: filter.as_ptr() };
    plain(Sysno::seccomp, [1, 0, ptr(&raw const program), 0, 0, 0]).map(drop)
}

/// `seccomp(2)`: loads a filter that hands calls over; its listener, close-on-exec. Only a fatal signal ends the wait of a
/// call that was received.
///
/// # Errors
/// `EBUSY` when this thread has such a filter already, from whomever; otherwise the kernel's.
pub fn seccomp_listener(filter: &[abi::SockFilter]) -> Result<Fd> {
    const NEW_LISTENER: usize = 1 << 3;
    const WAIT_KILLABLE_RECV: usize = 1 << 5;
    let len = u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?;
    let program = abi::SockFprog { len, filter: filter.as_ptr() };
    let flags = NEW_LISTENER | WAIT_KILLABLE_RECV;
    plain(Sysno::seccomp, [1, flags, ptr(&raw const program), 0, 0, 0]).map(super::fd_of)
}

/// `landlock_create_ruleset(2)`.
///
/// # Errors
/// The kernel's.
pub fn landlock_create(handled: &abi::LandlockRuleset) -> Result<Fd> {
    let at = ptr(&raw const *handled);
    plain(Sysno::landlock_create_ruleset, [at, size_of::<abi::LandlockRuleset>(), 0, 0, 0, 0])
        .map(super::fd_of)
}

/// `landlock_add_rule(2)` for a TCP port.
///
/// # Errors
/// The kernel's.
pub fn landlock_port(ruleset: Fd, allowed: u64, port: u64) -> Result<()> {
    let rule = [allowed, port];
    plain(Sysno::landlock_add_rule, [int(ruleset), 2, ptr(rule.as_ptr()), 0, 0, 0]).map(drop)
}
