//! Ears for what the jar's network turns away by itself: connections and datagrams to ports at which nobody waits.
//!
//! The kernel answers such a connection with a reset that nobody else sends, RST and ACK with sequence number 0, and such a
//! datagram with an ICMP message. Raw sockets behind a filter hear these two and nothing else.

use super::network::{AF_INET, AF_INET6, RAW, in_its_place};
use crate::abi::SockFilter;
use crate::call::{self, Fd, Result};

const TCP: u32 = 6;
const ICMP: u32 = 1;
const ICMPV6: u32 = 58;

/// What an ear hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Connections over IPv4.
    Tcp4,
    /// Connections over IPv6.
    Tcp6,
    /// Datagrams over IPv4.
    Udp4,
    /// Datagrams over IPv6.
    Udp6,
}

impl Refused {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp4, Self::Tcp6, Self::Udp4, Self::Udp6];

    const fn socket(self) -> (u32, u32, &'static [SockFilter]) {
        match self {
            Self::Tcp4 => (AF_INET, TCP, &TCP4),
            Self::Tcp6 => (AF_INET6, TCP, &TCP6),
            Self::Udp4 => (AF_INET, ICMP, &UDP4),
            Self::Udp6 => (AF_INET6, ICMPV6, &UDP6),
        }
    }
}

/// An ear, or a plain socket in its place where the kernel has none: refusals are as they are, only not told.
pub(super) fn hear(what: Refused) -> Result<Fd> {
    ear(what).or_else(|_| in_its_place())
}

fn ear(what: Refused) -> Result<Fd> {
    let (family, protocol, filter) = what.socket();
    let socket = call::socket_of(family, RAW, protocol)?;
    match call::attach_filter(socket, filter) {
        Ok(()) => Ok(socket),
        Err(error) => {
            call::close(socket);
            Err(error)
        }
    }
}

const fn op(code: u16, k: u32) -> SockFilter {
    SockFilter { code, jt: 0, jf: 0, k }
}

/// Goes on when the accumulator is `k`, else skips this many.
const fn is(k: u32, jf: u8) -> SockFilter {
    SockFilter { code: 0x15, jt: 0, jf, k }
}

/// X = length of the IPv4 header that the packet begins with. Packets of IPv6 begin behind theirs.
const HEADER: SockFilter = op(0xb1, 0);
const NO_HEADER: SockFilter = op(0x01, 0);
/// One byte, one word at X + k.
const BYTE: u16 = 0x50;
const WORD: u16 = 0x40;
const FLAGS: SockFilter = op(0x54, 0x3f);
/// How much of a packet is kept.
const KEPT: SockFilter = op(0x06, 256);
const NOTHING: SockFilter = op(0x06, 0);
const RST_ACK: u32 = 0x14;

const TCP4: [SockFilter; 8] = tcp(HEADER);
const TCP6: [SockFilter; 8] = tcp(NO_HEADER);
const UDP4: [SockFilter; 7] = unreachable(HEADER, [3, 3]);
const UDP6: [SockFilter; 7] = unreachable(NO_HEADER, [1, 4]);

const fn tcp(header: SockFilter) -> [SockFilter; 8] {
    [header, op(BYTE, 13), FLAGS, is(RST_ACK, 3), op(WORD, 4), is(0, 1), KEPT, NOTHING]
}

/// Type and code of "no such port".
const fn unreachable(header: SockFilter, [kind, code]: [u32; 2]) -> [SockFilter; 7] {
    [header, op(BYTE, 0), is(kind, 3), op(BYTE, 1), is(code, 1), KEPT, NOTHING]
}
