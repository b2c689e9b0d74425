//! In the program: carries questions from the service to the resolvers and answers back, and looks into neither.
//!
//! The service has no network. It hands each question over with a socket for the answer; what it chooses is one of the resolvers that the
//! program knows. Each question leaves from a port of its own, which a stranger who forges answers has to guess.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::super::client::Helper;
use crate::threads::{Mode, quietly};
use crate::worker::channel::{Break, pair, raw};

/// How long a resolver may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Most questions under way.
const MOST: usize = 32;
/// Longest question in bytes, the number of its resolver included.
const QUESTION: usize = 512;
/// Longest answer in bytes.
pub(super) const ANSWER: usize = 4096;

/// A question under way.
struct Question {
    socket: UdpSocket,
    answer: OwnedFd,
    until: Instant,
}

/// Begins to carry; the service's end, and what ends it.
pub(super) fn start(resolvers: Vec<SocketAddr>) -> io::Result<(OwnedFd, Helper)> {
    let (ours, theirs) = pair()?;
    let (stop, stopped) = pair()?;
    quietly(Mode::Library, || {
        std::thread::Builder::new().name("names".to_owned()).spawn(move || carry(&ours, &stopped, &resolvers))
    })?;
    Ok((theirs, Helper(stop)))
}

/// Until one of both ends is closed.
fn carry(service: &OwnedFd, stopped: &OwnedFd, resolvers: &[SocketAddr]) {
    let mut questions: Vec<Question> = Vec::new();
    while let Ok(ready) = wait(service, stopped, &questions) {
        let [asked, stop, answered @ ..] = ready.as_slice() else { return };
        if *stop {
            return;
        }
        let now = Instant::now();
        let mut answered = answered.iter();
        questions.retain(|question| {
            let done = answered.next() == Some(&true) && pass(question);
            !done && question.until > now
        });
        if *asked && take(service, resolvers, &mut questions).is_err() {
            return;
        }
    }
}

/// What can be read: the service, the end, each question's socket.
fn wait(service: &OwnedFd, stopped: &OwnedFd, questions: &[Question]) -> io::Result<Vec<bool>> {
    let all = [service.as_fd(), stopped.as_fd()].into_iter();
    let all: Vec<BorrowedFd<'_>> = all.chain(questions.iter().map(|one| one.socket.as_fd())).collect();
    let mut set: Vec<_> = all.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let left = |question: &Question| question.until.saturating_duration_since(Instant::now());
    let left = questions.iter().map(left).min().and_then(|left| Timespec::try_from(left).ok());
    match poll(&mut set, left.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(set.iter().map(|one| !one.revents().is_empty()).collect())
}

/// Passes an answer on; whether the question is done with.
fn pass(question: &Question) -> bool {
    let mut bytes = [0; ANSWER];
    match question.socket.recv(&mut bytes) {
        Ok(length) => {
            let answer = bytes.get(..length).unwrap_or_default();
            // Whoever asked may have gone.
            let sent = send(&question.answer, answer, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
            tracing::trace!(?sent, "an answer is passed on");
            true
        }
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}

/// Takes a question. The error is the service's end; what is no question is let fall, and whoever asked hears that.
fn take(service: &OwnedFd, resolvers: &[SocketAddr], questions: &mut Vec<Question>) -> Result<(), Break> {
    let mut bytes = [0; QUESTION];
    let Some((length, descriptors)) = raw(service.as_fd(), &mut bytes)? else { return Ok(()) };
    let Ok([answer]) = <[OwnedFd; 1]>::try_from(descriptors) else { return Ok(()) };
    let Some((resolver, question)) = bytes.get(..length).and_then(<[u8]>::split_first) else { return Ok(()) };
    let Some(resolver) = resolvers.get(usize::from(*resolver)) else { return Ok(()) };
    if questions.len() < MOST
        && let Ok(socket) = ask(*resolver, question)
    {
        questions.push(Question { socket, answer, until: Instant::now() + PATIENCE });
    }
    Ok(())
}

fn ask(resolver: SocketAddr, question: &[u8]) -> io::Result<UdpSocket> {
    let own: SocketAddr = match resolver {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(own)?;
    socket.set_nonblocking(true)?;
    socket.connect(resolver)?;
    socket.send(question)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use rustix::net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SocketFlags, SocketType, sendmsg,
    };

    use super::*;

    fn resolver() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let at = socket.local_addr().unwrap();
        (socket, at)
    }

    fn hand(carrier: &OwnedFd, packet: &[u8], descriptors: &[BorrowedFd<'_>]) {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        sendmsg(carrier, &[io::IoSlice::new(packet)], &mut control, SendFlags::NOSIGNAL).unwrap();
    }

    /// Waits for the other end of a question's socket: an answer, or the end.
    fn heard(answer: &OwnedFd) -> Vec<u8> {
        let mut bytes = [0; 64];
        let length = rustix::io::read(answer, &mut bytes).unwrap();
        bytes[..length].to_vec()
    }

    #[test]
    fn questions_go_to_the_known_resolvers_and_to_nobody_else() {
        let (socket, at) = resolver();
        let (carrier, _helper) = start(vec![at]).unwrap();
        let pairs = || {
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .unwrap()
        };
        // What is no question is let fall, and the next one is carried all the same.
        let (_ours, theirs) = pairs();
        hand(&carrier, b"\0no way back", &[]);
        hand(&carrier, b"\0two ways", &[theirs.as_fd(), theirs.as_fd()]);
        hand(&carrier, &[0; QUESTION + 1], &[]);
        for resolver in [1, 2, 255] {
            let (ours, theirs) = pairs();
            hand(&carrier, &[resolver, 7], &[theirs.as_fd()]);
            drop(theirs);
            assert_eq!(heard(&ours), b"", "there is no resolver {resolver}");
        }
        let (ours, theirs) = pairs();
        hand(&carrier, b"\0the question", &[theirs.as_fd()]);
        let mut bytes = [0; 64];
        let (length, from) = socket.recv_from(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"the question");
        // Whoever is not the resolver is not heard.
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"forged", from).unwrap();
        socket.send_to(b"the answer", from).unwrap();
        assert_eq!(heard(&ours), b"the answer");
    }

    #[test]
    fn no_more_than_so_many_are_under_way_and_each_gets_an_end() {
        let (_socket, at) = resolver();
        let (carrier, helper) = start(vec![at]).unwrap();
        let mut waiting = Vec::new();
        for _ in 0..MOST + 8 {
            let (ours, theirs) = pair().unwrap();
            hand(&carrier, b"\0question", &[theirs.as_fd()]);
            waiting.push(ours);
        }
        for answer in &waiting {
            assert_eq!(heard(answer), b"");
        }
        // Without the program's side nothing is carried any more.
        drop(helper);
        assert_eq!(heard(&carrier), b"");
    }
}
