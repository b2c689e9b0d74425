//! Addresses of names.

mod carrier;
pub(super) mod message;

use std::collections::BTreeMap;
use std::io::{self, IoSlice, Read as _};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use belljar_policy::Policy;
use rustix::event::PollFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant};
use super::limit::Only;
use super::message::Refusal;
use super::start::Builder;
use crate::worker::channel::{Deadline, pair, raw, wait};
use message::Fault;

/// The service behind [`Dns`].
#[derive(Debug)]
pub enum Addresses {}

/// Looks up addresses of names. Its limit is the names, whole and in lower case; it is asked for no other.
///
/// Its process parses what resolvers answer, and has no network: questions go through the program to the resolvers of
/// `/etc/resolv.conf`, over UDP. Names that `/etc/hosts` has are told from there. Other sources of names (`nsswitch.conf`) and
/// search lists are not looked at. `Only::All` is for narrowing, where it means what the client has.
///
/// ```no_run
/// use belljar::service::Dns;
///
/// let mut dns = Dns::start(["www.example.org", "db.example.org"])?;
/// let addresses = dns.addresses("db.example.org")?;
/// # Ok::<(), belljar::service::ServiceError>(())
/// ```
pub type Dns = Client<Addresses>;

impl Dns {
    /// Starts the service for these names.
    ///
    /// # Errors
    /// As [`Builder::start`]; [`ServiceError::Means`]: one is no name of a host.
    pub fn start(names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, ServiceError> {
        Self::builder(names)?.start()
    }

    /// How it is started.
    ///
    /// # Errors
    /// [`ServiceError::Means`].
    pub fn builder(
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Builder<Addresses>, ServiceError> {
        let names = names.into_iter().map(|name| plain(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        Ok(Builder::new(Only::these(names), None))
    }

    /// The addresses of a name, at least one.
    ///
    /// # Errors
    /// [`ServiceError::Beyond`], [`ServiceError::Absent`], [`ServiceError::Failed`] when no resolver answers, and those of every call.
    pub fn addresses(&mut self, name: &str) -> Result<Vec<IpAddr>, ServiceError> {
        self.ask(Ask(name.to_ascii_lowercase()))
    }
}

impl Builder<Addresses> {
    /// Resolvers to ask, in place of those of `/etc/resolv.conf`: at most 3 are.
    pub fn resolvers(mut self, resolvers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.means = Some(resolvers.into_iter().take(RESOLVERS).collect());
        self
    }
}

fn plain(name: &str) -> Result<String, ServiceError> {
    let found = name.to_ascii_lowercase();
    match message::question(0, &found, message::Kind::A) {
        Some(_) if found.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) => {
            Ok(found)
        }
        _ => {
            let what = format!("{}, which is no name of a host", name.escape_default());
            Err(ServiceError::Means { name: Addresses::NAME, what })
        }
    }
}

/// A name.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask(String);

/// What the program knows beforehand.
#[derive(Debug, Serialize, Deserialize)]
pub struct Known {
    hosts: BTreeMap<String, Vec<IpAddr>>,
    resolvers: u8,
}

/// What is known, and the way to the resolvers.
#[derive(Debug)]
pub struct State {
    known: Known,
    carrier: OwnedFd,
}

/// Most resolvers: as many as the C library asks.
const RESOLVERS: usize = 3;
/// How often each is asked.
const ROUNDS: usize = 2;
const NAME_PORT: u16 = 53;
/// Longest file of hosts or resolvers that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// Name of the descriptor.
const PASSED: &str = "belljar_names";
/// `ETIMEDOUT`.
const TIMED_OUT: i32 = 110;
/// `EAGAIN`: the resolvers could not say.
const AGAIN: i32 = 11;

impl Kind for Addresses {
    const NAME: &'static str = "dns";
    // What it takes to hand a question over is in `@sealed`, and pairs of sockets each service has.
    const CALLS: &'static [Call] = &[];
    type Limit = Only;
    type Ask = Ask;
    type Told = Vec<IpAddr>;
    type Means = Option<Vec<SocketAddr>>;
    type Config = Known;
    type State = State;

    fn grant(limit: &Only, means: Self::Means) -> Result<Grant<Known>, ServiceError> {
        let resolvers = means.unwrap_or_else(|| resolvers(&text("/etc/resolv.conf")));
        let hosts = hosts(&text("/etc/hosts"), limit);
        let count = u8::try_from(resolvers.len()).unwrap_or(0);
        let started = carrier::start(resolvers).map_err(ServiceError::system("starting to carry questions"));
        let (carrier, helper) = started?;
        let grant = Grant::new(Policy::none(), Known { hosts, resolvers: count });
        Ok(Grant { passes: vec![(PASSED, carrier)], helper: Some(helper), ..grant })
    }

    fn ready(known: Known) -> io::Result<State> {
        Ok(State { known, carrier: crate::passed(PASSED).ok_or(io::ErrorKind::NotFound)? })
    }

    fn answer(state: &State, limit: &Only, Ask(name): Ask) -> Result<Vec<IpAddr>, Refusal> {
        if !limit.has(name.as_str()) {
            return Err(Refusal::Beyond);
        }
        if let Some(known) = state.known.hosts.get(&name) {
            return Ok(known.clone());
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let mut found = state.look_up(&name, message::Kind::A)?;
        found.extend(state.look_up(&name, message::Kind::Aaaa)?);
        if found.is_empty() { Err(Refusal::Absent) } else { Ok(found) }
    }
}

impl State {
    fn look_up(&self, name: &str, kind: message::Kind) -> Result<Vec<IpAddr>, Refusal> {
        let mut why = Refusal::Failed(TIMED_OUT);
        for resolver in (0..ROUNDS).flat_map(|_| 0..self.known.resolvers) {
            match self.ask(resolver, name, kind)? {
                Some(Ok(found)) => return Ok(found),
                Some(Err(Fault::NoSuchName)) => return Err(Refusal::Absent),
                Some(Err(_)) => why = Refusal::Failed(AGAIN),
                None => {}
            }
        }
        Err(why)
    }

    /// One question to one resolver; none when it does not answer.
    fn ask(
        &self,
        resolver: u8,
        name: &str,
        kind: message::Kind,
    ) -> Result<Option<Result<Vec<IpAddr>, Fault>>, Refusal> {
        let mut id = [0; 2];
        getrandom(&mut id, GetRandomFlags::empty())?;
        let id = u16::from_ne_bytes(id);
        let question = message::question(id, name, kind).ok_or(Refusal::Absent)?;
        let (answer, theirs) = pair()?;
        hand_over(&self.carrier, resolver, &question, &theirs)?;
        drop(theirs);
        let until = Deadline::after(carrier::PATIENCE * 2);
        let mut bytes = vec![0; carrier::ANSWER];
        if wait([(answer.as_fd(), PollFlags::IN)], until).is_err() {
            return Ok(None);
        }
        let found = raw(answer.as_fd(), &mut bytes).ok().flatten();
        let message = found.and_then(|(length, _)| bytes.get(..length));
        Ok(message.map(|message| message::addresses(message, id, name, kind)))
    }
}

fn hand_over(carrier: &OwnedFd, resolver: u8, question: &[u8], answer: &OwnedFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [answer.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    let resolver = [resolver];
    let parts = [IoSlice::new(&resolver), IoSlice::new(question)];
    sendmsg(carrier, &parts, &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Nothing where it cannot be read.
fn text(path: &str) -> String {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    tracing::trace!(path, ?read, "what is known of names");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Resolvers that `resolv.conf` names; the machine's own where it names none.
pub(crate) fn resolvers(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        let address = (words.next() == Some("nameserver")).then(|| words.next()).flatten()?;
        address.parse::<IpAddr>().ok()
    };
    let mut found: Vec<IpAddr> = text.lines().filter_map(address).take(RESOLVERS).collect();
    if found.is_empty() {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    found.into_iter().map(|address| (address, NAME_PORT).into()).collect()
}

/// What a file of hosts says of these names.
fn hosts(text: &str, limit: &Only) -> BTreeMap<String, Vec<IpAddr>> {
    let mut hosts = BTreeMap::<String, Vec<IpAddr>>::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        for name in words.map(str::to_ascii_lowercase).filter(|name| limit.has(name.as_str())) {
            hosts.entry(name).or_default().push(address);
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_hosts_and_resolvers_are_read_as_the_c_library_does() {
        let found = resolvers("# x\nnameserver 10.0.0.1\nsearch a\nnameserver ::1 \nnameserver bad\n");
        assert_eq!(found, ["10.0.0.1:53".parse().unwrap(), "[::1]:53".parse::<SocketAddr>().unwrap()]);
        assert_eq!(resolvers(""), ["127.0.0.1:53".parse().unwrap()]);
        let text = "127.0.0.1 localhost\n10.0.0.9 DB.example db # the\n::9 db\nbad db\n";
        let found = hosts(text, &Only::these(["db"]));
        assert_eq!(found.len(), 1);
        assert_eq!(found["db"], ["10.0.0.9".parse::<IpAddr>().unwrap(), "::9".parse().unwrap()]);
    }

    #[test]
    fn only_names_of_hosts_are_looked_up() {
        assert_eq!(plain("DB.example").unwrap(), "db.example");
        for name in ["", "a..b", "a b", "a\n", "ä", "a.", "*.a"] {
            assert!(plain(name).is_err(), "{name:?}");
        }
    }
}
