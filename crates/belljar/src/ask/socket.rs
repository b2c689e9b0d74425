//! The user's own program answers, over a unix socket that it listens on.
//!
//! Belljar connects, since a socket that it made would be left behind when it is killed. Before the program starts, the socket
//! must be there, belong to this user, and greet back.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, FileType};

use super::asker::{Answer, Why};
use super::attendant::Front;
use super::error::AskError;
use super::prompt::Prompt;
use super::wire::{Conversation, News, Violation};
use crate::sink;

/// How long the peer may take to greet back.
const GREETING: Duration = Duration::from_secs(5);

/// Most bytes that wait for a peer that does not read.
const UNSENT: usize = 64 * 1024;

/// A conversation with the user's program.
#[derive(Debug)]
pub(crate) struct SocketFront {
    stream: UnixStream,
    talk: Conversation,
    unsent: Vec<u8>,
}

impl SocketFront {
    /// Connects and greets.
    pub(crate) fn connect(path: &Path, always: bool, patience: Duration) -> Result<Self, AskError> {
        let stream = reach(path)?;
        let failed = |source| AskError::Unreachable { path: path.into(), source };
        stream.set_nonblocking(true).map_err(failed)?;
        let talk = Conversation::new(&nonce().map_err(failed)?, always);
        let mut front = Self { stream, talk, unsent: Vec::new() };
        let hello = front.talk.hello(std::process::id(), millis(patience));
        front.say(&hello).map_err(failed)?;
        front.greeting(path)?;
        Ok(front)
    }

    fn greeting(&mut self, path: &Path) -> Result<(), AskError> {
        let failed = |source| AskError::Unreachable { path: path.into(), source };
        let until = Instant::now() + GREETING;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if !readable(self.stream.as_fd(), left).map_err(failed)? {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
            let bytes = self.receive().map_err(failed)?;
            let news = self.talk.hear(&bytes);
            match news.map_err(|source| AskError::Peer { path: path.into(), source })?.as_slice() {
                [] => {}
                [News::Greeted] => return Ok(()),
                _ => return Err(AskError::Peer { path: path.into(), source: Violation::OutOfPhase }),
            }
        }
    }

    /// What has arrived; the end of the stream is an error.
    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = [0_u8; 4096];
        match self.stream.read(&mut bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(bytes.get(..count).unwrap_or_default().to_vec()),
            Err(error) if is_early(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.unsent.len().saturating_add(bytes.len()) > UNSENT {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.unsent.extend_from_slice(bytes);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if is_early(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Front for SocketFront {
    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let writing = if self.unsent.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        Some((self.stream.as_fd(), PollFlags::IN | writing))
    }

    fn show(&mut self, prompt: &Prompt, patience: Duration) -> io::Result<bool> {
        let question = self.talk.ask(prompt, millis(patience));
        self.say(&question)?;
        Ok(true)
    }

    fn read(&mut self) -> io::Result<Option<Answer>> {
        self.flush()?;
        let bytes = self.receive()?;
        let news = self.talk.hear(&bytes).map_err(|violation| {
            tracing::warn!(%violation, "the ask socket broke the protocol");
            io::Error::new(io::ErrorKind::InvalidData, violation)
        })?;
        // Two answers at once to one question are a replay.
        let mut answers = news.into_iter().filter_map(|news| match news {
            News::Answered(answer) => Some(answer),
            _ => None,
        });
        match (answers.next(), answers.next()) {
            (_, Some(_)) => Err(io::Error::new(io::ErrorKind::InvalidData, Violation::NoQuestion)),
            (answer, None) => Ok(answer),
        }
    }

    fn end(&mut self, why: Why, _note: &str) -> io::Result<()> {
        let (outcome, late) = match why {
            Why::Answered(Answer::Once) => ("once", false),
            Why::Answered(Answer::Always) => ("always", false),
            Why::Answered(Answer::Never) => ("never", false),
            _ => ("expired", true),
        };
        let done = self.talk.done(outcome, late);
        self.say(&done)
    }
}

/// Connects to a socket of this user, without following symlinks that a jar may have made.
fn reach(path: &Path) -> Result<UnixStream, AskError> {
    let failed = |errno: rustix::io::Errno| AskError::Unreachable { path: path.into(), source: errno.into() };
    let unfit = |what| AskError::Unfit { path: path.into(), what };
    let name = path.file_name().ok_or_else(|| unfit("no file name"))?;
    let folder = sink::folder_of(path).map_err(failed)?;
    let folder = folder.ok_or_else(|| unfit("reached through a symlink that a jar may have made"))?;
    let stat = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    let me = rustix::process::geteuid();
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err(unfit("not a socket"));
    }
    if stat.st_uid != me.as_raw() {
        return Err(unfit("a socket of another user"));
    }
    // Through the descriptor: the path may lead elsewhere by now, and may be longer than an address can be.
    let place = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    let stream =
        UnixStream::connect(place).map_err(|source| AskError::Unreachable { path: path.into(), source })?;
    let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(failed)?;
    if peer.uid != me {
        return Err(unfit("listened on by another user"));
    }
    let what = super::peer::unfit(&stream, peer.pid.as_raw_nonzero().get());
    what.map_or(Ok(stream), |what| Err(unfit(what)))
}

/// Random, so that the questions of two runs cannot be taken for one another.
fn nonce() -> io::Result<String> {
    let mut bytes = [0_u8; 8];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

pub(super) fn readable(fd: BorrowedFd<'_>, left: Duration) -> io::Result<bool> {
    let left = Timespec::try_from(left).unwrap_or_default();
    let mut set = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    Ok(poll(&mut set, Some(&left))? > 0)
}
