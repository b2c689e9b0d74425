//! Where output goes: a descriptor of the caller, written without ever waiting for its reader.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;

/// A pipe that can be written takes at least so much at once.
const PIECE: usize = 4096;

/// How long the last output may wait for its reader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience<'a> {
    /// None = for ever.
    pub(crate) until: Option<Instant>,
    /// Readable when the caller wants to go.
    pub(crate) stop: Option<BorrowedFd<'a>>,
}

/// A descriptor and what it has not taken yet.
#[derive(Debug)]
pub(crate) struct Outlet {
    fd: Arc<OwnedFd>,
    held: Vec<u8>,
    /// A file on disk takes everything.
    file: bool,
}

impl Outlet {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        let kind = fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let waits = matches!(kind, Ok(FileType::Fifo | FileType::CharacterDevice));
        let own = if waits { anew(&fd) } else { None };
        Self { fd: Arc::new(own.unwrap_or(fd)), held: Vec::new(), file: kind == Ok(FileType::RegularFile) }
    }

    /// The descriptor, for whoever outlives this.
    pub(crate) fn shared(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.fd)
    }

    pub(crate) fn is_free(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes bytes and writes what can be written now.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        self.flush()
    }

    /// Writes what can be written now.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.held.is_empty()
            && (self.file || self.ready(Patience { until: Some(Instant::now()), stop: None })?)
        {
            let most = if self.file { usize::MAX } else { PIECE };
            match rustix::io::write(&self.fd, &self.held[..self.held.len().min(most)]) {
                Ok(count) => drop(self.held.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => {
                    self.held.clear();
                    return Err(errno.into());
                }
            }
        }
        Ok(())
    }

    /// Writes everything, as far as patience goes.
    pub(crate) fn finish(&mut self, patience: Patience<'_>) -> io::Result<()> {
        while !self.is_free() && (self.file || self.ready(patience)?) {
            self.flush()?;
        }
        Ok(())
    }

    /// Waits until something can be written; false when patience has ended.
    fn ready(&self, patience: Patience<'_>) -> io::Result<bool> {
        let mut set = vec![PollFd::new(&self.fd, PollFlags::OUT)];
        set.extend(patience.stop.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let left = patience.until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        match poll(&mut set, left.as_ref()) {
            Ok(_) => Ok(set.first().is_some_and(|fd| !fd.revents().is_empty())),
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for Outlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The same pipe or terminal with flags of its own: whether the caller's descriptor waits is the caller's.
fn anew(fd: &OwnedFd) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    open(format!("/proc/self/fd/{}", fd.as_raw_fd()), flags, Mode::empty()).ok()
}
