//! What the jar's side hands over.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

/// Sockets that were made inside the jar's network namespace and are served outside of it. Each list may hold one socket
/// per address family, or be empty. Nobody inside keeps a copy: whoever holds a listener could accept from it.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Listening TCP sockets on the wildcard address, each with its port. The address that a connection was made to tells
    /// what was meant: a stand-in is a name, `127.0.0.1` and `::1` are services of the host, others are themselves.
    pub tcp: Vec<(u16, OwnedFd)>,
    /// Bound UDP sockets that answer DNS, on the addresses that the jar's `resolv.conf` names (never on the wildcard: the
    /// answer has to come from the address that was asked).
    pub dns_udp: Vec<OwnedFd>,
    /// Listening TCP sockets that answer DNS.
    pub dns_tcp: Vec<OwnedFd>,
    /// Listening TCP sockets of the HTTP proxy (CONNECT and absolute-form requests).
    pub http_proxy: Vec<OwnedFd>,
    /// Listening TCP sockets of the SOCKS5 proxy.
    pub socks: Vec<OwnedFd>,
    /// Raw sockets of TCP, ICMP and ICMPv6 that hear of connections and datagrams to ports at which nobody waits; they are
    /// told as refused. Other sockets in this list are closed.
    pub refused: Vec<OwnedFd>,
    /// Listening TCP sockets of the host, each with the port of the jar's own `127.0.0.1` that stands behind it.
    pub published: Vec<(u16, OwnedFd)>,
    /// How the jar's side of a published connection is had; without it none can be made.
    pub inside: Option<Box<dyn Inside>>,
}

/// Makes sockets that reach servers of the jar, on request.
pub trait Inside: fmt::Debug + Send {
    /// A TCP socket (IPv4) of the network that servers of the jar wait in, connected to nothing yet. The serving thread waits
    /// for it.
    ///
    /// # Errors
    /// The jar is gone, or cannot make one.
    fn socket(&self) -> io::Result<OwnedFd>;

    /// The same, of both families; of IPv4 alone where the kernel has no other. It is not bound yet.
    ///
    /// # Errors
    /// As there; and nothing can wait for the jar where it has no network of its own.
    fn socket_of_both(&self) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Where servers of the jar are found by such a socket.
    fn servers(&self) -> Ipv4Addr {
        Ipv4Addr::LOCALHOST
    }
}
