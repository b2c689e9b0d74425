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
    crate::jar::quietly(crate::jar::Mode::Library, || {
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
