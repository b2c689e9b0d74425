//! What the jar writes through the supervisor: stdout and stderr when there is a limit, and logs that it may only append to.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

const CHUNK: usize = 64 * 1024;

/// Pipes from the jar to the caller's descriptors.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pipes: Vec<Pipe>,
    left: u64,
    moved: u64,
}

#[derive(Debug)]
struct Pipe {
    from: OwnedFd,
    to: OwnedFd,
    ended: bool,
    /// Its bytes count against the limit.
    counted: bool,
}

impl Output {
    /// Nothing passes beyond `limit` bytes.
    pub(crate) fn limited(limit: u64) -> Self {
        Self { pipes: Vec::new(), left: limit, moved: 0 }
    }

    /// Adds a stream; `from` is non-blocking.
    pub(crate) fn add(&mut self, from: OwnedFd, to: OwnedFd, counted: bool) {
        self.pipes.push(Pipe { from, to, ended: false, counted });
    }

    pub(super) fn interests(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.pipes.iter().filter(|pipe| !pipe.ended).map(|pipe| pipe.from.as_fd())
    }

    /// Moves one chunk of each; false when the limit is reached.
    pub(super) fn pump(&mut self) -> io::Result<bool> {
        let mut bytes = vec![0_u8; CHUNK];
        for pipe in self.pipes.iter_mut().filter(|pipe| !pipe.ended) {
            let count = match rustix::io::read(&pipe.from, &mut bytes) {
                Ok(0) => {
                    pipe.ended = true;
                    continue;
                }
                Ok(count) => count,
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let left = if pipe.counted { usize::try_from(self.left).unwrap_or(usize::MAX) } else { count };
            let pass = count.min(left);
            write_all(&pipe.to, bytes.get(..pass).unwrap_or_default())?;
            self.moved = self.moved.saturating_add(pass as u64);
            if pipe.counted {
                self.left = self.left.saturating_sub(pass as u64);
            }
            if pass < count {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was written before the end. Nothing of the jar lives any more, so this ends.
    pub(super) fn drain(&mut self) {
        while self.pipes.iter().any(|pipe| !pipe.ended) {
            let before = self.moved;
            if !self.pump().is_ok_and(|more| more) || self.moved == before {
                return;
            }
        }
    }
}

fn write_all(to: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
