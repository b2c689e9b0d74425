//! Raw system calls behind safe signatures where one exists.

mod files;
mod mounts;
mod privileges;
mod process;
mod sockets;

use core::ffi::CStr;

use linux_raw_sys::general as g;
use syscalls::Sysno;

pub use files::*;
pub use mounts::*;
pub use privileges::*;
pub use process::*;
pub use sockets::*;

/// A kernel error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);

impl Errno {
    /// Operation not permitted.
    pub const PERM: Self = Self(1);
    /// No such file or directory.
    pub const NOENT: Self = Self(2);
    /// Interrupted.
    pub const INTR: Self = Self(4);
    /// Not a descriptor that is open.
    pub const BADF: Self = Self(9);
    /// No child processes.
    pub const CHILD: Self = Self(10);
    /// Not now.
    pub const AGAIN: Self = Self(11);
    /// Permission denied.
    pub const ACCES: Self = Self(13);
    /// File exists.
    pub const EXIST: Self = Self(17);
    /// Not a directory.
    pub const NOTDIR: Self = Self(20);
    /// Too many or forbidden symlinks.
    pub const LOOP: Self = Self(40);
    /// Invalid argument.
    pub const INVAL: Self = Self(22);
    /// Address family not supported.
    pub const AFNOSUPPORT: Self = Self(97);
    /// Function not implemented.
    pub const NOSYS: Self = Self(38);
    /// Broken pipe.
    pub const PIPE: Self = Self(32);
    /// Something that must be refused was allowed (`EREMOTEIO`, which none of the calls used here returns).
    pub const NOT_CONFINED: Self = Self(121);
}

/// A descriptor number. Ownership stays with whoever opened it.
pub type Fd = i32;

/// Result of a call.
pub type Result<T> = core::result::Result<T, Errno>;

/// The current folder as a folder descriptor.
pub const CWD: Fd = g::AT_FDCWD;

/// A signed argument in a register.
#[must_use]
pub const fn int(value: i32) -> usize {
    #[expect(clippy::cast_sign_loss, reason = "registers carry sign-extended ints")]
    {
        value as isize as usize
    }
}

/// A flag word in a register.
#[must_use]
pub const fn word(value: u32) -> usize {
    value as usize
}

fn ptr<T>(value: *const T) -> usize {
    value.expose_provenance()
}

fn cstr(path: &CStr) -> usize {
    path.as_ptr().expose_provenance()
}

/// Turns a register into a descriptor.
fn fd_of(value: usize) -> Fd {
    Fd::try_from(value).unwrap_or(-1)
}

/// A secret in the upper halves of two arguments that the kernel takes as 32-bit: it does not see them, a filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Upper half of the first such argument.
    pub first: u32,
    /// Upper half of the second.
    pub second: u32,
}

impl Ticket {
    /// For calls that no filter asks for one.
    pub const NONE: Self = Self { first: 0, second: 0 };

    /// Puts both halves above arguments that are taken as 32-bit.
    #[must_use]
    pub const fn stamp(self, first: usize, second: usize) -> (usize, usize) {
        (stamped(first, self.first), stamped(second, self.second))
    }
}

const fn stamped(value: usize, half: u32) -> usize {
    (value & 0xFFFF_FFFF) | (word(half) << 32)
}

/// Any system call.
///
/// # Errors
/// What the kernel answers.
///
/// # Safety
/// The arguments must be valid for this call: pointers point at live memory of the size that the call reads or writes.
pub unsafe fn raw(number: Sysno, args: [usize; 6]) -> Result<usize> {
    let [a, b, c, d, e, f] = args;
    // SAFETY: the caller upholds what this call needs (this function's contract).
    let done = unsafe { syscalls::syscall6(number, a, b, c, d, e, f) };
    done.map_err(|errno| Errno(errno.into_raw()))
}

/// Calls that take no pointer cannot touch memory.
fn plain(number: Sysno, args: [usize; 6]) -> Result<usize> {
    // SAFETY: every caller in this file passes a call whose arguments are all plain numbers, or pointers that it borrows
    // for the length of the call; the kernel copies them.
    unsafe { raw(number, args) }
}

/// A result that nobody can act on any more: the process is ending, or the call cannot fail for valid arguments.
pub(crate) fn unheard<T>(_done: Result<T>) {}
