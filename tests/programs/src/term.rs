//! A terminal: runs a command on its own pty and plays the user in front of it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::run::{Command, kill_group, shell_code, wait};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running command and the user's side of its terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    user: File,
    side: File,
    child: Child,
    before: Termios,
    /// All that was shown so far.
    pub(crate) seen: String,
    read: usize,
}

impl Terminal {
    /// Starts the command on a new 24x80 terminal that is its controlling one (`setsid` of util-linux makes it so).
    pub(crate) fn start(command: &Command) -> Result<Self> {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&user)?;
        unlockpt(&user)?;
        let name = ptsname(&user, Vec::new())?;
        let side =
            OpenOptions::new().read(true).write(true).open(std::ffi::OsStr::from_bytes(name.as_bytes()))?;
        tcsetwinsize(&user, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
        let before = tcgetattr(&side)?;
        let mut command = command.clone();
        command.argv.splice(0..0, ["setsid".to_owned(), "-c".to_owned()]);
        let mut child = command.build()?;
        let child =
            child.stdin(side.try_clone()?).stdout(side.try_clone()?).stderr(Stdio::from(side.try_clone()?));
        let child = child.spawn()?;
        Ok(Self { user: File::from(user), side, child, before, seen: String::new(), read: 0 })
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) -> Result<()> {
        Ok(self.user.write_all(keys.as_bytes())?)
    }

    /// Changes the window's size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        Ok(tcsetwinsize(&self.user, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?)
    }

    /// Whether the terminal's settings are those from before the command.
    pub(crate) fn is_restored(&self) -> bool {
        tcgetattr(&self.side).is_ok_and(|now| modes(&now) == modes(&self.before))
    }

    /// Waits until this text is shown after the last text waited for.
    pub(crate) fn expect(&mut self, text: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.get(self.read..).and_then(|new| new.find(text)) {
                self.read += at + text.len();
                return Ok(());
            }
            if !self.read_some(deadline)? {
                bail!("no {text:?} on the terminal; shown: {:?}", self.seen);
            }
        }
    }

    /// The command's process id.
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// Waits for the end and gives the shell's exit code.
    pub(crate) fn end(&mut self) -> Result<i32> {
        let status = wait(&mut self.child, PATIENCE)?;
        while self.read_some(Instant::now() + Duration::from_millis(50))? {}
        Ok(shell_code(status))
    }

    fn read_some(&mut self, deadline: Instant) -> Result<bool> {
        let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now()))?;
        if poll(&mut [PollFd::new(&self.user, PollFlags::IN)], Some(&left))? == 0 {
            return Ok(false);
        }
        let mut bytes = [0_u8; 4096];
        let count = self.user.read(&mut bytes)?;
        self.seen.push_str(&String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()));
        Ok(count > 0)
    }
}

/// All settings that a program changes.
fn modes(settings: &Termios) -> (u32, u32, u32, u32) {
    let (input, output) = (settings.input_modes.bits(), settings.output_modes.bits());
    (input, output, settings.control_modes.bits(), settings.local_modes.bits())
}

impl Drop for Terminal {
    fn drop(&mut self) {
        kill_group(&self.child);
        self.child.wait().ok();
    }
}
