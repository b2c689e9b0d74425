//! Connections that no listener sees: somebody else has made both ends and gives one of them to the loop.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send,
    socket_with,
};

use crate::remote::Bell;
use crate::{Door, dns};

use super::accept::tune;
use super::connection::{Connection, Stage};
use super::poll::Token;
use super::relay::{LOOK, Relay};
use super::side::Side;
use super::{Engine, Next};

/// Connections that wait for the loop; whoever brings more waits, too.
const WAITING: usize = 64;
/// Packets of one socket before others get their turn.
const BATCH: usize = 64;
/// A socket for packets is closed after this much silence.
const SILENT: Duration = Duration::from_secs(60);

/// One end of something whose other end the jar has.
#[derive(Debug)]
pub enum Adopted {
    /// A stream that was meant for this address, the door that the address stands for, and the process that made it.
    Stream(OwnedFd, Door, SocketAddr, u32),
    /// Each packet is a DNS query, and is answered by one (`SOCK_SEQPACKET`); the process that made it.
    Names(OwnedFd, u32),
    /// A stream for whoever listens at this unix socket, which is open without rights (`O_PATH`).
    Service(OwnedFd, Arc<OwnedFd>),
}

/// Brings connections to a running service.
#[derive(Clone, Debug)]
pub struct Adopter {
    sender: SyncSender<Adopted>,
    bell: Arc<Bell>,
}

impl Adopter {
    /// Waits while the service has as many connections as it may have.
    ///
    /// # Errors
    /// The service has ended.
    pub fn adopt(&self, adopted: Adopted) -> io::Result<()> {
        self.sender.send(adopted).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        self.bell.ring();
        Ok(())
    }
}

/// What was brought and not taken yet.
#[derive(Debug)]
pub(super) struct Adoptions {
    receiver: Receiver<Adopted>,
    adopter: Adopter,
    next: Option<Adopted>,
}

impl Adoptions {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        Self { receiver, adopter: Adopter { sender, bell }, next: None }
    }

    pub(super) fn adopter(&self) -> Adopter {
        self.adopter.clone()
    }

    fn wait(&mut self) -> bool {
        if self.next.is_none() {
            // The loop itself has a sender: there is always one.
            self.next = self.receiver.try_recv().ok();
        }
        self.next.is_some()
    }
}

impl Engine {
    /// Takes what was brought, as far as the budgets have room.
    pub(super) fn adopt(&mut self) {
        while self.paused.is_none() && self.adoptions.wait() && self.has_room() {
            self.rate.take();
            match self.adoptions.next.take() {
                Some(Adopted::Stream(socket, door, meant, by)) => self.stream(socket, door, meant, by),
                Some(Adopted::Names(socket, by)) => self.names(socket, by),
                Some(Adopted::Service(socket, at)) => self.service(socket, &at),
                None => return,
            }
        }
    }

    fn stream(&mut self, socket: OwnedFd, door: Door, meant: SocketAddr, by: u32) {
        let socket = TcpStream::from(socket);
        tune(&socket);
        if socket.set_nonblocking(true).is_ok() {
            self.welcome(door, socket, meant, Some(by));
        }
    }

    fn names(&mut self, socket: OwnedFd, by: u32) {
        self.begin_with(socket, (Door::Dns, Some(by)), Stage::Packets, SILENT);
    }

    /// A service that does not take the connection at once is as good as none.
    fn service(&mut self, socket: OwnedFd, at: &OwnedFd) {
        if let Ok(out) = reach(at) {
            let relay = Relay::new(Side::new(out), Vec::new(), Vec::new(), self.now);
            self.begin_with(socket, (Door::Service, None), Stage::Relay(Box::new(relay)), LOOK);
        }
    }

    fn begin_with(
        &mut self,
        socket: OwnedFd,
        (door, by): (Door, Option<u32>),
        stage: Stage,
        patience: Duration,
    ) {
        let socket = TcpStream::from(socket);
        if socket.set_nonblocking(true).is_err() {
            return;
        }
        let due = self.now + patience;
        let id = self.enter(Connection { jar: Side::new(socket), door, stage, due, held: None, by });
        self.with(id, |engine, connection| {
            let out = match &mut connection.stage {
                Stage::Relay(relay) => engine.poll.follow(&relay.out().socket, Token::Out(id)),
                _ => Ok(()),
            };
            match out.and_then(|()| engine.poll.follow(&connection.jar.socket, Token::Jar(id))) {
                Ok(()) => engine.step(id, connection),
                Err(_) => Next::Cut,
            }
        });
    }

    /// Answers queries that come as packets. An answer that finds no room is asked for again.
    pub(super) fn packets(&mut self, id: u64, connection: &mut Connection) -> Next {
        let due = self.now + SILENT;
        self.wake_at(id, connection, due);
        let (mut buffer, who) = ([0; dns::LONGEST], connection.who());
        for _ in 0..BATCH {
            let length = match recv(&connection.jar.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Next::End,
                Ok((length, _)) => length,
                Err(Errno::AGAIN) => return Next::Wait,
                Err(_) => return Next::Cut,
            };
            let reply = buffer.get(..length);
            let reply = reply.and_then(|message| dns::reply(message, |name| self.find(name, who)));
            if let Some(reply) = reply {
                send(&connection.jar.socket, &reply, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).ok();
            }
        }
        Next::Again
    }
}

/// Connects to the very socket that was opened, whatever its path leads to by now.
fn reach(at: &OwnedFd) -> io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(format!("/proc/self/fd/{}", at.as_raw_fd()))?)?;
    Ok(socket.into())
}
