//! The host's terminal: a pseudo-terminal whose master end the runner holds like a terminal window does.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal window without a picture.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// What a terminal window reads and draws.
    pub(crate) master: OwnedFd,
    /// Path of the end that programs use.
    pub(crate) path: PathBuf,
}

impl Terminal {
    /// Opens a fresh one that is nobody's controlling terminal.
    pub(crate) fn open() -> io::Result<Terminal> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let path = PathBuf::from(name.to_string_lossy().into_owned());
        Ok(Terminal { master, path })
    }
}
