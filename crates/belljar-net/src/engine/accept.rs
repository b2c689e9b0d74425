//! Sockets of the jar: what comes in, and how much of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with, sockopt};
use rustix::process::{Resource, getrlimit};

use crate::budget::Budgets;
use crate::dns::{self, Answer};
use crate::refused::Ear;
use crate::rules::{Host, Standing, is_localhost};
use crate::{Denial, Door, Flow, Reason, Sockets, Who};

use super::connection::{Ask, Connection, Stage};
use super::poll::Token;
use super::side::Side;
use super::{Engine, Next, refused};

/// Connections or datagrams of one socket before others get their turn.
const BATCH: usize = 64;
/// How long nothing is accepted when this process has no descriptor left.
const SHORTAGE: Duration = Duration::from_millis(100);
/// How long a full house waits before it looks for a silent guest again.
const FULL: Duration = Duration::from_secs(1);
/// Silence after which a connection makes room for a new one when all places are taken.
const SILENT: Duration = Duration::from_secs(60);
/// How long a client of a proxy or of DNS may take to say what it wants.
const OPENING: Duration = Duration::from_secs(10);
/// Descriptors of one connection: two sockets and two pipes.
const DESCRIPTORS: u64 = 6;
/// Descriptors that are left to the rest of this process.
const OTHERS: u64 = 64;

/// A socket that was made in the jar.
#[derive(Debug)]
pub(super) enum Listener {
    Stream(Door, TcpListener),
    Datagram(Arc<UdpSocket>),
    Refused(Ear, OwnedFd),
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stream(_, socket) => socket.as_fd(),
            Self::Datagram(socket) => socket.as_fd(),
            Self::Refused(_, socket) => socket.as_fd(),
        }
    }
}

/// Takes the sockets over. From now on none of them blocks.
pub(super) fn listeners(sockets: Sockets) -> io::Result<Vec<Listener>> {
    let tcp = sockets.tcp.into_iter().map(|(_, fd)| (Door::Tcp, fd));
    let dns = sockets.dns_tcp.into_iter().map(|fd| (Door::Dns, fd));
    let http = sockets.http_proxy.into_iter().map(|fd| (Door::Http, fd));
    let socks = sockets.socks.into_iter().map(|fd| (Door::Socks, fd));
    let published = sockets.published.into_iter().map(|(port, fd)| (Door::Published(port), fd));
    let streams = tcp.chain(dns).chain(http).chain(socks).chain(published);
    let streams = streams.map(|(door, fd)| stream(door, fd));
    let datagrams = sockets.dns_udp.into_iter().map(datagram);
    let ears = sockets.refused.into_iter().filter_map(refused::ear).map(Ok);
    streams.chain(datagrams).chain(ears).collect()
}

/// Bytes that are kept for a jar that reads slowly; the kernel doubles it for its own needs. What a pipe holds passes in one
/// call then.
const ON_THE_WAY: usize = 256 << 10;

/// The jar's side is a loopback. Small answers must not wait for more to come, and of large ones no more is kept on the way
/// than stays in a processor's cache: that is half the speed. Nothing is lost on the way, so that the simplest congestion control
/// serves, which every kernel has: one that spreads packets over time, as hosts may have it for the world (BBR), takes half the
/// speed as well. What a listener is told its connections inherit. Where it fails, bytes are late, not wrong.
pub(super) fn tune(jar: impl AsFd) {
    sockopt::set_tcp_nodelay(jar.as_fd(), true).ok();
    sockopt::set_socket_send_buffer_size(jar.as_fd(), ON_THE_WAY).ok();
    sockopt::set_tcp_congestion(jar.as_fd(), "reno").ok();
}

pub(super) fn stream(door: Door, fd: OwnedFd) -> io::Result<Listener> {
    let socket = TcpListener::from(fd);
    socket.set_nonblocking(true)?;
    // Fails for what is no socket of the internet.
    socket.local_addr()?;
    tune(&socket);
    Ok(Listener::Stream(door, socket))
}

fn datagram(fd: OwnedFd) -> io::Result<Listener> {
    let socket = UdpSocket::from(fd);
    socket.set_nonblocking(true)?;
    socket.local_addr()?;
    Ok(Listener::Datagram(Arc::new(socket)))
}

/// As many connections as this process has descriptors for.
pub(super) fn within_limits(mut budgets: Budgets) -> Budgets {
    if let Some(files) = getrlimit(Resource::Nofile).current {
        let open = usize::try_from(files.saturating_sub(OTHERS) / DESCRIPTORS).unwrap_or(usize::MAX);
        budgets.open = budgets.open.min(open);
    }
    budgets.open = budgets.open.max(1);
    budgets
}

impl Engine {
    /// Something came in on a listener.
    pub(super) fn listen(&mut self, place: u64) {
        let listener = usize::try_from(place).ok().and_then(|place| self.listeners.get(place));
        match listener {
            Some(Listener::Stream(door, _)) => {
                let door = *door;
                self.accept(place, door);
            }
            Some(Listener::Datagram(socket)) => {
                let socket = socket.clone();
                self.datagrams(&socket);
            }
            Some(Listener::Refused(..)) => self.refusals(place),
            None => {}
        }
    }

    fn accept(&mut self, place: u64, door: Door) {
        for _ in 0..BATCH {
            if self.paused.is_some() || !self.has_room() {
                return;
            }
            let listener = usize::try_from(place).ok().and_then(|place| self.listeners.get(place));
            let Some(listener) = listener else { return };
            match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(socket) => {
                    self.rate.take();
                    let socket = TcpStream::from(socket);
                    if let Ok(meant) = socket.local_addr() {
                        self.welcome(door, socket, meant, None);
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                    return self.pause(self.now + SHORTAGE);
                }
                // That one connection is gone already.
                Err(_) => {}
            }
        }
    }

    /// Whether one more connection fits into the budgets. What does not fit waits in the listener's queue.
    pub(super) fn has_room(&mut self) -> bool {
        if self.connections.len() >= self.budgets.open && !self.dismiss() {
            self.pause(self.now + FULL);
            return false;
        }
        if let Err(when) = self.rate.has_one(self.now) {
            self.pause(when);
            return false;
        }
        true
    }

    /// Ends the connection that has been silent longest, if that is long.
    fn dismiss(&mut self) -> bool {
        let silence = |connection: &Connection| match &connection.stage {
            Stage::Relay(relay) => relay.idle(self.now),
            _ => Duration::ZERO,
        };
        let longest = self.connections.iter().map(|(id, connection)| (silence(connection), *id)).max();
        let Some((_, id)) = longest.filter(|(silence, _)| *silence >= SILENT) else { return false };
        self.with(id, |_, _| Next::Cut);
        true
    }

    fn pause(&mut self, until: Instant) {
        let streams = self.listeners.iter().filter(|listener| matches!(listener, Listener::Stream(..)));
        for listener in streams.filter(|_| self.paused.is_none()) {
            // A listener that cannot be left alone is asked again: that costs time, nothing else.
            drop(self.poll.forget(listener));
        }
        self.paused = Some(until);
    }

    /// Accepts again when the time has come, or when there is room.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        if self.paused.is_none_or(|until| until > self.now) {
            return Ok(());
        }
        self.paused = None;
        for (place, listener) in (0..).zip(&self.listeners) {
            if matches!(listener, Listener::Stream(..)) {
                self.poll.watch(listener, Token::Listener(place))?;
            }
        }
        Ok(())
    }

    /// A full house has a place again.
    pub(super) fn make_way(&mut self) {
        if self.paused.is_some() && self.connections.len() + 1 == self.budgets.open {
            self.paused = Some(self.now);
        }
    }

    /// A new connection starts, made to this address, and by this process where that is known.
    pub(super) fn welcome(&mut self, door: Door, socket: TcpStream, meant: SocketAddr, by: Option<u32>) {
        let (due, stage) = match door {
            Door::Dns => (self.now + OPENING, Stage::Dns(Vec::new())),
            Door::Tcp | Door::Datagram | Door::Published(_) | Door::Service => (self.now, Stage::Idle),
            Door::Http | Door::Socks => {
                (self.now + OPENING, Stage::Opening { bytes: Vec::new(), is_greeted: false })
            }
        };
        let connection = Connection { jar: Side::new(socket), door, stage, due, held: None, by };
        let id = self.enter(connection);
        self.with(id, |engine, connection| {
            let followed = engine.poll.follow(&connection.jar.socket, Token::Jar(id));
            match (followed, door) {
                (Err(_), _) => Next::Cut,
                (Ok(()), Door::Tcp) => {
                    let ask = engine.meant(connection, meant);
                    engine.ask(id, connection, ask)
                }
                (Ok(()), Door::Published(port)) => engine.inside(id, connection, port),
                (Ok(()), _) => engine.step(id, connection),
            }
        });
    }

    /// A program of the host wants a server of the jar.
    fn inside(&mut self, id: u64, connection: &mut Connection, port: u16) -> Next {
        let own = Host::Address(Ipv4Addr::LOCALHOST.into());
        let ask = Ask { host: own, port, up: Vec::new(), down: Vec::new() };
        let to = self.inside.as_ref().map_or(Ipv4Addr::LOCALHOST, |inside| inside.servers());
        self.start(id, connection, ask, [SocketAddr::from((to, port))].into())
    }

    /// What the address that a connection was made to stands for.
    fn meant(&mut self, connection: &mut Connection, meant: SocketAddr) -> Ask {
        let addr = meant.ip().to_canonical();
        let stand_in = if let IpAddr::V4(addr) = addr { Some(addr) } else { None };
        let name = stand_in.and_then(|addr| self.names.hold(addr));
        connection.held = stand_in.filter(|_| name.is_some());
        let host = name.map_or(Host::Address(addr), Host::Name);
        Ask { host, port: meant.port(), up: Vec::new(), down: Vec::new() }
    }

    fn datagrams(&mut self, socket: &UdpSocket) {
        let mut buffer = [0; dns::LONGEST];
        let here = socket.local_addr().ok();
        for _ in 0..BATCH {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { return };
            let who = here.map(|here| Who::Owner(Flow::new(true, from, here)));
            let reply = buffer.get(..length);
            let reply = reply.and_then(|message| dns::reply(message, |name| self.find(name, who)));
            if let Some(reply) = reply {
                // An answer that finds no room is asked for again, as datagrams are.
                drop(socket.send_to(&reply, from));
            }
        }
    }

    /// What the rules say to a query. Nobody else is asked.
    pub(super) fn find(&mut self, name: &str, who: Option<Who>) -> Answer {
        if is_localhost(name) {
            return Answer::Address(Ipv4Addr::LOCALHOST);
        }
        let is_name = matches!(Host::read(name), Some((Host::Name(read), None)) if read == name);
        let standing = if is_name { self.rules.standing(name) } else { Standing::Unknown };
        match standing {
            Standing::Named | Standing::Below => {
                let address = self.names.address(name, standing == Standing::Named);
                address.map_or(Answer::Busy, Answer::Address)
            }
            Standing::Above | Standing::Unknown if is_name && self.can_ask(name) => {
                self.names.address(name, false).map_or(Answer::Busy, Answer::Address)
            }
            Standing::Above => Answer::Empty,
            Standing::Unknown => {
                let decision = self.rules.refusal(name);
                self.observer.denied(Denial { door: Door::Dns, reason: Reason::Policy, decision, who });
                Answer::NoSuchName
            }
        }
    }
    /// A name that no rule holds but an answer may: it is asked about when somebody connects.
    fn can_ask(&self, name: &str) -> bool {
        let asked = self.appeal.as_ref().is_some_and(|appeal| appeal.can_ask(name));
        asked && self.rules.refusal(name).flag.is_some()
    }
}
