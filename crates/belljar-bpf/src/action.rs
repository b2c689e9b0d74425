//! What the kernel does with a call.

use std::fmt;

/// The verdict on one call.
///
/// When several rules match a call, the strictest verdict wins, whatever the order of the rules:
/// `KillProcess`, `Trap`, `Errno`, `Notify`, `Leave`, `Log`, `Allow`. Of two `Errno` the rule added last gives the number,
/// since both refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The call runs.
    Allow,
    /// The call runs and the kernel's audit log gets a line.
    Log,
    /// Left to the listener of an earlier filter; the call fails with `ENOSYS` where none has taken it.
    Leave,
    /// The listener of the filter (the broker) answers in place of the kernel.
    Notify,
    /// The call fails with this number, 1 to 4095.
    Errno(u16),
    /// The thread gets `SIGSYS` with the number of the call.
    Trap,
    /// The whole process dies of `SIGSYS`.
    KillProcess,
}

/// `EPERM`, the usual answer to a refused call.
pub const EPERM: u16 = 1;
/// `EACCES`.
pub const EACCES: u16 = 13;
/// `ENOSYS`, the answer that makes a program take its older way.
pub const ENOSYS: u16 = 38;
/// The highest number the kernel passes to a program as an error.
pub const MAX_ERRNO: u16 = 4095;

const RET_KILL_PROCESS: u32 = 0x8000_0000;
const RET_TRAP: u32 = 0x0003_0000;
const RET_ERRNO: u32 = 0x0005_0000;
const RET_USER_NOTIF: u32 = 0x7FC0_0000;
/// Without a tracer this fails with `ENOSYS`; a listener of the same chain comes before any tracer.
const RET_TRACE: u32 = 0x7FF0_0000;
const RET_LOG: u32 = 0x7FFC_0000;
const RET_ALLOW: u32 = 0x7FFF_0000;

impl Action {
    /// Fails with `EPERM`.
    pub const EPERM: Action = Action::Errno(EPERM);
    /// Fails with `ENOSYS`.
    pub const ENOSYS: Action = Action::Errno(ENOSYS);

    /// The value a filter returns for this verdict.
    #[must_use]
    pub const fn raw(self) -> u32 {
        match self {
            Action::Allow => RET_ALLOW,
            Action::Log => RET_LOG,
            Action::Leave => RET_TRACE,
            Action::Notify => RET_USER_NOTIF,
            Action::Errno(number) => RET_ERRNO | number as u32,
            Action::Trap => RET_TRAP,
            Action::KillProcess => RET_KILL_PROCESS,
        }
    }

    /// The verdict of a returned value. What this crate never writes counts as a kill, as it does in the kernel.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Action {
        match raw & 0xFFFF_0000 {
            RET_ALLOW => Action::Allow,
            RET_LOG => Action::Log,
            RET_TRACE => Action::Leave,
            RET_USER_NOTIF => Action::Notify,
            RET_ERRNO => Action::Errno(low16(raw)),
            RET_TRAP => Action::Trap,
            _ => Action::KillProcess,
        }
    }

    /// Rank among matching rules: the highest wins.
    pub(crate) const fn strictness(self) -> u8 {
        match self {
            Action::Allow => 0,
            Action::Log => 1,
            Action::Leave => 2,
            Action::Notify => 3,
            Action::Errno(_) => 4,
            Action::Trap => 5,
            Action::KillProcess => 6,
        }
    }

    /// True if the call takes place, by the kernel or by the broker.
    #[must_use]
    pub const fn grants(self) -> bool {
        matches!(self, Action::Allow | Action::Log | Action::Notify)
    }

    /// True if the kernel can carry this verdict out as written.
    pub(crate) const fn is_valid(self) -> bool {
        !matches!(self, Action::Errno(0) | Action::Errno(4096..))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Allow => out.write_str("allow"),
            Action::Log => out.write_str("log"),
            Action::Leave => out.write_str("leave"),
            Action::Notify => out.write_str("notify"),
            Action::Errno(EPERM) => out.write_str("errno EPERM"),
            Action::Errno(EACCES) => out.write_str("errno EACCES"),
            Action::Errno(ENOSYS) => out.write_str("errno ENOSYS"),
            Action::Errno(number) => write!(out, "errno {number}"),
            Action::Trap => out.write_str("trap"),
            Action::KillProcess => out.write_str("kill process"),
        }
    }
}

const fn low16(raw: u32) -> u16 {
    let bytes = raw.to_le_bytes();
    u16::from_le_bytes([bytes[0], bytes[1]])
}
