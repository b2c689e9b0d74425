//! Receiving that asks for the sender. Sockets for queries are no sockets of the internet and know none: resolvers that compare
//! it with whom they have asked get their name server's address. All other sockets give what the kernel gives: `recvfrom` tells
//! in a register that it asks, and is carried out here; `recvmsg` tells it in memory, and is left to the kernel where the socket
//! is not one for queries. That decides nothing: the jar may receive on its sockets whatever is asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use belljar_sys::notify::Memory;
use belljar_sys::sockets::{self, Socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketAddrUnix, getsockname, recv, sockopt};

use super::connect::{NAMES, fetch, is_queries};
use super::fifo;
use super::look::errno;
use super::memory;
use super::shared::Shared;
use super::task::{Done, Served, Stop, Task};

/// Most bytes of one call: the largest packet of a pair, and enough of a stream.
const MOST: usize = 256 << 10;
/// Length of an address of IPv6; what has less room takes IPv4 alone.
const V6: usize = 28;
/// Most pieces of memory that one call fills (`UIO_MAXIOV`).
const MOST_PIECES: u64 = 1024;
/// Longest address that the kernel gives.
const LONGEST_NAME: usize = 128;
/// Bytes of a message's head (`struct msghdr`), and of a piece (`struct iovec`).
const HEAD: usize = 56;
const PIECE: usize = 16;
/// The port that such a socket says it has.
const OWN_PORT: u16 = 49_152;
const INET: u16 = 2;
const INET6: u16 = 10;

/// One call, its arguments copied.
#[derive(Debug)]
pub(super) struct Receiving {
    socket: OwnedFd,
    pid: u32,
    /// Where bytes go: address and length of each piece.
    pieces: Vec<(u64, usize)>,
    flags: RecvFlags,
    sender: Vec<u8>,
    /// Where the sender goes, and how much room it has.
    name: Option<(u64, usize)>,
    told: Told,
    /// How long it waits; none = until something comes.
    patience: Option<Duration>,
}

/// Where the caller wants to be told about what it has received.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// The sender's length.
    Length(u64),
    /// The head of a message.
    Head(u64),
    /// The first one of several heads: one message, which is always fewer than may have come.
    First(u64),
}

/// `recvfrom` with room for an address.
pub(super) fn receive(task: &Task<'_>) -> Served {
    let outside = task.shared.outside()?;
    let room = u32::from_ne_bytes(task.bytes(task.register(5))?);
    let room = usize::try_from(room).ok().filter(|room| i32::try_from(*room).is_ok()).ok_or(Errno::INVAL)?;
    let socket = fetch(task, task.int(0))?;
    let look = sockets::look(socket.as_fd()).map_err(errno)?;
    let sender = sender(&socket, &look, room, &outside.resolvers())?;
    let receiving = Receiving {
        pid: task.caller().pid,
        pieces: vec![(task.register(1), usize::try_from(task.register(2)).unwrap_or(MOST).min(MOST))],
        flags: RecvFlags::from_bits_retain(task.word(3)),
        patience: sockopt::socket_timeout(&socket, sockopt::Timeout::Recv)?,
        socket,
        sender,
        name: Some((task.register(4), room)),
        told: Told::Length(task.register(5)),
    };
    served(task, receiving)
}

/// `recvmsg`.
pub(super) fn message(task: &Task<'_>) -> Served {
    one(task, Told::Head(task.register(1)), task.word(2))
}

/// `recvmmsg`.
pub(super) fn messages(task: &Task<'_>) -> Served {
    match task.word(2) {
        0 => Ok(Done::Undecided),
        _ => one(task, Told::First(task.register(1)), task.word(3)),
    }
}

fn one(task: &Task<'_>, told: Told, flags: u32) -> Served {
    let outside = task.shared.outside()?;
    let Some((socket, look)) = queries(task)? else { return Ok(Done::Undecided) };
    if flags & ERRORS != 0 {
        // There are none to hear of.
        return Err(Errno::AGAIN.into());
    }
    let (Told::Length(at) | Told::Head(at) | Told::First(at)) = told;
    let head: [u8; HEAD] = task.bytes(at)?;
    let name = room(&head)?;
    let sender = sender(&socket, &look, name.map_or(0, |(_, room)| room), &outside.resolvers())?;
    let receiving = Receiving {
        pid: task.caller().pid,
        pieces: pieces(task, &head)?,
        flags: RecvFlags::from_bits_retain(flags) & KNOWN,
        patience: sockopt::socket_timeout(&socket, sockopt::Timeout::Recv)?,
        socket,
        sender,
        name,
        told,
    };
    served(task, receiving)
}

/// `getsockname`: a socket for queries has an address of the family that it was asked for with, in spelling and in no network.
pub(super) fn name(task: &Task<'_>) -> Served {
    if queries(task)?.is_none() {
        return Ok(Done::Undecided);
    }
    let room = i32::from_ne_bytes(task.bytes(task.register(2))?);
    let room = usize::try_from(room).map_err(|_| Errno::INVAL)?;
    let own = spelt((Ipv4Addr::LOCALHOST, OWN_PORT).into(), room == V6);
    let memory = Memory::open(task.caller().pid).map_err(|_| Errno::FAULT)?;
    task.still_waits()?;
    write(&memory, task.register(1), own.get(..room).unwrap_or(&own))?;
    write(&memory, task.register(2), &u32::try_from(own.len()).unwrap_or_default().to_ne_bytes())?;
    Ok(Done::Value(0))
}

/// What can be asked of a socket for queries, and errors of what was sent.
const KNOWN: RecvFlags = RecvFlags::PEEK.union(RecvFlags::TRUNC).union(RecvFlags::DONTWAIT);
const ERRORS: u32 = 0x2000;

/// The caller's socket, if it is one for queries. What cannot be had or looked at is the kernel's matter.
fn queries(task: &Task<'_>) -> Result<Option<(OwnedFd, Socket)>, Stop> {
    let socket = match fetch(task, task.int(0)) {
        Err(Stop::Fails(_)) => return Ok(None),
        fetched => fetched?,
    };
    let look = sockets::look(socket.as_fd()).ok().filter(is_queries);
    Ok(look.filter(|_| has_name(&socket).unwrap_or(false)).map(|look| (socket, look)))
}

/// Where a message's sender goes.
fn room(head: &[u8; HEAD]) -> Result<Option<(u64, usize)>, Errno> {
    let [a, b, c, d] = [8, 9, 10, 11].map(|at| head.get(at).copied().unwrap_or(0));
    let (name, room) = (memory::word(head, 0), i32::from_ne_bytes([a, b, c, d]));
    match (name, usize::try_from(room)) {
        (0, _) => Ok(None),
        (_, Ok(room)) => Ok(Some((name, room.min(LONGEST_NAME)))),
        (_, Err(_)) => Err(Errno::INVAL),
    }
}

/// The pieces of a message, as far as they are of use.
fn pieces(task: &Task<'_>, head: &[u8; HEAD]) -> Result<Vec<(u64, usize)>, Stop> {
    let count = memory::word(head, 24);
    let count = usize::try_from(count).ok().filter(|_| count <= MOST_PIECES).ok_or(Errno::MSGSIZE)?;
    let mut bytes = vec![0; count.saturating_mul(PIECE)];
    task.fill(memory::word(head, 16), &mut bytes)?;
    Ok(bounded(&bytes)?)
}

fn bounded(bytes: &[u8]) -> Result<Vec<(u64, usize)>, Errno> {
    let mut left = MOST;
    let piece = |bytes: &[u8]| {
        let length = isize::try_from(memory::word(bytes, 8)).map_err(|_| Errno::INVAL)?.unsigned_abs();
        let length = length.min(left);
        left = left.saturating_sub(length);
        Ok((memory::word(bytes, 0), length))
    };
    bytes.chunks_exact(PIECE).map(piece).collect()
}

fn served(task: &Task<'_>, receiving: Receiving) -> Served {
    task.still_waits()?;
    match receiving.take(task.shared, task.id()).transpose() {
        Some(served) => served,
        None if receiving.is_impatient()? => Err(Errno::AGAIN.into()),
        None => fifo::wait_for_bytes(task, receiving),
    }
}

/// The address that a program gets with what it has received: of answers to its queries one of those that it asks, spelt as
/// its room tells that it compares; else none, as on every socket that is connected.
fn sender(socket: &OwnedFd, look: &Socket, room: usize, known: &[IpAddr]) -> Result<Vec<u8>, Errno> {
    if !is_queries(look) || !has_name(socket)? {
        return Ok(Vec::new());
    }
    let v4 = |addr: &IpAddr| addr.is_ipv4();
    let first = known.iter().find(|addr| room >= V6 || v4(addr));
    Ok(first.map_or_else(Vec::new, |addr| spelt((*addr, NAMES).into(), room == V6)))
}

/// Pairs that the jar has made itself have none.
fn has_name(socket: &OwnedFd) -> Result<bool, Errno> {
    let own = SocketAddrUnix::try_from(getsockname(socket)?)?;
    Ok(own.abstract_name().is_some_and(|name| !name.is_empty()))
}

/// As the kernel spells it.
fn spelt(addr: SocketAddr, as_v6: bool) -> Vec<u8> {
    let port = addr.port().to_be_bytes();
    match addr.ip() {
        IpAddr::V4(ip) if !as_v6 => [&INET.to_ne_bytes()[..], &port, &ip.octets(), &[0; 8]].concat(),
        IpAddr::V4(ip) => v6(port, ip.to_ipv6_mapped().octets()),
        IpAddr::V6(ip) => v6(port, ip.octets()),
    }
}

fn v6(port: [u8; 2], ip: [u8; 16]) -> Vec<u8> {
    [&INET6.to_ne_bytes()[..], &port, &[0; 4], &ip, &[0; 4]].concat()
}

impl Receiving {
    /// What has come, handed to the caller; none where there is nothing yet.
    pub(super) fn take(&self, shared: &Shared, id: u64) -> Result<Option<Done>, Stop> {
        if poll(&mut [PollFd::new(&self.socket, self.waits_for())], Some(&Timespec::default()))? == 0 {
            return Ok(None);
        }
        let memory = Memory::open(self.pid).map_err(|_| Errno::FAULT)?;
        if !shared.listener.is_valid(id) {
            return Err(Stop::Gone);
        }
        let mut bytes = vec![0_u8; self.pieces.iter().map(|(_, length)| length).sum()];
        let (kept, whole) = match recv(&self.socket, &mut bytes, self.flags | self.told.asks()) {
            Err(Errno::AGAIN) => return Ok(None),
            received => received?,
        };
        let mut rest = bytes.get(..kept).unwrap_or_default();
        for (at, length) in &self.pieces {
            let (piece, more) = rest.split_at(rest.len().min(*length));
            write(&memory, *at, piece)?;
            rest = more;
        }
        if let Some((at, room)) = self.name {
            write(&memory, at, self.sender.get(..room).unwrap_or(&self.sender))?;
        }
        Ok(Some(Done::Value(self.tell(&memory, kept, whole)?)))
    }

    /// Tells what came besides bytes; what the call returns.
    fn tell(&self, memory: &Memory, kept: usize, whole: usize) -> Result<i64, Errno> {
        let length = u32::try_from(self.sender.len()).unwrap_or_default().to_ne_bytes();
        let count = if self.flags.contains(RecvFlags::TRUNC) { whole } else { kept };
        let at = match self.told {
            Told::Length(at) => {
                write(memory, at, &length)?;
                return Ok(i64::try_from(whole).unwrap_or(i64::MAX));
            }
            Told::Head(at) | Told::First(at) => at,
        };
        if self.name.is_some() {
            write(memory, at.wrapping_add(8), &length)?;
        }
        let flags = if whole > kept { RecvFlags::TRUNC.bits() } else { 0 };
        // No bytes of control, the flags, and after the head of one of several its length.
        write(memory, at.wrapping_add(40), &[0; 8])?;
        write(memory, at.wrapping_add(48), &flags.to_ne_bytes())?;
        if matches!(self.told, Told::First(_)) {
            write(memory, at.wrapping_add(56), &u32::try_from(count).unwrap_or(u32::MAX).to_ne_bytes())?;
            return Ok(1);
        }
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Errors and ends are told in any case.
    fn waits_for(&self) -> PollFlags {
        if self.flags.contains(RecvFlags::OOB) { PollFlags::PRI } else { PollFlags::IN }
    }

    fn is_impatient(&self) -> Result<bool, Errno> {
        let now = self.flags.contains(RecvFlags::DONTWAIT);
        Ok(now || fcntl_getfl(&self.socket)?.contains(OFlags::NONBLOCK))
    }

    /// What it is told after so long; none while it goes on waiting.
    pub(super) fn late(&self, waited: Duration) -> Option<Served> {
        self.patience.filter(|patience| waited >= *patience).map(|_| Err(Errno::AGAIN.into()))
    }
}

impl Told {
    /// Flags beside the caller's own. Of a packet the whole length is asked for; of a stream that would drop bytes.
    fn asks(self) -> RecvFlags {
        match self {
            Self::Length(_) => RecvFlags::DONTWAIT,
            Self::Head(_) | Self::First(_) => RecvFlags::DONTWAIT | RecvFlags::TRUNC,
        }
    }
}

fn write(memory: &Memory, at: u64, bytes: &[u8]) -> Result<(), Errno> {
    memory.write(at, bytes).map_err(|_| Errno::FAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_message_are_no_more_than_is_of_use() {
        let said = |pieces: &[(u64, u64)]| {
            let words = pieces.iter().flat_map(|(at, length)| [*at, *length]);
            bounded(&words.flat_map(u64::to_le_bytes).collect::<Vec<_>>())
        };
        assert_eq!(said(&[]), Ok(vec![]));
        assert_eq!(said(&[(1, 4), (9, 0), (2, 8)]), Ok(vec![(1, 4), (9, 0), (2, 8)]));
        assert_eq!(
            said(&[(1, 4), (2, i64::MAX.unsigned_abs()), (3, 1)]),
            Ok(vec![(1, 4), (2, MOST - 4), (3, 0)])
        );
        assert_eq!(said(&[(1, 4), (2, 1 << 63)]), Err(Errno::INVAL));
    }

    #[test]
    fn senders_are_spelt_as_the_kernel_does() {
        let four: SocketAddr = "10.1.2.3:53".parse().unwrap();
        assert_eq!(spelt(four, false), [2, 0, 0, 53, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mapped = spelt(four, true);
        assert_eq!((mapped.len(), mapped.get(18..24)), (V6, Some(&[255, 255, 10, 1, 2, 3][..])));
        let six = spelt("[::9]:53".parse().unwrap(), false);
        assert_eq!((six.len(), six.first(), six.get(23)), (V6, Some(&10), Some(&9)));
    }
}
