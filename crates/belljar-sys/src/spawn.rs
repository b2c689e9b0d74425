//! Starting a child: one `clone3`, after which the child runs only prepared ops.

use core::marker::PhantomData;

use syscalls::Sysno;

use crate::abi::CloneArgs;
use crate::call::{self, Errno, Fd, Result, raw};
use crate::child;

pub use crate::child::Sequence;

// SAFETY: the pointers among the ops are those of the program's arguments and variables. They point to strings that live as long
// as the ops and that nobody writes; another thread only clones a child that has its own copy of them.
unsafe impl Sync for Sequence<'_> {}

/// A started child.
#[derive(Clone, Copy, Debug)]
pub struct Spawned {
    /// Its pid here.
    pub pid: i32,
    /// A descriptor of it, close-on-exec, owned by the caller.
    pub pidfd: Fd,
}

const CLONE_PIDFD: u64 = 0x1000;
/// Handlers of the caller must not run in the child, not even between its last step and exec.
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// No signal tells of its end, and only who waits for it by name finds it: a program that handles SIGCHLD, ignores it, or waits
/// for any child neither hears of a jar nor takes its status away.
const NOBODY: u64 = 0;

/// No signal reaches the calling thread while this lives: neither a child that is being made nor one that shares its memory may
/// run a handler.
#[derive(Debug)]
pub struct Blocked {
    before: u64,
    /// The mask is the thread's own.
    here: PhantomData<*const ()>,
}

impl Blocked {
    /// Blocks every signal.
    ///
    /// # Errors
    /// The kernel's.
    pub fn all() -> Result<Self> {
        call::block_signals().map(|before| Self { before, here: PhantomData })
    }

    /// These (bit n - 1) stay blocked afterwards.
    pub const fn keep(&mut self, signals: u64) {
        self.before |= signals;
    }

    /// What was blocked before is what is blocked from here on, and what was [kept](Self::keep).
    ///
    /// # Errors
    /// The kernel's.
    pub fn release(self) -> Result<()> {
        let before = self.before;
        core::mem::forget(self);
        call::set_signal_mask(before)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        call::unheard(call::set_signal_mask(self.before));
    }
}

/// Starts a child that runs `sequence` and talks over its end of a socket pair, `status`.
///
/// The child unblocks its signals right before exec.
///
/// # Errors
/// `clone3`'s.
pub fn spawn(_: &Blocked, sequence: &Sequence<'_>, status: Fd) -> Result<Spawned> {
    clone(sequence, status)
}

/// Runs `then` with the pid of a process that only waits, in a user namespace of its own. It is killed when this returns;
/// whoever drops what comes along waits for its end.
///
/// It lives on the caller's memory and descriptors, so that neither is copied; what it does needs neither.
///
/// # Errors
/// `clone`'s.
pub fn with_user_namespace<T>(_: &Blocked, then: impl FnOnce(i32) -> T) -> Result<(T, Dying)> {
    // SAFETY: the flags share memory, and signals are blocked.
    let pid = unsafe { child::clone_waiting(WAITER) };
    let mut dying = Dying { pid: cloned(pid)?, told: false };
    let done = then(dying.pid);
    dying.kill();
    Ok((done, dying))
}

/// `CLONE_VM`, `CLONE_FILES`, `CLONE_NEWUSER`; nobody is told of its end but who waits for it.
const WAITER: u64 = 0x100 | 0x400 | 0x1000_0000;

/// A process that is about to end. Its end takes a moment that nobody has to wait for at once.
#[derive(Debug)]
pub struct Dying {
    pid: i32,
    told: bool,
}

impl Dying {
    fn kill(&mut self) {
        call::unheard(call::kill(self.pid, 9));
        self.told = true;
    }
}

impl Drop for Dying {
    fn drop(&mut self) {
        if !self.told {
            self.kill();
        }
        call::unheard(call::wait_for(self.pid));
    }
}

fn cloned(pid: isize) -> Result<i32> {
    match i32::try_from(pid) {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err(Errno(i32::try_from(pid.unsigned_abs()).unwrap_or(0))),
    }
}

fn clone(sequence: &Sequence<'_>, status: Fd) -> Result<Spawned> {
    let mut pidfd: Fd = -1;
    let flags = sequence.namespaces | CLONE_PIDFD;
    let started = match clone3(flags, &raw mut pidfd) {
        // Containers hide clone3 from filters that could not look into its argument.
        Err(Errno::NOSYS) => clone2(flags, &raw mut pidfd),
        other => other,
    };
    match started? {
        0 => child::run(sequence, status),
        pid => Ok(Spawned { pid: i32::try_from(pid).map_err(|_| Errno::INVAL)?, pidfd }),
    }
}

fn clone3(flags: u64, pidfd: *mut Fd) -> Result<usize> {
    let args = CloneArgs {
        flags: flags | CLONE_CLEAR_SIGHAND,
        pidfd: u64::try_from(pidfd.expose_provenance()).unwrap_or(0),
        exit_signal: NOBODY,
        ..CloneArgs::default()
    };
    let at = (&raw const args).expose_provenance();
    // SAFETY: `args` and the pidfd of `clone` live until the call returns. The child gets a copy of this memory and
    // thread, and only goes on to `child::run`, which needs no other thread and never returns.
    unsafe { raw(Sysno::clone3, [at, size_of::<CloneArgs>(), 0, 0, 0, 0]) }
}

fn clone2(flags: u64, pidfd: *mut Fd) -> Result<usize> {
    // The lowest byte of the flags, which no namespace needs, is the signal of its end: none, as in `clone3`.
    let flags = usize::try_from(flags & !0xFF).map_err(|_| Errno::INVAL)?;
    // SAFETY: as in `clone3`; without a stack of its own the child uses its copy of this one. The third argument is where
    // the pidfd goes.
    unsafe { raw(Sysno::clone, [flags, 0, pidfd.expose_provenance(), 0, 0, 0]) }
}
