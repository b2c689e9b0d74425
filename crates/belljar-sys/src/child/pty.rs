//! A terminal of the jar's own, so that the caller's is never shared.

use linux_raw_sys::general as g;

use super::op::State;
use crate::abi::{TerminalSettings, TerminalSize};
use crate::call::{self, Errno, Fd, Result, int, raw, word};
use crate::wire::Event;

const TIOCSPTLCK: u32 = 0x4004_5431;
const TIOCGPTPEER: u32 = 0x5441;
const TIOCSCTTY: u32 = 0x540E;
const TIOCSWINSZ: u32 = 0x5414;
const TCSETS: u32 = 0x5402;

/// Opens a pair in the new `/dev/pts`, keeps the program's side, sends the master away. Size and settings are the caller's
/// before the program can look at them.
pub(super) fn open(state: &mut State, size: TerminalSize, settings: Option<TerminalSettings>) -> Result<()> {
    let master = call::open(c"dev/pts/ptmx", g::O_RDWR | g::O_NOCTTY)?;
    let mut unlocked = 0_i32;
    call::ioctl_with(master, TIOCSPTLCK, &mut unlocked)?;
    let flags = word(g::O_RDWR | g::O_NOCTTY | g::O_CLOEXEC);
    let peer = call::ioctl(master, TIOCGPTPEER, flags)?;
    state.terminal = Fd::try_from(peer).unwrap_or(-1);
    let mut size = size;
    call::ioctl_with(master, TIOCSWINSZ, &mut size)?;
    if let Some(mut settings) = settings {
        call::ioctl_with(state.terminal, TCSETS, &mut settings)?;
    }
    send_descriptor(state.status, master)?;
    call::close(master);
    Ok(())
}

/// Makes the terminal the controlling one of this new session and puts it on the chosen standard descriptors.
pub(super) fn take(state: &State, mask: u8) -> Result<()> {
    call::ioctl(state.terminal, TIOCSCTTY, 0)?;
    for fd in 0..3_i32 {
        if mask & 1_u8.wrapping_shl(fd.unsigned_abs()) != 0 {
            call::dup_to(state.terminal, fd)?;
        }
    }
    Ok(())
}

#[repr(C)]
struct Io {
    base: *const u8,
    len: usize,
}

#[repr(C, align(8))]
struct Rights {
    len: usize,
    level: i32,
    kind: i32,
    fd: Fd,
    pad: i32,
}

#[repr(C)]
struct MsgHdr {
    name: *const u8,
    name_len: u32,
    io: *const Io,
    io_len: usize,
    control: *const Rights,
    control_len: usize,
    flags: i32,
}
const _: () = assert!(size_of::<MsgHdr>() == 56);
const _: () = assert!(size_of::<Rights>() == 24);

fn send_descriptor(socket: Fd, fd: Fd) -> Result<()> {
    let bytes = Event::Terminal.encode();
    let io = Io { base: bytes.as_ptr(), len: bytes.len() };
    // Length covers header and one descriptor, not the padding.
    let rights = Rights { len: 20, level: 1, kind: 1, fd, pad: 0 };
    let message = MsgHdr {
        name: core::ptr::null(),
        name_len: 0,
        io: &raw const io,
        io_len: 1,
        control: &raw const rights,
        control_len: size_of::<Rights>(),
        flags: 0,
    };
    let at = (&raw const message).expose_provenance();
    // SAFETY: `message` and everything it points at live on this stack frame until the call returns.
    let sent = unsafe { raw(syscalls::Sysno::sendmsg, [int(socket), at, 0, 0, 0, 0]) }?;
    if sent == bytes.len() { Ok(()) } else { Err(Errno::PIPE) }
}
