//! What is told about connections while they are served.

use std::net::SocketAddr;

use belljar_policy::Decision;

/// How the jar asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Door {
    /// A DNS query.
    Dns,
    /// A connection to an address.
    Tcp,
    /// The HTTP proxy.
    Http,
    /// The SOCKS5 proxy.
    Socks,
    /// A datagram, which no list of hosts carries.
    Datagram,
    /// A program of the host, to this port of the jar.
    Published(u16),
    /// A unix socket that stands for a service of the host.
    Service,
}

/// Why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The policy has no rule for it, or one against it.
    Policy,
    /// The name is granted but leads only to addresses that names do not reach: private, link-local, the host itself, ...
    Address,
    /// The budget for names below a pattern is used up.
    Budget,
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Who {
    /// A process, by its id on the host: whoever brought the connection said so.
    Process(u32),
    /// Whoever has this socket of the jar's network. It is open while [`Observer::denied`] is called, if its owner lets it be.
    Owner(Flow),
    /// Whoever tried to connect to this address. The kernel has refused that at once, and no socket of it is left.
    Gone(SocketAddr),
}

/// A socket of the jar's network, by its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// UDP; else TCP.
    pub by_datagram: bool,
    /// Its own address.
    pub own: SocketAddr,
    /// What it is connected to, or has sent to.
    pub peer: SocketAddr,
}

/// Something that the jar asked for and did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// How it asked.
    pub door: Door,
    /// Why not.
    pub reason: Reason,
    /// `HOST:PORT` or the name of a query, the deciding rule with its origin, and the flag that would allow it; printable.
    pub decision: Decision,
    /// Who asked; none when nothing tells.
    pub who: Option<Who>,
}

impl Flow {
    /// Addresses of IPv4 as such, in whatever form they came.
    pub(crate) fn new(by_datagram: bool, own: SocketAddr, peer: SocketAddr) -> Self {
        let plain = |addr: SocketAddr| SocketAddr::new(addr.ip().to_canonical(), addr.port());
        Self { by_datagram, own: plain(own), peer: plain(peer) }
    }
}

/// A connection that was made for the jar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// How it asked.
    pub door: Door,
    /// `HOST:PORT` as the jar meant it.
    pub object: String,
    /// The address that was checked and dialled.
    pub address: SocketAddr,
}

/// Why nothing came of a connection that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The host's resolver has no address for the name.
    NoAddress,
    /// Nobody listens there.
    Refused,
    /// The host has no way there.
    Unreachable,
    /// No answer within the time that all tries together have.
    Late,
}

impl Failure {
    /// In words, after what was to be reached.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoAddress => "has no address",
            Self::Refused => "refuses connections",
            Self::Unreachable => "cannot be reached",
            Self::Late => "does not answer",
        }
    }
}

/// A connection that was granted, and that the host could not make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How it was asked for.
    pub door: Door,
    /// `HOST:PORT` as the jar meant it.
    pub object: String,
    /// What became of it.
    pub failure: Failure,
    /// What the kernel said of the last address that was tried.
    pub said: Option<String>,
    /// Who asked; none when nothing tells.
    pub who: Option<Who>,
}

/// Who is told. Called on the serving thread, so an implementation must not wait; a jar can cause any number of calls.
pub trait Observer: Send + Sync {
    /// Something was refused.
    fn denied(&self, denial: Denial);
    /// A connection was made.
    fn connected(&self, connected: Connected);
    /// A connection that is granted came to nothing outside.
    fn failed(&self, failed: Failed);
}
