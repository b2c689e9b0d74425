//! The caller's terminal on one side, the jar's own on the other.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

use super::outlet::{Outlet, Patience};
use super::window::Terminal;
use super::{Output, signals};
use crate::spawn::Started;

/// Bytes that one turn moves in each direction.
const CHUNK: usize = 16 * 1024;

/// A pair on the host: master, program side.
pub(crate) fn host_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let program = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((master, program))
}

/// Moves bytes between the two terminals; restores the caller's when dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    master: Arc<OwnedFd>,
    /// A program's side of our own: a jar that closes all of its own for a moment does not hang the terminal up.
    _peer: Option<OwnedFd>,
    /// Where the jar's output goes: a standard descriptor of the caller that is a terminal.
    screen: Outlet,
    /// Where keys come from, when the caller's input is a terminal.
    keys: Option<OwnedFd>,
    /// The caller's settings, to be restored.
    before: Option<Termios>,
    to_jar: VecDeque<u8>,
    hung_up: bool,
}

impl Relay {
    /// Relays between `screen` (and `keys`) and the jar's master side.
    pub(crate) fn new(master: OwnedFd, screen: OwnedFd, keys: Option<OwnedFd>) -> io::Result<Self> {
        let flags = fcntl_getfl(&master)?;
        fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        let peer = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let peer = match ioctl_tiocgptpeer(&master, peer) {
            // The program was there first, and lets nobody else open its terminal.
            Err(rustix::io::Errno::BUSY) => None,
            peer => Some(peer?),
        };
        let screen = Outlet::new(screen);
        let mut relay = Self {
            master: Arc::new(master),
            _peer: peer,
            screen,
            keys,
            before: None,
            to_jar: VecDeque::new(),
            hung_up: false,
        };
        relay.resize()?;
        if let Some(keys) = &relay.keys {
            let now = tcgetattr(keys)?;
            // The jar's terminal starts with the caller's settings.
            tcsetattr(&relay.master, OptionalActions::Now, &now)?;
        }
        relay.raw()?;
        Ok(relay)
    }

    /// Keys pass unread by the caller's terminal.
    pub(super) fn raw(&mut self) -> io::Result<()> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let now = tcgetattr(keys)?;
        let mut raw = now.clone();
        raw.make_raw();
        tcsetattr(keys, OptionalActions::Now, &raw)?;
        self.before = Some(now);
        Ok(())
    }

    /// The caller's settings are back.
    pub(super) fn cooked(&mut self) -> io::Result<()> {
        if let (Some(keys), Some(before)) = (&self.keys, self.before.take()) {
            tcsetattr(keys, OptionalActions::Now, &before)?;
        }
        Ok(())
    }

    /// The jar's terminal gets the size of the caller's.
    pub(super) fn resize(&self) -> io::Result<()> {
        self.terminal().follow()
    }

    /// What others may do to the jar's terminal meanwhile.
    pub(crate) fn terminal(&self) -> Terminal {
        Terminal { master: Arc::clone(&self.master), screen: self.screen.shared() }
    }

    /// What poll should look at.
    pub(super) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let writing = if self.to_jar.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        let showing = if self.screen.is_free() { PollFlags::IN } else { PollFlags::empty() };
        // Without anything asked of it a closed one would still wake the loop.
        let asked = !self.hung_up && !(showing | writing).is_empty();
        let master = asked.then_some((self.master.as_fd(), showing | writing));
        let screen = (!self.screen.is_free()).then_some((self.screen.as_fd(), PollFlags::OUT));
        let room = self.to_jar.len() < CHUNK;
        let keys = self.keys.as_ref().filter(|_| room).map(|keys| (keys.as_fd(), PollFlags::IN));
        master.into_iter().chain(screen).chain(keys)
    }

    /// Moves what can be moved without waiting.
    pub(super) fn pump(
        &mut self,
        started: &Started,
        output: &mut Output,
        forwarded: &mut Vec<i32>,
    ) -> io::Result<()> {
        self.show(output)?;
        self.take_keys(started, forwarded)?;
        self.feed()
    }

    /// What the jar wrote before its end.
    pub(super) fn drain(&mut self, output: &mut Output, patience: Patience<'_>) {
        while self.screen.finish(patience).is_ok()
            && !self.hung_up
            && self.show(output).is_ok_and(|moved| moved)
        {}
    }

    /// Output of the jar to the screen; whether there was any.
    fn show(&mut self, output: &mut Output) -> io::Result<bool> {
        self.screen.flush()?;
        if !self.screen.is_free() || output.is_over() {
            return Ok(false);
        }
        let mut bytes = [0_u8; CHUNK];
        match rustix::io::read(&self.master, &mut bytes) {
            Ok(0) | Err(Errno::IO) => self.hung_up = true,
            Ok(count) => {
                let pass = output.allow(count);
                self.screen.put(bytes.get(..pass).unwrap_or_default())?;
                return Ok(true);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(false)
    }

    fn take_keys(&mut self, started: &Started, forwarded: &mut Vec<i32>) -> io::Result<()> {
        let Some(keys) = &self.keys else { return Ok(()) };
        if !readable(keys)? {
            return Ok(());
        }
        let mut bytes = [0_u8; 1024];
        let count = match rustix::io::read(keys, &mut bytes) {
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            other => other?,
        };
        if count == 0 {
            self.keys = None;
            return Ok(());
        }
        for &key in bytes.get(..count).unwrap_or_default() {
            if self.suspends(started, key) {
                forwarded.push(i32::from(signals::STOP));
                signals::suspend(started, Some(self))?;
            } else {
                self.to_jar.push_back(key);
            }
        }
        Ok(())
    }

    /// The suspend key stops belljar when the jar's program itself is in the foreground: its session has no shell
    /// that could wake it. A shell in the jar handles its own jobs.
    fn suspends(&self, started: &Started, key: u8) -> bool {
        let Ok(settings) = tcgetattr(&self.master) else { return false };
        let is_key = settings.special_codes[SpecialCodeIndex::VSUSP] == key && key != 0;
        let cooked = settings.local_modes.contains(LocalModes::ISIG);
        is_key && cooked && foreground_is_program(&self.master, started)
    }

    fn feed(&mut self) -> io::Result<()> {
        while !self.to_jar.is_empty() {
            match rustix::io::write(&self.master, self.to_jar.as_slices().0) {
                Ok(count) => drop(self.to_jar.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(Errno::IO) => {
                    self.to_jar.clear();
                    self.hung_up = true;
                }
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The terminal may be gone; there is nobody to tell then.
        drop(self.cooked());
    }
}

fn readable(fd: &OwnedFd) -> io::Result<bool> {
    let mut set = [rustix::event::PollFd::new(fd, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(rustix::event::poll(&mut set, Some(&now))? > 0)
}

/// The program is init's first child and the leader of its group.
fn foreground_is_program(master: &OwnedFd, started: &Started) -> bool {
    let init = started.child.pid;
    let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap_or_default();
    let program = children.split_whitespace().next().and_then(|pid| pid.parse::<i32>().ok());
    let foreground = tcgetpgrp(master).ok().map(|pid| pid.as_raw_nonzero().get());
    program.is_some() && program == foreground
}
