//! One end of a connection: a socket, and what is known about it from events that are told once.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustix::event::epoll::EventFlags;
use rustix::net::sockopt;

/// A socket that does not block.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) socket: TcpStream,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// Both directions are over, or an error waits to be read.
    pub(super) is_broken: bool,
}

impl Side {
    /// Nothing is known, so everything is worth a try.
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { socket, readable: true, writable: true, is_broken: false }
    }

    pub(super) fn note(&mut self, flags: EventFlags) {
        let over = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        self.readable |= over || flags.intersects(EventFlags::IN | EventFlags::RDHUP);
        self.writable |= over || flags.contains(EventFlags::OUT);
        self.is_broken |= over;
    }

    /// Reads what is there, at most `most` bytes. False at the end of the stream.
    pub(super) fn read(&mut self, into: &mut Vec<u8>, most: usize) -> io::Result<bool> {
        let mut chunk = [0; 4096];
        while into.len() < most && self.readable {
            let room = chunk.len().min(most - into.len());
            let Some(chunk) = chunk.get_mut(..room) else { break };
            match self.socket.read(chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => into.extend(chunk.iter().take(count)),
                Err(error) => self.readable &= !is_later(error)?,
            }
        }
        Ok(true)
    }

    /// Writes what fits and drops it from `bytes`.
    pub(super) fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        while !bytes.is_empty() && self.writable {
            match self.socket.write(bytes) {
                Ok(count) => drop(bytes.drain(..count.min(bytes.len()))),
                Err(error) => self.writable &= !is_later(error)?,
            }
        }
        Ok(())
    }

    /// Says that nothing more comes. A peer that is gone need not be told.
    pub(super) fn finish(&self) -> io::Result<()> {
        match self.socket.shutdown(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }

    /// Closing will be a reset: the peer learns that this was no orderly end.
    pub(super) fn cut(&self) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO))?)
    }
}

/// True when it would have to be waited for; false when it can be tried again at once.
fn is_later(error: io::Error) -> io::Result<bool> {
    match error.kind() {
        io::ErrorKind::WouldBlock => Ok(true),
        io::ErrorKind::Interrupted => Ok(false),
        _ => Err(error),
    }
}
