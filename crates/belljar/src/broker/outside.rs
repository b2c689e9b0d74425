//! Who connects to the world for a jar whose calls to `connect` are answered here.

use std::fmt;
use std::net::SocketAddr;
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

    /// Whether the jar's own name service or proxies stand behind an address.
    fn is_own(&self, to: SocketAddr) -> bool;

    /// Whether anything is reached at this port. Whoever connects to another is refused, and the user is told.
    fn serves(&self, to: SocketAddr) -> bool;

    /// Takes a TCP connection that was meant for this address.
    fn stream(&self, socket: OwnedFd, to: SocketAddr) -> Result<(), Errno>;

    /// Takes packets, each a DNS query.
    fn names(&self, socket: OwnedFd) -> Result<(), Errno>;

    /// Whether a path of the jar is a listed service of the host.
    fn is_service(&self, path: &Path) -> bool;

    /// Takes a stream for that service.
    fn service(&self, path: &Path, socket: OwnedFd) -> Result<(), Errno>;
}
