//! What the jar writes through the supervisor: stdout and stderr when there is a limit, and logs that it may only append to.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::outlet::{Outlet, Patience};

const CHUNK: usize = 64 * 1024;

/// Pipes from the jar to the caller's descriptors.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pipes: Vec<Pipe>,
    /// Bytes that may still pass; none = no limit.
    left: Option<u64>,
    over: bool,
}

#[derive(Debug)]
struct Pipe {
    /// None = nothing more comes, or nobody reads it: the jar's next write fails as it would without a jar.
    from: Option<OwnedFd>,
    to: Outlet,
    /// Its bytes count against the limit.
    counted: bool,
}

impl Output {
    /// Nothing passes beyond `limit` bytes.
    pub(crate) fn limited(limit: u64) -> Self {
        Self { pipes: Vec::new(), left: Some(limit), over: false }
    }

    /// Adds a stream; `from` is non-blocking.
    pub(crate) fn add(&mut self, from: OwnedFd, to: OwnedFd, counted: bool) {
        self.pipes.push(Pipe { from: Some(from), to: Outlet::new(to), counted });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pipes.is_empty()
    }

    pub(super) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        self.pipes.iter().filter_map(|pipe| match (&pipe.from, pipe.to.is_free()) {
            (_, false) => Some((pipe.to.as_fd(), PollFlags::OUT)),
            (Some(from), true) => Some((from.as_fd(), PollFlags::IN)),
            (None, true) => None,
        })
    }

    /// How many of these bytes may pass.
    pub(super) fn allow(&mut self, count: usize) -> usize {
        let Some(left) = &mut self.left else { return count };
        let pass = count.min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left = left.saturating_sub(pass as u64);
        self.over |= pass < count;
        pass
    }

    /// More was written than may pass.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Moves one chunk of each that can be moved without waiting; whether anything came.
    pub(super) fn pump(&mut self) -> io::Result<bool> {
        if self.pipes.is_empty() {
            return Ok(false);
        }
        let mut bytes = vec![0_u8; CHUNK];
        let mut any = false;
        for at in 0..self.pipes.len() {
            let Some(count) = self.pipes.get_mut(at).map(|pipe| pipe.read(&mut bytes)).transpose()? else {
                continue;
            };
            any |= count > 0;
            let counted = self.pipes.get(at).is_some_and(|pipe| pipe.counted);
            let pass = if counted { self.allow(count) } else { count };
            if let Some(pipe) = self.pipes.get_mut(at) {
                pipe.write(bytes.get(..pass).unwrap_or_default())?;
            }
        }
        Ok(any)
    }

    /// What was written before the end. Nothing of the jar lives any more, so this ends with its readers' patience.
    pub(super) fn drain(&mut self, patience: Patience<'_>) -> io::Result<()> {
        loop {
            let any = self.pump()?;
            self.pipes.iter_mut().try_for_each(|pipe| pipe.to.finish(patience))?;
            if !any || self.over || self.pipes.iter().any(|pipe| !pipe.to.is_free()) {
                return Ok(());
            }
        }
    }
}

impl Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(from) = self.from.as_ref().filter(|_| self.to.is_free()) else { return Ok(0) };
        match rustix::io::read(from, into) {
            Ok(0) => self.from = None,
            Ok(count) => return Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(0)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.to.put(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.from = None;
                Ok(())
            }
            done => done,
        }
    }
}
