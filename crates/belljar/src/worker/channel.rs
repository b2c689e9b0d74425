//! One end of a channel: whole messages, each within a time.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use belljar_sys::memory::Fresh;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::frame::{Frame, FrameError, HEAD, Head, Kind, MOST_BODY, MOST_DESCRIPTORS, MOST_INLINE};

/// Why there is no message.
#[derive(Debug)]
pub(crate) enum Break {
    /// The other end is closed.
    Closed,
    /// Not within the time.
    Late,
    /// The other side sent something that is no message.
    Frame(FrameError),
    /// The kernel refused.
    System(io::Error),
}

impl From<Errno> for Break {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::PIPE | Errno::CONNRESET => Self::Closed,
            other => Self::System(other.into()),
        }
    }
}

/// A point in time; none = never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) const NEVER: Self = Self(None);

    pub(crate) fn after(time: Duration) -> Self {
        // What lies beyond the clock's reach never comes.
        Self(Instant::now().checked_add(time))
    }

    fn is_never(self) -> bool {
        self.0.is_none()
    }

    fn left(self) -> Result<Option<Timespec>, Break> {
        let Some(at) = self.0 else { return Ok(None) };
        let left = at.checked_duration_since(Instant::now()).ok_or(Break::Late)?;
        Timespec::try_from(left).map(Some).map_err(|_| Break::Late)
    }
}

/// Waits until one of these is ready; its index.
pub(crate) fn wait<const N: usize>(
    on: [(BorrowedFd<'_>, PollFlags); N],
    until: Deadline,
) -> Result<[bool; N], Break> {
    let mut set = on.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags));
    loop {
        let left = until.left()?;
        match poll(&mut set, left.as_ref()) {
            Ok(0) => return Err(Break::Late),
            Ok(_) => return Ok(set.map(|one| !one.revents().is_empty())),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Break::System(errno.into())),
        }
    }
}

/// Whether something can be read now, the end included; waits for nothing.
pub(super) fn is_readable(fd: BorrowedFd<'_>) -> bool {
    const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut set = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    poll(&mut set, Some(&AT_ONCE)).is_ok_and(|ready| ready > 0)
}

/// A pair of ends; both close on exec.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// A message that is to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) body: &'a [u8],
    pub(crate) descriptors: &'a [BorrowedFd<'a>],
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(kind: Kind, number: u64, body: &'a [u8]) -> Self {
        Self { kind, number, body, descriptors: &[] }
    }
}

/// Sends one message.
pub(crate) fn send(to: BorrowedFd<'_>, message: &Outgoing<'_>, until: Deadline) -> Result<(), Break> {
    let oversized = |most| Break::Frame(FrameError::Oversized { said: message.body.len(), most });
    let len = u32::try_from(message.body.len()).map_err(|_| oversized(MOST_BODY))?;
    if message.body.len() > MOST_BODY {
        return Err(oversized(MOST_BODY));
    }
    let memory = (message.body.len() > MOST_INLINE).then(|| filled(message.body)).transpose()?;
    let all: Vec<_> = memory.iter().map(AsFd::as_fd).chain(message.descriptors.iter().copied()).collect();
    let found = all.len();
    let descriptors = u8::try_from(found).ok().filter(|_| found <= MOST_DESCRIPTORS);
    let descriptors = descriptors.ok_or(Break::Frame(FrameError::Descriptors { said: 0, found }))?;
    let head = Head { kind: message.kind, descriptors, len, number: message.number }.encode();
    let body = if memory.is_some() { &[] } else { message.body };
    packet(to, &[IoSlice::new(&head), IoSlice::new(body)], &all, until)
}

fn filled(body: &[u8]) -> Result<OwnedFd, Break> {
    let os = |errno: belljar_sys::Errno| Break::System(io::Error::from_raw_os_error(errno.0));
    let mut fresh = Fresh::new(body.len()).map_err(os)?;
    fresh.copy_from_slice(body);
    fresh.seal().map_err(os)
}

fn packet(
    to: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    descriptors: &[BorrowedFd<'_>],
    until: Deadline,
) -> Result<(), Break> {
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        match sendmsg(to, parts, &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(_) => return Ok(()),
            Err(Errno::AGAIN) => drop(wait([(to, PollFlags::OUT)], until)?),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Room for one packet, used again and again.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Longest body that is taken.
    most: usize,
}

impl Inbox {
    pub(crate) fn new(most: usize) -> Self {
        Self { bytes: vec![0; HEAD + most.min(MOST_INLINE)], most }
    }

    /// The longest body that is taken.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// The next message, once it is there; does not wait.
    pub(crate) fn take(&mut self, from: BorrowedFd<'_>) -> Result<Option<Frame<'_>>, Break> {
        self.receive(from, false)
    }

    fn receive(&mut self, from: BorrowedFd<'_>, blocks: bool) -> Result<Option<Frame<'_>>, Break> {
        let Some((len, descriptors)) = packet_from(from, &mut self.bytes, blocks)? else { return Ok(None) };
        let most = self.most;
        if len > self.bytes.len() {
            return Err(Break::Frame(FrameError::Oversized { said: len.saturating_sub(HEAD), most }));
        }
        let packet = self.bytes.get(..len).unwrap_or_default();
        Frame::check(packet, descriptors, most).map(Some).map_err(Break::Frame)
    }

    /// The next message. Nobody else reads from this end: what is announced is there.
    pub(crate) fn next(&mut self, from: BorrowedFd<'_>, until: Deadline) -> Result<Frame<'_>, Break> {
        let blocks = until.is_never();
        if !blocks {
            wait([(from, PollFlags::IN)], until)?;
        }
        self.receive(from, blocks)?.ok_or(Break::System(io::ErrorKind::WouldBlock.into()))
    }
}

/// One packet: its length, which may exceed the room, and the descriptors that came along. None when there is none yet.
pub(crate) fn raw(from: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<Option<Packet>, Break> {
    packet_from(from, bytes, false)
}

type Packet = (usize, Vec<OwnedFd>);

fn packet_from(from: BorrowedFd<'_>, bytes: &mut [u8], blocks: bool) -> Result<Option<Packet>, Break> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let waits = if blocks { RecvFlags::empty() } else { RecvFlags::DONTWAIT };
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::TRUNC | waits;
    let got = loop {
        match recvmsg(from, &mut [IoSliceMut::new(bytes)], &mut control, flags) {
            // A reset tells that the other side left words of ours unread; its own last word is still there.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(errno) => return Err(errno.into()),
            Ok(got) => break got,
        }
    };
    let descriptors = taken(&mut control);
    if got.flags.contains(ReturnFlags::CTRUNC) {
        let found = descriptors.len().saturating_add(1);
        return Err(Break::Frame(FrameError::Descriptors { said: 0, found }));
    }
    match got.bytes {
        0 => Err(Break::Closed),
        len => Ok(Some((len, descriptors))),
    }
}

fn taken(control: &mut RecvAncillaryBuffer<'_>) -> Vec<OwnedFd> {
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            descriptors.extend(fds);
        }
    }
    descriptors
}
