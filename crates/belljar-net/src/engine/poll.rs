//! What is waited for, and whose event it was.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Most events of one turn.
const EVENTS: usize = 256;

/// Whose event it is. Connections have numbers that are never used again, so a late event finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Something from another thread.
    Wake,
    /// A listening or datagram socket, by its place.
    Listener(u64),
    /// The jar's side of a connection.
    Jar(u64),
    /// The outer side, or one of the tries to reach it.
    Out(u64),
}

impl Token {
    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Self::Wake => 0,
            Self::Listener(place) => place << 2 | 1,
            Self::Jar(id) => id << 2 | 2,
            Self::Out(id) => id << 2 | 3,
        })
    }

    fn read(data: EventData) -> Self {
        let (number, kind) = (data.u64() >> 2, data.u64() & 3);
        match kind {
            0 => Self::Wake,
            1 => Self::Listener(number),
            2 => Self::Jar(number),
            _ => Self::Out(number),
        }
    }
}

/// One epoll instance.
#[derive(Debug)]
pub(super) struct Poll {
    epoll: OwnedFd,
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Tells as long as there is something to accept or read.
    pub(super) fn watch(&self, fd: impl AsFd, token: Token) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, token.data(), EventFlags::IN)?)
    }

    /// Tells once whenever something changes, in both directions.
    pub(super) fn follow(&self, fd: impl AsFd, token: Token) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, fd, token.data(), flags)?)
    }

    pub(super) fn forget(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Waits for events, at most `limit`; none is for ever.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<Vec<(Token, EventFlags)>> {
        let limit = limit.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
        let mut events = [const { MaybeUninit::<Event>::uninit() }; EVENTS];
        match epoll::wait(&self.epoll, &mut events, limit.as_ref()) {
            Ok((events, _)) => {
                Ok(events.iter().map(|event| (Token::read(event.data), event.flags)).collect())
            }
            Err(rustix::io::Errno::INTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back() {
        for token in [Token::Wake, Token::Listener(0), Token::Listener(9), Token::Jar(1 << 40), Token::Out(3)]
        {
            assert_eq!(Token::read(token.data()), token);
        }
    }
}
