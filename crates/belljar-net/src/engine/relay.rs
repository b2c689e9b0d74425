//! Bytes between the jar and the outer side, through pipes: they never enter this process.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

use super::Next;
use super::side::Side;

/// Bytes that one splice is asked for; a pipe takes what it has room for.
const CHUNK: usize = 1 << 20;
/// Splices of one direction before others get their turn.
const ROUNDS: usize = 32;
/// Empty pipes that are kept.
const KEPT: usize = 16;

/// A connection that is half closed ends after this much silence.
const HALF: Duration = Duration::from_secs(600);
/// How often silence is looked at.
pub(super) const LOOK: Duration = Duration::from_secs(60);

/// Sizes of new pipes by how many there are already. A large one saves calls where much is moved, but with more than this the
/// sender and the receiver work in turns instead of beside each other. The pages of all pipes are counted per user of the
/// host, and the jar must not use them up: with every connection stuck in both directions these are two thirds of the
/// usual limit.
const SIZES: [(usize, usize); 2] = [(32, 256 << 10), (128, 64 << 10)];
const LEAST: usize = 16 << 10;

#[derive(Debug)]
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    /// Counts the pipes there are.
    _one: Arc<()>,
}

/// Empty pipes. A direction has one only while bytes are in it, so that idle connections cost no pipe.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    free: Vec<Pipe>,
    all: Arc<()>,
}

impl Pipes {
    fn take(&mut self) -> io::Result<Pipe> {
        if let Some(pipe) = self.free.pop() {
            return Ok(pipe);
        }
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let count = Arc::strong_count(&self.all) - 1;
        let size = SIZES.iter().find(|(most, _)| count < *most).map_or(LEAST, |(_, size)| *size);
        // Where the host allows less or the user's pages are used up already, the kernel's own size serves.
        fcntl_setpipe_size(&write, size).ok();
        Ok(Pipe { read, write, _one: self.all.clone() })
    }

    fn give(&mut self, pipe: Pipe) {
        if self.free.len() < KEPT {
            self.free.push(pipe);
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    /// Goes before everything else.
    lead: Vec<u8>,
    /// Holds `held` bytes; an empty one goes back.
    pipe: Option<Pipe>,
    held: usize,
    /// The source has said its last byte.
    ended: bool,
    /// And the other side was told so.
    done: bool,
    moved: bool,
}

impl Flow {
    fn new(lead: Vec<u8>) -> Self {
        Self { lead, ..Self::default() }
    }

    /// Moves what can be moved. True when there may be more at once.
    fn pump(&mut self, from: &mut Side, to: &mut Side, pipes: &mut Pipes) -> io::Result<bool> {
        let before = self.lead.len();
        to.write(&mut self.lead)?;
        self.moved |= before != self.lead.len();
        if self.done || !self.lead.is_empty() {
            return Ok(false);
        }
        let mut pipe = match self.pipe.take() {
            Some(pipe) => pipe,
            None if !self.ended && from.readable && to.writable => pipes.take()?,
            None => return Ok(false),
        };
        let more = self.through(&mut pipe, from, to)?;
        if self.held == 0 {
            pipes.give(pipe);
        } else {
            self.pipe = Some(pipe);
        }
        if self.ended && self.held == 0 {
            to.finish()?;
            self.done = true;
        }
        Ok(more && !self.done)
    }

    fn through(&mut self, pipe: &mut Pipe, from: &mut Side, to: &mut Side) -> io::Result<bool> {
        for _ in 0..ROUNDS {
            // Nothing is taken that could only wait in the pipe.
            if !to.writable {
                return Ok(false);
            }
            if self.held == 0 {
                if self.ended || !from.readable {
                    return Ok(false);
                }
                match step(splice(&from.socket, None, &pipe.write, None, CHUNK, FLAGS))? {
                    Some(0) => self.ended = true,
                    Some(count) => self.held = count,
                    None => from.readable = false,
                }
                continue;
            }
            match step(splice(&pipe.read, None, &to.socket, None, self.held, FLAGS))? {
                Some(count) => {
                    self.held = self.held.saturating_sub(count);
                    self.moved = true;
                }
                None => to.writable = false,
            }
        }
        Ok(true)
    }
}

const FLAGS: SpliceFlags = SpliceFlags::NONBLOCK.union(SpliceFlags::MOVE);

/// None when it would have to be waited for.
fn step(result: rustix::io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(Errno::AGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Both directions of one connection.
#[derive(Debug)]
pub(super) struct Relay {
    out: Side,
    up: Flow,
    down: Flow,
    /// When bytes moved last.
    touched: Instant,
}

impl Relay {
    /// `up` goes first to the outer side, `down` first to the jar.
    pub(super) fn new(out: Side, up: Vec<u8>, down: Vec<u8>, now: Instant) -> Self {
        Self { out, up: Flow::new(up), down: Flow::new(down), touched: now }
    }

    pub(super) fn out(&mut self) -> &mut Side {
        &mut self.out
    }

    /// One direction is over or one side is gone, and nothing has moved for long. A peer that leaves without a word would
    /// hold its place for ever. Connections that are open both ways may be silent as long as they like.
    pub(super) fn is_stale(&self, jar: &Side, now: Instant) -> bool {
        let is_over = self.up.done || self.down.done || jar.is_broken || self.out.is_broken;
        is_over && self.idle(now) >= HALF
    }

    /// How long nothing has moved.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.touched)
    }

    /// Moves bytes both ways, and the end of each way.
    pub(super) fn pump(&mut self, jar: &mut Side, pipes: &mut Pipes, now: Instant) -> Next {
        let up = self.up.pump(jar, &mut self.out, pipes);
        let down = self.down.pump(&mut self.out, jar, pipes);
        if std::mem::take(&mut self.up.moved) | std::mem::take(&mut self.down.moved) {
            self.touched = now;
        }
        let (Ok(up), Ok(down)) = (up, down) else { return Next::Cut };
        // A side that is gone while it should still get something: there is nobody to tell.
        let lost = |side: &Side, from: &Flow, to: &Flow| side.is_broken && from.ended && !to.done;
        match (self.up.done && self.down.done, up || down) {
            (true, _) => Next::End,
            _ if lost(jar, &self.up, &self.down) || lost(&self.out, &self.down, &self.up) => Next::Cut,
            (_, true) => Next::Again,
            _ => Next::Wait,
        }
    }
}
