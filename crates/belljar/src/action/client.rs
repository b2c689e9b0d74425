//! The jar's side, for `belljar-request`.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};

use super::frame::{self, Frame, Id, MOST, Outcome, REPLY};
use super::table;
use super::{CHANNEL, REPLIES, REQUESTS};

/// How long the supervisor may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the table is looked at: a file that changes is no event that could be waited for.
const PERIOD: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no such action.
    #[error("there is no action `{0}`")]
    Unknown(String),
    /// An argument is too long to be sent.
    #[error("the arguments are too long")]
    TooLong,
    /// There is no channel.
    #[error("this jar has no actions")]
    NoChannel(#[source] io::Error),
    /// The channel broke, or nobody replied in time.
    #[error("belljar does not reply")]
    NoReply(#[source] io::Error),
    /// The data cannot be read.
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
}

/// Asks for an action, with what `input` holds where it takes data.
///
/// # Errors
/// See [`RequestError`].
pub fn request(
    name: &str,
    arguments: Vec<Vec<u8>>,
    input: impl Read,
) -> Result<(Outcome, String), RequestError> {
    let code = table::code(name).ok_or_else(|| RequestError::Unknown(name.to_owned()))?;
    let mut talk = Talk::open(Path::new(CHANNEL)).map_err(RequestError::NoChannel)?;
    let begin = Frame::Begin(code, arguments).encode(&talk.id).ok_or(RequestError::TooLong)?;
    talk.send(&begin).map_err(RequestError::NoReply)?;
    if table::takes_bytes(name) {
        talk.stream(input)?;
    }
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = talk.answer() {
            return Ok(answer);
        }
        if Instant::now() >= until {
            return Err(RequestError::NoReply(io::ErrorKind::TimedOut.into()));
        }
        poll(&mut [], Some(&PERIOD)).map_err(|errno| RequestError::NoReply(errno.into()))?;
    }
}

struct Talk {
    id: Id,
    requests: File,
    replies: File,
}

impl Talk {
    fn open(channel: &Path) -> io::Result<Self> {
        let mut id = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut id)?;
        let how = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let requests = open(channel.join(REQUESTS), how, Mode::empty())?.into();
        Ok(Self { id, requests, replies: File::open(channel.join(REPLIES))? })
    }

    /// One write for one frame: the kernel keeps it together, or takes nothing of it yet.
    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.requests.write(frame) {
                Ok(count) if count == frame.len() => return Ok(()),
                Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                    let left = Timespec { tv_sec: 1, tv_nsec: 0 };
                    poll(&mut [PollFd::new(&self.requests, PollFlags::OUT)], Some(&left))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends the data, unless the request was refused meanwhile.
    fn stream(&mut self, mut input: impl Read) -> Result<(), RequestError> {
        let mut bytes = [0; MOST];
        loop {
            let count = match input.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other.map_err(RequestError::Input)?,
            };
            if self.answer().is_some() {
                return Ok(());
            }
            let data = bytes.get(..count).unwrap_or_default().to_vec();
            let frame = if count == 0 { Frame::End } else { Frame::Data(data) };
            let frame = frame.encode(&self.id).ok_or(RequestError::TooLong)?;
            self.send(&frame).map_err(RequestError::NoReply)?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn answer(&self) -> Option<(Outcome, String)> {
        let mut bytes = [0; REPLY];
        self.replies.read_exact_at(&mut bytes, frame::place(&self.id)).ok()?;
        frame::answer(&self.id, &bytes)
    }
}
