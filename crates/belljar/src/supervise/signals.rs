//! Signals of the caller that are passed on to the program.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use belljar_sys::owned;
use belljar_sys::spawn::Blocked;
use belljar_sys::wire::Command;
use rustix::process::{Signal, getpid, kill_process};

use super::Watch;
use crate::spawn::{self, Started};

const HUP: u8 = 1;
const INT: u8 = 2;
const QUIT: u8 = 3;
const USR1: u8 = 10;
const USR2: u8 = 12;
const TERM: u8 = 15;
const CONT: u8 = 18;
pub(super) const STOP: u8 = 19;
const TSTP: u8 = 20;
const XFSZ: u8 = 25;
const WINCH: u8 = 28;

/// What is taken over from the caller while a jar runs.
const PASSED: [u8; 9] = [HUP, INT, QUIT, USR1, USR2, TERM, CONT, TSTP, WINCH];

/// Blocked as well, and told to nobody: a write beyond the caller's limit of a file's size is an error then, not the end of
/// whoever writes for the jar.
const UNHEARD: u64 = 1 << (XFSZ - 1);

/// A stopped program must wake up to see these.
const ENDING: [u8; 2] = [HUP, TERM];

/// Signals of this thread, blocked and readable. Dropping it leaves them blocked: it is meant for a whole program.
#[derive(Debug)]
pub(crate) struct Signals(OwnedFd);

impl Signals {
    /// Takes the signals over: they stay blocked.
    pub(crate) fn take(blocked: &mut Blocked) -> io::Result<Self> {
        let mask = PASSED.iter().fold(0_u64, |mask, signal| mask | 1 << (signal - 1));
        blocked.keep(mask | UNHEARD);
        owned::signalfd(mask).map(Self).map_err(|errno| io::Error::from_raw_os_error(errno.0))
    }

    /// The next pending one: its number, and whether the kernel sent it (a terminal's key).
    fn next(&self) -> io::Result<Option<(u8, bool)>> {
        let mut info = [0_u8; 128];
        match rustix::io::read(&self.0, &mut info) {
            Ok(128) => {
                let code = i32::from_ne_bytes([info[8], info[9], info[10], info[11]]);
                Ok(Some((info[0], code > 0)))
            }
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Passes on what is pending.
pub(super) fn pass_on(started: &Started, watch: &mut Watch, forwarded: &mut Vec<i32>) -> io::Result<()> {
    while let Some((signal, from_kernel)) = watch.signals.as_ref().map_or(Ok(None), Signals::next)? {
        match signal {
            WINCH => {
                if let Some(relay) = &watch.relay {
                    relay.resize()?;
                }
            }
            TSTP => {
                tell_stopped(watch, true);
                suspend(started, watch.relay.as_mut())?;
                tell_stopped(watch, false);
                forwarded.push(i32::from(signal));
            }
            CONT => send(started, CONT, true)?,
            signal => {
                send(started, signal, from_kernel)?;
                forwarded.push(i32::from(signal));
                if ENDING.contains(&signal) {
                    send(started, CONT, true)?;
                }
            }
        }
    }
    Ok(())
}

/// A question gives the terminal back for as long as this process is stopped.
fn tell_stopped(watch: &mut Watch, stopped: bool) {
    if let Some(attendant) = &mut watch.attendant {
        attendant.stopped(stopped);
    }
}

/// A key of the terminal means the whole group; `kill` means the program.
pub(super) fn send(started: &Started, signal: u8, to_group: bool) -> io::Result<()> {
    let command = if to_group { Command::SignalGroup(signal) } else { Command::Signal(signal) };
    match spawn::command(&started.status, command) {
        // The jar has just ended: its last word is waiting.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Stops the jar and this process; both go on when the shell says so.
pub(super) fn suspend(started: &Started, relay: Option<&mut super::Relay>) -> io::Result<()> {
    send(started, STOP, true)?;
    let mut relay = relay;
    if let Some(relay) = &mut relay {
        relay.cooked()?;
    }
    kill_process(getpid(), Signal::STOP)?;
    if let Some(relay) = &mut relay {
        relay.raw()?;
        relay.resize()?;
    }
    send(started, CONT, true)
}
