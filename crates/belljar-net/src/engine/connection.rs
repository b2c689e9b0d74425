//! One connection from the jar, from the first byte to the last.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Instant;

use belljar_policy::Decision;

use crate::http::{OPEN, Status};
use crate::rules::{Host, Object};
use crate::socks::Code;
use crate::{Door, Failure, Flow, Who};

use super::relay::Relay;
use super::side::Side;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) jar: Side,
    pub(super) door: Door,
    pub(super) stage: Stage,
    /// When it is looked at even if nothing happens.
    pub(super) due: Instant,
    /// The stand-in that it was made to.
    pub(super) held: Option<Ipv4Addr>,
    /// The process that made it, where whoever brought it knows.
    pub(super) by: Option<u32>,
}

impl Connection {
    /// Who made it.
    pub(super) fn who(&self) -> Option<Who> {
        let socket = &self.jar.socket;
        let flow = || Some(Flow::new(false, socket.peer_addr().ok()?, socket.local_addr().ok()?));
        self.by.map(Who::Process).or_else(|| flow().map(Who::Owner))
    }
}

/// What a connection is at.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing yet; left behind while a stage is worked on.
    Idle,
    /// DNS messages.
    Dns(Vec<u8>),
    /// DNS messages, each a packet.
    Packets,
    /// The opening of a proxy's client.
    Opening { bytes: Vec<u8>, is_greeted: bool },
    /// Waits for somebody who may grant what the rules refuse.
    Appeal(Ask, Box<Decision>),
    /// Waits for the addresses of a name.
    Lookup(Ask),
    /// Tries addresses.
    Dial(Dial),
    /// Passes bytes.
    Relay(Box<Relay>),
    /// Says the last bytes, then nothing more is read.
    Farewell { bytes: Vec<u8>, is_told: bool },
}

/// What is to be reached.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) host: Host,
    pub(super) port: u16,
    /// What goes first to the outer side.
    pub(super) up: Vec<u8>,
    /// What tells the client that the way is open.
    pub(super) down: Vec<u8>,
}

impl Ask {
    pub(super) fn object(&self) -> String {
        Object(&self.host, self.port).to_string()
    }
}

/// Addresses that were checked, one tried after the other; a slow one does not hold up the next.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) ask: Ask,
    pub(super) left: VecDeque<SocketAddr>,
    pub(super) tries: Vec<(TcpStream, SocketAddr)>,
    pub(super) until: Instant,
    /// Every address so far has answered that nobody listens.
    pub(super) is_refused: bool,
    /// What the kernel said of the last address that failed.
    pub(super) said: Option<io::Error>,
}

impl Dial {
    /// An address came to nothing.
    pub(super) fn lose(&mut self, error: io::Error) {
        self.is_refused &= error.kind() == io::ErrorKind::ConnectionRefused;
        self.said = Some(error);
    }
}

impl Door {
    /// What tells a client that the way is open.
    pub(super) fn granted(self) -> Vec<u8> {
        match self {
            Self::Http => OPEN.to_vec(),
            Self::Socks => Code::Granted.reply(),
            Self::Dns | Self::Tcp | Self::Datagram | Self::Published(_) | Self::Service => Vec::new(),
        }
    }

    /// What tells a client that it is not allowed; none: it gets a reset.
    pub(super) fn denied(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Http => Some(Status::Forbidden.answer(text)),
            Self::Socks => Some(Code::Denied.reply()),
            Self::Dns | Self::Tcp | Self::Datagram | Self::Published(_) | Self::Service => None,
        }
    }

    /// What tells a client that it did not work; none: it gets a reset.
    pub(super) fn failed(self, failure: Failure, object: &str) -> Option<Vec<u8>> {
        let (status, code) = match failure {
            Failure::NoAddress | Failure::Unreachable => (Status::BadGateway, Code::Unreachable),
            Failure::Refused => (Status::BadGateway, Code::Refused),
            Failure::Late => (Status::Late, Code::Failed),
        };
        match self {
            Self::Http => Some(status.answer(&format!("belljar: {object} {}", failure.words()))),
            Self::Socks => Some(code.reply()),
            Self::Dns | Self::Tcp | Self::Datagram | Self::Published(_) | Self::Service => None,
        }
    }
}
