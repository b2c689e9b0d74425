//! A terminal of the jar's own, so that the caller's is never shared.

use linux_raw_sys::general as g;

use super::op::State;
use super::rights;
use crate::abi::{TerminalSettings, TerminalSize};
use crate::call::{self, Fd, Result, word};
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
    rights::hand_over(state.status, master, Event::Terminal)
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
