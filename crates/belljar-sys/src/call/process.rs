//! Processes, signals and limits.

use core::ffi::CStr;

use linux_raw_sys::general as g;
use syscalls::Sysno;

use super::{Errno, Fd, Result, Ticket, cstr, fd_of, int, plain, ptr, raw, word};
use crate::abi;

/// `sethostname(2)`.
///
/// # Errors
/// The kernel's.
pub fn sethostname(name: &[u8]) -> Result<()> {
    plain(Sysno::sethostname, [ptr(name.as_ptr()), name.len(), 0, 0, 0, 0]).map(drop)
}

/// `prlimit64(2)` on the caller; both limits. A hard limit that is lower already stays, and bounds both.
///
/// # Errors
/// The kernel's.
pub fn set_rlimit(resource: u32, soft: u64, hard: u64) -> Result<()> {
    let set = |value: [u64; 2]| {
        plain(Sysno::prlimit64, [0, word(resource), ptr(value.as_ptr()), 0, 0, 0]).map(drop)
    };
    match set([soft, hard]) {
        // Who may not raise it has less than the limit would leave.
        Err(Errno::PERM) => {
            let [_, most] = rlimit(resource)?;
            set([soft.min(most), hard.min(most)])
        }
        done => done,
    }
}

/// `prlimit64(2)` on the caller: its soft and its hard limit.
fn rlimit(resource: u32) -> Result<[u64; 2]> {
    let mut value = [0_u64; 2];
    plain(Sysno::prlimit64, [0, word(resource), 0, ptr(value.as_mut_ptr()), 0, 0])?;
    Ok(value)
}

/// `setsid(2)`.
///
/// # Errors
/// The kernel's.
pub fn setsid() -> Result<()> {
    plain(Sysno::setsid, [0; 6]).map(drop)
}

/// `getpid(2)`.
#[must_use]
pub fn getpid() -> usize {
    plain(Sysno::getpid, [0; 6]).unwrap_or(0)
}

/// `getppid(2)`; 0 when the parent lives outside the PID namespace.
#[must_use]
pub fn getppid() -> usize {
    plain(Sysno::getppid, [0; 6]).unwrap_or(0)
}

/// Blocks every signal of the calling thread; returns the former mask.
///
/// # Errors
/// The kernel's.
pub fn block_signals() -> Result<u64> {
    let (all, mut old) = (u64::MAX, 0_u64);
    plain(Sysno::rt_sigprocmask, [0, ptr(&raw const all), ptr(&raw mut old), 8, 0, 0])?;
    Ok(old)
}

/// Blocks these signals (bit n - 1) of the calling thread; returns the former mask.
///
/// # Errors
/// The kernel's.
pub fn block_these(mask: u64) -> Result<u64> {
    let mut old = 0_u64;
    plain(Sysno::rt_sigprocmask, [0, ptr(&raw const mask), ptr(&raw mut old), 8, 0, 0])?;
    Ok(old)
}

/// Sets the signal mask of the calling thread.
///
/// # Errors
/// The kernel's.
pub fn set_signal_mask(mask: u64) -> Result<()> {
    plain(Sysno::rt_sigprocmask, [2, ptr(&raw const mask), 0, 8, 0, 0]).map(drop)
}

/// `rt_sigaction(2)` to the default action.
///
/// # Errors
/// The kernel's.
pub fn default_signal(signal: u32) -> Result<()> {
    let action = abi::SigAction::default();
    plain(Sysno::rt_sigaction, [word(signal), ptr(&raw const action), 0, 8, 0, 0]).map(drop)
}

/// `signalfd4(2)` for a set of signals, non-blocking.
///
/// # Errors
/// The kernel's.
pub fn signalfd(mask: u64) -> Result<Fd> {
    let flags = word(g::O_CLOEXEC | g::O_NONBLOCK);
    plain(Sysno::signalfd4, [int(-1), ptr(&raw const mask), 8, flags, 0, 0]).map(fd_of)
}

/// `kill(2)`.
///
/// # Errors
/// The kernel's.
pub fn kill(pid: i32, signal: i32) -> Result<()> {
    plain(Sysno::kill, [int(pid), int(signal), 0, 0, 0, 0]).map(drop)
}

/// `wait4(2)` for any child: pid and status. What it has used is written to `usage`.
///
/// # Errors
/// The kernel's.
pub fn wait_any(no_hang: bool, usage: &mut abi::Rusage) -> Result<(i32, i32)> {
    let mut status = 0_i32;
    let flags = if no_hang { word(g::WNOHANG) } else { 0 };
    let args = [int(-1), ptr(&raw mut status), flags | word(g::__WALL), ptr(&raw mut *usage), 0, 0];
    let pid = plain(Sysno::wait4, args)?;
    Ok((fd_of(pid), status))
}

/// `wait4(2)` for one child, whatever its status.
///
/// # Errors
/// The kernel's.
pub fn wait_for(pid: i32) -> Result<()> {
    loop {
        match plain(Sysno::wait4, [int(pid), 0, word(g::__WALL), 0, 0, 0]) {
            Err(Errno::INTR) => {}
            done => return done.map(drop),
        }
    }
}

/// `waitid(2)` for the end of a child, whatever signal tells of it; false when it still lives and `no_hang` is set.
///
/// # Errors
/// `ECHILD` when it was waited for before.
pub fn wait_for_pidfd(pidfd: Fd, no_hang: bool) -> Result<bool> {
    let options = word(g::WEXITED) | word(g::__WALL) | if no_hang { word(g::WNOHANG) } else { 0 };
    loop {
        let mut info = [0_i32; 32];
        match plain(Sysno::waitid, [word(g::P_PIDFD), int(pidfd), ptr(&raw mut info), options, 0, 0]) {
            Err(Errno::INTR) => {}
            // The number of the signal is there once it has ended.
            done => return done.map(|_| info.first() != Some(&0)),
        }
    }
}

/// `poll(2)` of nothing: waits for so many milliseconds.
pub fn pause(milliseconds: i32) {
    crate::call::unheard(plain(Sysno::poll, [0, 0, int(milliseconds), 0, 0, 0]));
}

/// `unshare(2)`.
///
/// # Errors
/// The kernel's.
pub fn unshare(namespaces: u32) -> Result<()> {
    plain(Sysno::unshare, [word(namespaces), 0, 0, 0, 0, 0]).map(drop)
}

/// `setns(2)` by a descriptor of a namespace of this kind.
///
/// # Errors
/// The kernel's.
pub fn enter_namespace(fd: Fd, kind: u32) -> Result<()> {
    plain(Sysno::setns, [int(fd), word(kind), 0, 0, 0, 0]).map(drop)
}

/// `getrusage(2)` of the waited-for children.
pub fn children_usage(usage: &mut abi::Rusage) {
    crate::call::unheard(plain(Sysno::getrusage, [int(-1), ptr(&raw mut *usage), 0, 0, 0, 0]));
}

/// `execve(2)`; returns only on failure.
///
/// # Safety
/// `argv` and `envp` point at null-terminated arrays of C strings that live until the call returns.
pub unsafe fn execve(path: &CStr, argv: *const *const u8, envp: *const *const u8) -> Errno {
    // SAFETY: the arrays are valid (this function's contract), the path is borrowed.
    match unsafe { raw(Sysno::execve, [cstr(path), ptr(argv), ptr(envp), 0, 0, 0]) } {
        Ok(_) => Errno::INVAL,
        Err(errno) => errno,
    }
}

/// The same behind a filter that lets programs start by a ticket only.
///
/// # Safety
/// As [`execve`].
pub unsafe fn execve_by(
    ticket: Ticket,
    path: &CStr,
    argv: *const *const u8,
    envp: *const *const u8,
) -> Errno {
    let (folder, flags) = ticket.stamp(int(super::CWD), 0);
    // SAFETY: the arrays are valid (this function's contract), the path is borrowed.
    match unsafe { raw(Sysno::execveat, [folder, cstr(path), ptr(argv), ptr(envp), flags, 0]) } {
        Ok(_) => Errno::INVAL,
        Err(errno) => errno,
    }
}

/// Whether the filter that knows this ticket is in force: no kernel has the call, and only that filter answers so.
///
/// # Errors
/// [`Errno::NOT_CONFINED`]: it is not.
pub fn knows(ticket: Ticket) -> Result<()> {
    let (first, second) = ticket.stamp(0, 0);
    match plain(Sysno::create_module, [first, second, 0, 0, 0, 0]) {
        Err(Errno(121)) => Ok(()),
        _ => Err(Errno::NOT_CONFINED),
    }
}

/// `exit_group(2)`.
pub fn exit(code: i32) -> ! {
    loop {
        crate::call::unheard(plain(Sysno::exit_group, [int(code), 0, 0, 0, 0, 0]));
    }
}
