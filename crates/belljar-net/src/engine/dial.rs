//! Connecting to an address that was checked.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::{Connected, Door, Failure, Inside};

use super::connection::{Ask, Connection, Dial, Stage};
use super::poll::Token;
use super::relay::{LOOK, Relay};
use super::side::Side;
use super::{Engine, Next};

/// How long all tries together may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long one address is tried alone (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);
/// Most tries at once: each has a descriptor.
const TRIES: usize = 4;
/// Silence after which the kernel asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What became of a try.
enum Outcome {
    Connected,
    Pending,
    Failed(io::Error),
}

impl Engine {
    /// Starts with the first of these addresses.
    pub(super) fn start(
        &mut self,
        id: u64,
        connection: &mut Connection,
        ask: Ask,
        left: VecDeque<SocketAddr>,
    ) -> Next {
        let until = self.now + LIMIT;
        let mut dial = Dial { ask, left, tries: Vec::new(), until, is_refused: true, said: None };
        self.next_try(id, connection.door, &mut dial);
        self.carry_on(id, connection, dial)
    }

    /// Looks what became of the tries.
    pub(super) fn dial(&mut self, id: u64, connection: &mut Connection) -> Next {
        let Stage::Dial(mut dial) = std::mem::replace(&mut connection.stage, Stage::Idle) else {
            return Next::End;
        };
        if connection.jar.is_broken {
            return Next::Cut;
        }
        for at in (0..dial.tries.len()).rev() {
            let Some((socket, _)) = dial.tries.get(at) else { continue };
            match outcome(socket) {
                Outcome::Pending => {}
                Outcome::Connected => {
                    let (socket, to) = dial.tries.swap_remove(at);
                    return self.open(id, connection, dial, socket, to);
                }
                Outcome::Failed(error) => {
                    dial.lose(error);
                    dial.tries.swap_remove(at);
                }
            }
        }
        if dial.tries.is_empty() || connection.due <= self.now {
            self.next_try(id, connection.door, &mut dial);
        }
        self.carry_on(id, connection, dial)
    }

    /// Waits for the tries, or gives up.
    fn carry_on(&mut self, id: u64, connection: &mut Connection, dial: Dial) -> Next {
        let failure = match (dial.tries.is_empty(), dial.until <= self.now) {
            (true, _) if dial.is_refused => Failure::Refused,
            (true, _) => Failure::Unreachable,
            (_, true) => Failure::Late,
            _ => {
                let stagger = self.now + STAGGER;
                let may_try = !dial.left.is_empty() && dial.tries.len() < TRIES;
                let due = if may_try { stagger.min(dial.until) } else { dial.until };
                connection.stage = Stage::Dial(dial);
                self.wake_at(id, connection, due);
                return Next::Wait;
            }
        };
        let said = dial.said.filter(|_| failure == Failure::Unreachable).map(|error| error.to_string());
        self.fail(id, connection, (failure, said), &dial.ask.object())
    }

    /// Tries further addresses until one try is under way.
    fn next_try(&mut self, id: u64, door: Door, dial: &mut Dial) {
        while dial.tries.len() < TRIES {
            let Some(to) = dial.left.pop_front() else { return };
            match self.begin(id, door, to) {
                Ok(socket) => return dial.tries.push((socket, to)),
                Err(error) => dial.lose(error),
            }
        }
    }

    fn begin(&self, id: u64, door: Door, to: SocketAddr) -> io::Result<TcpStream> {
        let socket = match (door, &self.inside) {
            (Door::Published(_), Some(inside)) => inside_socket(&**inside)?,
            (Door::Published(_), None) => return Err(io::ErrorKind::Unsupported.into()),
            _ => outside_socket(to)?,
        };
        sockopt::set_tcp_nodelay(&socket, true)?;
        sockopt::set_socket_keepalive(&socket, true)?;
        sockopt::set_tcp_keepidle(&socket, KEEPALIVE)?;
        match connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        self.poll.follow(&socket, Token::Out(id))?;
        Ok(socket)
    }

    /// The way is open: the other tries are dropped, bytes pass.
    fn open(
        &mut self,
        id: u64,
        connection: &mut Connection,
        dial: Dial,
        socket: TcpStream,
        address: SocketAddr,
    ) -> Next {
        let (object, door) = (dial.ask.object(), connection.door);
        self.observer.connected(Connected { door, object, address });
        let relay = Relay::new(Side::new(socket), dial.ask.up, dial.ask.down, self.now);
        connection.stage = Stage::Relay(Box::new(relay));
        let due = self.now + LOOK;
        self.wake_at(id, connection, due);
        self.step(id, connection)
    }
}

/// A socket of the host's network.
fn outside_socket(to: SocketAddr) -> io::Result<TcpStream> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, SocketType::STREAM, flags, None)?.into())
}

/// A socket of the jar's.
fn inside_socket(inside: &dyn Inside) -> io::Result<TcpStream> {
    let socket = TcpStream::from(inside.socket()?);
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn outcome(socket: &TcpStream) -> Outcome {
    match socket.take_error() {
        Ok(Some(error)) | Err(error) => return Outcome::Failed(error),
        Ok(None) => {}
    }
    match socket.peer_addr() {
        Ok(_) => Outcome::Connected,
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Outcome::Pending,
        Err(error) => Outcome::Failed(error),
    }
}
