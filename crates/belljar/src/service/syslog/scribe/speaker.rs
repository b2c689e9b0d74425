//! One end of what a program speaks to.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recv, recvmsg};

/// Longest message in bytes; what comes beyond it is cut off, or another message in a stream.
const LONGEST: usize = 8192;

/// A program, or several that share what one of them opened.
#[derive(Debug)]
pub(super) struct Speaker {
    socket: OwnedFd,
    packets: bool,
    /// The begin of a line.
    held: Vec<u8>,
    /// Who spoke last: a process id of the host, as the kernel says it.
    pub(super) who: u32,
}

/// What was heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) messages: Vec<Vec<u8>>,
    /// Nothing comes any more.
    pub(super) over: bool,
}

impl Speaker {
    pub(super) fn new(socket: OwnedFd, packets: bool) -> Self {
        Self { socket, packets, held: Vec::new(), who: 0 }
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Reads what is there, without waiting.
    pub(super) fn hear(&mut self) -> Heard {
        // The kernel names nobody at the end, which no message can tell.
        match recv(&self.socket, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((_, 1..)) => {}
            Err(Errno::AGAIN | Errno::INTR) => return Heard::default(),
            // A line that nobody ended is one.
            _ => return Heard { messages: vec![std::mem::take(&mut self.held)], over: true },
        }
        let mut bytes = [0_u8; LONGEST];
        // No room for descriptors: the kernel drops them.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let got = recvmsg(&self.socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags);
        let Ok(got) = got else { return Heard::default() };
        let who = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmCredentials(who) => Some(who.pid.as_raw_nonzero().get().unsigned_abs()),
            _ => None,
        });
        self.who = who.unwrap_or(self.who);
        let bytes = bytes.get(..got.bytes).unwrap_or_default();
        let messages = if self.packets { vec![bytes.to_vec()] } else { self.lines(bytes) };
        Heard { messages, over: false }
    }

    /// Whole lines of a stream.
    fn lines(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                0 | b'\n' => lines.push(std::mem::take(&mut self.held)),
                byte => self.held.push(*byte),
            }
            if self.held.len() == LONGEST {
                lines.push(std::mem::take(&mut self.held));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_lines_and_none_is_kept_for_ever() {
        let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut speaker = Speaker::new(socket.into(), false);
        assert_eq!(speaker.lines(b"one\0two\nth"), [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(speaker.lines(b"ree\0"), [b"three".to_vec()]);
        let long = speaker.lines(&vec![b'x'; LONGEST * 2 + 1]);
        assert_eq!(long.iter().map(Vec::len).collect::<Vec<_>>(), [LONGEST, LONGEST]);
        assert_eq!(speaker.held.len(), 1);
    }
}
