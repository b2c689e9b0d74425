//! The jar's own network: a loopback to which every address belongs, and sockets on it that the supervisor serves.

use super::refused::{Refused, hear};
use super::rights::Rights;
use crate::abi;
use crate::call::{self, Errno, Fd, Result};
use crate::wire::Event;

pub(super) const AF_INET: u32 = 2;
pub(super) const AF_INET6: u32 = 10;
const AF_NETLINK: u32 = 16;
const STREAM: u32 = 1;
const DATAGRAM: u32 = 2;
pub(super) const RAW: u32 = 3;
const NETLINK_ROUTE: u32 = 0;
const NETLINK_SOCK_DIAG: u32 = 4;
const IPPROTO_IPV6: u32 = 41;
const IPV6_V6ONLY: u32 = 26;
const SIOCSIFFLAGS: u32 = 0x8914;
/// Connections that wait until the supervisor takes them; the kernel caps it at the namespace's `somaxconn`.
const BACKLOG: u32 = 4096;
/// First interface of every network namespace.
const LOOPBACK: u32 = 1;

/// A socket that init makes in the jar's network and the supervisor serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// TCP at this port of every address, of both families where the kernel has both.
    Everywhere(u16),
    /// TCP at this port of 127.0.0.1 only.
    Local(u16),
    /// UDP at this port of 127.0.0.1 only.
    LocalDatagrams(u16),
    /// What nobody else takes is heard of.
    Refused(Refused),
    /// Tells what sockets the network has.
    Owners,
}

impl Serve {
    /// Its port; 0 where it has none.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Everywhere(port) | Self::Local(port) | Self::LocalDatagrams(port) => port,
            Self::Refused(_) | Self::Owners => 0,
        }
    }

    /// It takes TCP connections.
    #[must_use]
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::Everywhere(_) | Self::Local(_))
    }
}

/// The socket stays open: init closes it with everything else.
pub(super) fn loopback() -> Result<()> {
    raise_loopback(fresh_socket()?)
}

/// A socket of the current network namespace.
pub(super) fn fresh_socket() -> Result<Fd> {
    call::socket(AF_INET, DATAGRAM)
}

/// Brings the loopback of a socket's namespace up.
pub(super) fn raise_loopback(socket: Fd) -> Result<()> {
    let mut name = [0_u8; 16];
    for (to, from) in name.iter_mut().zip(b"lo") {
        *to = *from;
    }
    // IFF_UP | IFF_RUNNING
    let mut request = abi::IfReq { name, flags: 0x41, rest: [0; 22] };
    call::ioctl_with(socket, SIOCSIFFLAGS, &mut request).map(drop)
}

/// Makes every address one of the jar's own, so that whatever a program connects to is a socket of this namespace or nothing.
pub(super) fn own_every_address() -> Result<()> {
    let socket = call::socket_of(AF_NETLINK, RAW, NETLINK_ROUTE)?;
    let done = route(socket, AF_INET);
    // A kernel or a loopback without IPv6: such addresses lead nowhere at all then.
    call::unheard(route(socket, AF_INET6));
    call::close(socket);
    done
}

/// `ip route add local FAMILY/0 dev lo`, and the kernel's answer.
fn route(socket: Fd, family: u32) -> Result<()> {
    let request = abi::RouteRequest::every_address(family, LOOPBACK);
    if call::send(socket, &request)? != size_of::<abi::RouteRequest>() {
        return Err(Errno::PIPE);
    }
    let mut answer = abi::NetlinkAnswer::default();
    call::receive(socket, &mut answer)?;
    match answer.error() {
        Some(0) => Ok(()),
        Some(error) => Err(Errno(error)),
        None => Err(Errno::INVAL),
    }
}

/// Makes the sockets, sends them to the supervisor in one message and keeps none.
pub(super) fn serve(status: Fd, wanted: &[Serve]) -> Result<()> {
    let mut made = Rights::none();
    for socket in wanted {
        made.add(open(*socket)?)?;
    }
    made.send(status, Event::Sockets)?;
    made.close();
    Ok(())
}

fn open(wanted: Serve) -> Result<Fd> {
    match wanted {
        Serve::Everywhere(port) => everywhere(port),
        Serve::Local(port) => listen(ipv4(STREAM, LOCALHOST, port)?),
        Serve::LocalDatagrams(port) => ipv4(DATAGRAM, LOCALHOST, port),
        Serve::Refused(what) => hear(what),
        // Without it nobody is named: refusals are as they are.
        Serve::Owners => call::socket_of(AF_NETLINK, RAW, NETLINK_SOCK_DIAG).or_else(|_| in_its_place()),
    }
}

/// A plain socket, where the kernel has none of the kind that is wanted: each has its place in the message.
pub(super) fn in_its_place() -> Result<Fd> {
    call::socket(AF_INET, STREAM)
}

const LOCALHOST: [u8; 4] = [127, 0, 0, 1];

fn everywhere(port: u16) -> Result<Fd> {
    let socket = match of_both() {
        Err(Errno::AFNOSUPPORT) => return listen(ipv4(STREAM, [0; 4], port)?),
        made => made?,
    };
    let address = abi::SockAddrIn6 { family: 10, port: port.to_be_bytes(), ..abi::SockAddrIn6::default() };
    call::bind(socket, &address)?;
    listen(socket)
}

/// One socket for both families: an IPv4 peer is seen as `::ffff:a.b.c.d`.
fn of_both() -> Result<Fd> {
    let socket = call::socket(AF_INET6, STREAM)?;
    call::set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0)?;
    Ok(socket)
}

fn ipv4(kind: u32, addr: [u8; 4], port: u16) -> Result<Fd> {
    let socket = call::socket(AF_INET, kind)?;
    call::bind(socket, &abi::SockAddrIn { family: 2, port: port.to_be_bytes(), addr, zero: [0; 8] })?;
    Ok(socket)
}

fn listen(socket: Fd) -> Result<Fd> {
    call::listen(socket, BACKLOG)?;
    Ok(socket)
}

/// A fresh TCP socket of the jar's network for the supervisor, who connects it to a server inside or has it wait for the jar.
pub(super) fn fresh(errands: Fd, both: bool) -> Result<()> {
    let plain = || call::socket(AF_INET, STREAM);
    let socket = match both {
        true => of_both().or_else(|_| plain())?,
        false => plain()?,
    };
    let mut made = Rights::none();
    made.add(socket)?;
    let sent = made.send(errands, Event::Sockets);
    made.close();
    sent
}

/// Whether every address is the jar's own: a datagram to a documentation address would come from that very address.
/// Nothing is sent.
pub(super) fn owns_every_address() -> bool {
    let Ok(socket) = call::socket(AF_INET, DATAGRAM) else { return true };
    let there = abi::SockAddrIn { family: 2, port: [0, 9], addr: [192, 0, 2, 1], zero: [0; 8] };
    let mut here = there;
    here.addr = [0; 4];
    let named = call::connect(socket, &there).and_then(|()| call::own_name(socket, &mut here));
    call::close(socket);
    named.is_err() || here.addr == there.addr
}
