//! A client of a service, in any process: it needs nothing but its descriptor.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::ServiceError;
use super::kind::Service;
use super::kind::sealed::Kind;
use super::message::{MOST_REPLY, MOST_REQUEST, Reply, Request};
use crate::command::Child;
use crate::worker::channel::{Break, Deadline, Inbox, Outgoing, send};
use crate::worker::code::{decode, encode};
use crate::worker::frame::{Frame, Kind as Message};
use crate::worker::life::shown;
use crate::worker::{Descriptor, FrameError};

/// How long a service may take to reply, unless set.
const WITHIN: Duration = Duration::from_secs(10);

/// A client of the service `S`.
///
/// The program that starts a service has its first client. It can be [split](Self::try_clone), [narrowed](Self::limit), and handed
/// to a process that has nothing else: to a jar's program by [`Command::pass`](crate::Command::pass), which takes it up by
/// [`Client::passed`]; to a worker as a part of a message.
///
/// ```
/// use belljar::policy::Policy;
/// use belljar::service::Dns;
/// use belljar::worker::Entry;
///
/// static RESOLVE: Entry<(Dns, String), usize> =
///     Entry::new("resolve", |(mut dns, name), _| dns.addresses(&name).map_or(0, |found| found.len()));
/// ```
///
/// The service ends when the program has dropped its own clients, or when nobody has any. One process uses one client: two that
/// share one would get each other's replies.
pub struct Client<S: Service> {
    channel: OwnedFd,
    inbox: Inbox,
    called: u64,
    within: Duration,
    broken: bool,
    /// In the program that started it.
    host: Option<Arc<Host>>,
    types: PhantomData<fn() -> S>,
}

/// The process of a service, for as long as the program wants it.
#[derive(Debug)]
pub(super) struct Host {
    /// Ends with it.
    pub(super) child: Child,
    pub(super) _helper: Option<Helper>,
}

/// Somebody outside who works for a service: ends when this is dropped.
#[derive(Debug)]
pub(super) struct Helper(#[expect(dead_code, reason = "its end is what it is for")] pub(super) OwnedFd);

impl<S: Service> fmt::Debug for Client<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = std::os::fd::AsRawFd::as_raw_fd(&self.channel);
        out.debug_struct("Client")
            .field("service", &S::NAME)
            .field("channel", &channel)
            .finish_non_exhaustive()
    }
}

impl<S: Service> Client<S> {
    pub(super) fn new(channel: OwnedFd, host: Option<Arc<Host>>) -> Self {
        let inbox = Inbox::new(MOST_REPLY);
        Self { channel, inbox, called: 0, within: WITHIN, broken: false, host, types: PhantomData }
    }

    /// In a jar's program: the client that was passed by this name.
    #[must_use]
    pub fn passed(name: &str) -> Option<Self> {
        crate::passed(name).map(Self::from)
    }

    /// How long the service may take for each reply: 10 seconds unless set.
    pub fn within(&mut self, time: Duration) -> &mut Self {
        self.within = time;
        self
    }

    /// Has the service hold this client, and all that are split off from it later, to less. There is no way back.
    ///
    /// # Errors
    /// [`ServiceError::Wider`], decided by the service; the limit that holds stays.
    pub fn limit(&mut self, limit: &S::Limit) -> Result<(), ServiceError> {
        match self.call(Request::Limit(limit.clone()))? {
            Reply::Limited => Ok(()),
            _ => Err(self.not_due()),
        }
    }

    /// Another client of the same service, with the same limit: to be narrowed, and handed on.
    ///
    /// # Errors
    /// [`ServiceError::TooMany`]: a service has at most 128 at once. One that was split off, and what is split off from it, are at most 8.
    pub fn try_clone(&mut self) -> Result<Self, ServiceError> {
        match self.call(Request::Split)? {
            Reply::Split(channel) => {
                let new = Self::new(channel.into_owned(), self.host.clone());
                Ok(Self { within: self.within, ..new })
            }
            _ => Err(self.not_due()),
        }
    }

    /// [`Client::try_clone`], then [`Client::limit`].
    ///
    /// # Errors
    /// Of both.
    pub fn narrowed(&mut self, limit: &S::Limit) -> Result<Self, ServiceError> {
        let mut clone = self.try_clone()?;
        clone.limit(limit).map(|()| clone)
    }

    /// In the program that started the service: pid of its jar's init on this host.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.host.as_ref().map(|host| host.child.id())
    }

    pub(super) fn ask(&mut self, ask: S::Ask) -> Result<S::Told, ServiceError> {
        match self.call(Request::Ask(ask))? {
            Reply::Told(told) => Ok(told),
            _ => Err(self.not_due()),
        }
    }

    /// A reply of another kind.
    pub(super) fn not_due(&mut self) -> ServiceError {
        self.broken = true;
        ServiceError::Protocol("a reply that is not due".to_owned())
    }

    fn call(&mut self, request: Request<S::Ask, S::Limit>) -> Result<Reply<S::Told>, ServiceError> {
        if self.broken {
            return Err(ServiceError::Gone);
        }
        let until = Deadline::after(self.within);
        let (body, descriptors) = encode(&request)?;
        if body.len() > MOST_REQUEST {
            let error = FrameError::Oversized { said: body.len(), most: MOST_REQUEST };
            return Err(ServiceError::TooLarge(error));
        }
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let number = self.called.saturating_add(1);
        let message = Outgoing { kind: Message::Call, number, body: &body, descriptors: &descriptors };
        send(self.channel.as_fd(), &message, until).map_err(|broken| match broken {
            Break::Frame(error) => ServiceError::TooLarge(error),
            other => failed(&mut self.broken, self.within, other),
        })?;
        self.called = number;
        match self.reply(until)? {
            Reply::Refused(refusal) => Err(refusal.into()),
            reply => Ok(reply),
        }
    }

    fn reply(&mut self, until: Deadline) -> Result<Reply<S::Told>, ServiceError> {
        loop {
            let frame = self.inbox.next(self.channel.as_fd(), until);
            let frame = frame.map_err(|broken| failed(&mut self.broken, self.within, broken))?;
            // An earlier request's, which came too late.
            if frame.kind == Message::Answer && frame.number < self.called {
                continue;
            }
            let read = read::<S>(frame, self.called);
            self.broken |= read.is_err();
            return read;
        }
    }
}

fn read<S: Kind>(frame: Frame<'_>, due: u64) -> Result<Reply<S::Told>, ServiceError> {
    if frame.kind != Message::Answer || frame.number != due {
        return Err(ServiceError::Protocol("a message that is not due".to_owned()));
    }
    let wrong = |error: crate::worker::CodeError| ServiceError::Protocol(shown(error.to_string().as_bytes()));
    decode(&frame.body, frame.descriptors).map_err(wrong)
}

fn failed(broken: &mut bool, within: Duration, why: Break) -> ServiceError {
    *broken = !matches!(why, Break::Late);
    match why {
        Break::Late => ServiceError::TimedOut { within },
        Break::Closed => ServiceError::Gone,
        Break::Frame(error) => ServiceError::Protocol(error.to_string()),
        Break::System(source) => ServiceError::System { what: "talking to a service", source },
    }
}

impl<S: Service> AsFd for Client<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

impl<S: Service> From<OwnedFd> for Client<S> {
    fn from(channel: OwnedFd) -> Self {
        Self::new(channel, None)
    }
}

/// For [`Command::pass`](crate::Command::pass). Keep another client in the program: the service ends with the program's last one.
impl<S: Service> From<Client<S>> for OwnedFd {
    fn from(client: Client<S>) -> Self {
        client.channel
    }
}

impl<S: Service> Serialize for Client<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let copy = self.channel.try_clone().map_err(serde::ser::Error::custom)?;
        Descriptor::from(copy).serialize(serializer)
    }
}

impl<'de, S: Service> Deserialize<'de> for Client<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Descriptor::deserialize(deserializer).map(|channel| channel.into_owned().into())
    }
}
