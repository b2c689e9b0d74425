//! The size of a jar's terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::termios::{Winsize, tcgetwinsize, tcsetwinsize};

/// The terminal of a jar whose standard descriptors are the caller's terminal: [`Child::terminal`](crate::Child::terminal).
///
/// It starts with the size of the caller's. Later changes are the caller's to pass on, since a library takes no signal from its
/// program: after `SIGWINCH`, or whatever else tells of a new size, call [`Terminal::follow`]. Either call is one or two system
/// calls that take no lock, as a signal handler may make them, and the programs of the jar hear of it by a `SIGWINCH` of their
/// own. After the end of the jar nothing happens.
///
/// ```no_run
/// let mut child = belljar::Command::new("top").spawn()?;
/// if let Some(terminal) = child.terminal() {
///     terminal.resize(24, 80)?;
/// }
/// child.wait()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Terminal {
    pub(super) master: Arc<OwnedFd>,
    pub(super) screen: Arc<OwnedFd>,
}

impl Terminal {
    /// Gives it so many rows and columns of characters.
    ///
    /// # Errors
    /// The kernel's.
    pub fn resize(&self, rows: u16, columns: u16) -> io::Result<()> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(&self.master, size)?)
    }

    /// Gives it the size that the caller's terminal has now.
    ///
    /// # Errors
    /// The kernel's: the caller's terminal is gone.
    pub fn follow(&self) -> io::Result<()> {
        let size = tcgetwinsize(&self.screen)?;
        Ok(tcsetwinsize(&self.master, size)?)
    }
}
