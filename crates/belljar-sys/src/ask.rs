//! Harmless questions to the kernel: calls that cannot succeed in changing anything, made to see *who* refuses them.
//!
//! Each call carries an argument that the kernel itself always refuses, with an error number known beforehand. Another
//! number means that the kernel lacks the call or that a filter of a surrounding sandbox answered instead.

use syscalls::{Errno, Sysno};

/// Landlock's ABI version; 0 = absent, switched off at boot, or refused.
#[must_use]
pub fn landlock_abi() -> u32 {
    const VERSION: usize = 1;
    // SAFETY: with the version flag the kernel demands a null attribute of size 0 and only returns a number.
    let answer = unsafe { syscalls::syscall3(Sysno::landlock_create_ruleset, 0, 0, VERSION) };
    answer.ok().and_then(|abi| u32::try_from(abi).ok()).unwrap_or(0)
}

/// Whether `clone` with a new user namespace gets as far as the kernel.
///
/// # Errors
/// What a filter (or a kernel without the flag) answered.
pub fn clone_user() -> Result<(), Errno> {
    const SIGHAND: usize = 0x0800;
    const FS: usize = 0x0200;
    const NEWUSER: usize = 0x1000_0000;
    // SAFETY: signal handlers without shared memory, and a user namespace with a shared folder: two combinations that
    // every kernel refuses before it makes anything, so no pointer is used and no process comes of it.
    let answer = unsafe { syscalls::syscall5(Sysno::clone, NEWUSER | FS | SIGHAND, 0, 0, 0, 0) };
    match answer {
        Ok(0) => leave(),
        other => refused_with(other, Errno::EINVAL),
    }
}

/// Whether `open_tree` gets as far as the kernel.
///
/// # Errors
/// What was answered instead.
pub fn open_tree() -> Result<(), Errno> {
    const EMPTY_PATH: usize = 0x1000;
    let empty = c"".as_ptr().addr();
    // SAFETY: the path is a static empty string; descriptor -1 is never open, so nothing is opened.
    let answer = unsafe { syscalls::syscall3(Sysno::open_tree, usize::MAX, empty, EMPTY_PATH) };
    refused_with(answer, Errno::EBADF)
}

/// Whether `mount_setattr` gets as far as the kernel.
///
/// # Errors
/// What was answered instead.
pub fn mount_setattr() -> Result<(), Errno> {
    const EMPTY_PATH: usize = 0x1000;
    let empty = c"".as_ptr().addr();
    // SAFETY: an attribute of size 0 is refused before it or the path is looked at.
    let answer = unsafe { syscalls::syscall5(Sysno::mount_setattr, usize::MAX, empty, EMPTY_PATH, 0, 0) };
    refused_with(answer, Errno::EINVAL)
}

/// Whether `mseal` gets as far as the kernel.
///
/// # Errors
/// What was answered instead.
pub fn mseal() -> Result<(), Errno> {
    // SAFETY: flags are reserved and must be 0; any other value is refused before the range is looked at.
    let answer = unsafe { syscalls::syscall3(Sysno::mseal, 0, 0, usize::MAX) };
    refused_with(answer, Errno::EINVAL)
}

/// Whether a filter may ask the supervisor (`SECCOMP_RET_USER_NOTIF`).
///
/// # Errors
/// `EOPNOTSUPP`: filters work, but not this action. Others: the question itself was refused.
pub fn seccomp_notify() -> Result<(), Errno> {
    const GET_ACTION_AVAIL: usize = 2;
    let action: u32 = 0x7fc0_0000;
    // SAFETY: the kernel reads one u32 at `action`, which lives until the call is over.
    unsafe { syscalls::syscall3(Sysno::seccomp, GET_ACTION_AVAIL, 0, (&raw const action).addr()) }.map(drop)
}

/// Whether the caller holds supplementary groups other than `gid`.
#[must_use]
pub fn holds_groups_besides(gid: u32) -> bool {
    const MOST: usize = 64;
    let mut groups = [gid; MOST];
    // SAFETY: the kernel writes at most `MOST` numbers to the array, which lives until the call is over.
    let answer =
        unsafe { syscalls::syscall2(Sysno::getgroups, MOST, groups.as_mut_ptr().expose_provenance()) };
    // More than fit are others in any case.
    answer == Err(Errno::EINVAL) || groups.iter().any(|group| *group != gid)
}

/// `Ok` if the kernel gave the refusal that it must give.
fn refused_with(answer: Result<usize, Errno>, expected: Errno) -> Result<(), Errno> {
    match answer {
        Err(errno) if errno != expected => Err(errno),
        _ => Ok(()),
    }
}

/// Ends a process that should not have come to be.
fn leave() -> ! {
    loop {
        // SAFETY: ends this process at once; nothing is used after it.
        let _never = unsafe { syscalls::syscall1(Sysno::exit_group, 125) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_other_than_the_kernels_own_is_a_refusal() {
        assert_eq!(refused_with(Err(Errno::EPERM), Errno::EINVAL), Err(Errno::EPERM));
        assert_eq!(refused_with(Err(Errno::EINVAL), Errno::EINVAL), Ok(()));
    }
}
