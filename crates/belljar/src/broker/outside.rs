//! Who connects to the world for a jar whose calls to `connect` are answered here.

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;

/// What a socket of the host's network may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostNetwork {
    /// Nothing: the jar has a network of its own, or none.
    Closed,
    /// Be connected to the supervisor, who decides by name and address.
    Relayed,
    /// Everything but to meet unix sockets: the network is granted as it is.
    Granted,
}

/// Takes the other ends.
pub(crate) trait Outside: fmt::Debug + Send + Sync {
    /// What sockets of the host's network may do.
    fn network(&self) -> HostNetwork;

    /// A process is about to connect there in the jar's own network.
    fn tries(&self, pid: u32, to: SocketAddr);

    /// Whether the jar's own name service or proxies stand behind an address.
    fn is_own(&self, to: SocketAddr) -> bool;

    /// Whether anything is reached at this port. Who connects to another is refused, and the user is told.
    fn serves(&self, pid: u32, to: SocketAddr) -> bool;

    /// Where a server of the jar waits on the host's loopback that wants to wait here, for IPv6 alone or not; none where
    /// nothing of it is published.
    fn place(&self, at: SocketAddr, only_v6: bool) -> Option<SocketAddrV4>;

    /// A server was bound to that place.
    fn placed(&self, at: SocketAddr, only_v6: bool);

    /// Where a program of the jar finds the server of the jar that it means.
    fn server(&self, to: SocketAddr) -> Option<SocketAddrV4>;

    /// Takes a TCP connection of a process that was meant for this address.
    fn stream(&self, pid: u32, socket: OwnedFd, to: SocketAddr) -> Result<(), Errno>;

    /// Name servers that the jar's programs believe they ask.
    fn resolvers(&self) -> Vec<IpAddr>;

    /// Takes packets of a process, each a DNS query.
    fn names(&self, pid: u32, socket: OwnedFd) -> Result<(), Errno>;

    /// Whether a path of the jar is a listed service of the host.
    fn is_service(&self, path: &Path) -> bool;

    /// Takes a stream for that service.
    fn service(&self, path: &Path, socket: OwnedFd) -> Result<(), Errno>;

    /// Whether a path of the jar is where programs log.
    fn is_log(&self, path: &Path) -> bool;

    /// Takes what a program logs. A packet is a message; in a stream a line is.
    fn log(&self, socket: OwnedFd, packets: bool) -> Result<(), Errno>;
}
