//! Receiving that asks for the sender. Sockets for queries are no sockets of the internet and know none: resolvers that compare
//! it with whom they have asked get their name server's address. All other sockets give what the kernel gives.

use std::net::{IpAddr, SocketAddr};
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
use super::shared::Shared;
use super::task::{Done, Served, Stop, Task};

/// Most bytes of one call: the largest packet of a pair, and enough of a stream.
const MOST: usize = 256 << 10;
/// Length of an address of IPv6; what has less room takes IPv4 alone.
const V6: usize = 28;
const INET: u16 = 2;
const INET6: u16 = 10;

/// One call, its arguments copied.
#[derive(Debug)]
pub(super) struct Receiving {
    socket: OwnedFd,
    pid: u32,
    /// Where bytes, sender and the sender's length go.
    to: [u64; 3],
    size: usize,
    flags: RecvFlags,
    sender: Vec<u8>,
    /// Room for the sender.
    room: usize,
    /// How long it waits; none = until something comes.
    patience: Option<Duration>,
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
        to: [task.register(1), task.register(4), task.register(5)],
        size: usize::try_from(task.register(2)).unwrap_or(MOST).min(MOST),
        flags: RecvFlags::from_bits_retain(task.word(3)),
        patience: sockopt::socket_timeout(&socket, sockopt::Timeout::Recv)?,
        socket,
        sender,
        room,
    };
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
        let mut bytes = vec![0_u8; self.size];
        let (kept, whole) = match recv(&self.socket, &mut bytes, self.flags | RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN) => return Ok(None),
            received => received?,
        };
        let write = |at: u64, bytes: &[u8]| memory.write(at, bytes).map_err(|_| Errno::FAULT);
        let [data, name, length] = self.to;
        write(data, bytes.get(..kept).unwrap_or_default())?;
        write(name, self.sender.get(..self.room).unwrap_or(&self.sender))?;
        write(length, &u32::try_from(self.sender.len()).unwrap_or_default().to_ne_bytes())?;
        Ok(Some(Done::Value(i64::try_from(whole).unwrap_or(i64::MAX))))
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

#[cfg(test)]
mod tests {
    use super::*;

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
