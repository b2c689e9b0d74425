//! Connections to hosts that were named beforehand.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use belljar_policy::Policy;
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::dns::message;
use super::error::ServiceError;
use super::kind::sealed::Kind;
use super::kind::{Call, Grant, Then};
use super::limit::{Named, Only};
use super::message::Refusal;
use super::start::Builder;
use crate::worker::Descriptor;
use crate::worker::channel::{Deadline, wait};

/// The service behind [`Net`].
#[derive(Debug)]
pub enum Connections {}

/// Connects to hosts that were named beforehand, over TCP, and hands over the connection. Its limit is hosts and ports.
///
/// Its process lives in a network of its own, in which there is nothing but these hosts (see `docs/networks.md`): the rest of what
/// holds there holds here. A host that refuses is heard of when the connection is used: it is reset. `Only::All` is for narrowing,
/// where it means what the client has.
///
/// ```no_run
/// use belljar::service::{Net, Only, Remote};
///
/// let mut net = Net::start([Remote::new("db.example.org", 5432), Remote::new("mail.example.org", 25)])?;
/// let mut mail = net.narrowed(&Only::these([Remote::new("mail.example.org", 25)]))?;
/// let connection = mail.connect("mail.example.org", 25)?;
/// # Ok::<(), belljar::service::ServiceError>(())
/// ```
pub type Net = Client<Connections>;

/// A host, by a name or a literal address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Remote {
    /// The host: a name in lower case, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Remote {
    /// This one.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_ascii_lowercase(), port }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(out, "[{}]:{}", self.host, self.port),
            false => write!(out, "{}:{}", self.host, self.port),
        }
    }
}

impl Named for Remote {
    fn named(&self) -> String {
        self.to_string()
    }
}

impl Net {
    /// Starts the service for these hosts.
    ///
    /// # Errors
    /// As [`Builder::start`]; [`ServiceError::Means`]: one is no host, or there is none.
    pub fn start(remotes: impl IntoIterator<Item = Remote>) -> Result<Self, ServiceError> {
        Self::builder(remotes).start()
    }

    /// How it is started.
    pub fn builder(remotes: impl IntoIterator<Item = Remote>) -> Builder<Connections> {
        Builder::new(Only::these(remotes), ())
    }

    /// A connection to this host.
    ///
    /// # Errors
    /// [`ServiceError::Beyond`], [`ServiceError::Failed`] with the kernel's answer, and those of every call.
    pub fn connect(&mut self, host: &str, port: u16) -> Result<TcpStream, ServiceError> {
        self.ask(Ask(Remote::new(host, port))).map(|connection| connection.into_owned().into())
    }
}

/// A host and a port.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask(Remote);

/// How long a connection, or the jar's own name service, may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The jar's own name service.
const NAMES: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 53);
/// Longest answer of it in bytes.
const ANSWER: usize = 1500;
/// What a program for workers has of `fcntl`, and flags of a connection.
const FLAGS: &str = "fcntl: arg1 in {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC}";
/// `ETIMEDOUT`.
const TIMED_OUT: i32 = 110;

impl Kind for Connections {
    const NAME: &'static str = "net";
    const CALLS: &'static [Call] = &[
        (
            "socket",
            Then::If(
                "arg0 in {AF_INET, AF_INET6} && arg1 & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) == SOCK_STREAM && arg2 in {0, IPPROTO_TCP}",
            ),
            "connections; where to is decided by the jar's own network",
        ),
        (
            "socket",
            Then::If(
                "arg0 == AF_INET && arg1 & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) == SOCK_DGRAM && arg2 in {0, IPPROTO_UDP}",
            ),
            "asks the jar's own name service",
        ),
        ("connect", Then::Made, "where to is decided by the jar's own network"),
        ("getsockopt", Then::If("arg1 == SOL_SOCKET && arg2 == SO_ERROR"), "whether a connection was made"),
        ("fcntl", Then::If("arg1 == F_SETFL"), "clients get connections that wait"),
    ];
    type Limit = Only<Remote>;
    type Ask = Ask;
    type Told = Descriptor;
    type Means = ();
    type Config = ();
    type State = ();

    fn grant(limit: &Only<Remote>, (): ()) -> Result<Grant<()>, ServiceError> {
        if limit.named().next().is_none() {
            return Err(ServiceError::Means { name: Self::NAME, what: "no host at all".to_owned() });
        }
        let sockets = ["socket", "connect", "getsockopt"];
        let start = Policy::none().set("syscalls.when", FLAGS);
        let start =
            start.and_then(|start| sockets.iter().try_fold(start, |policy, call| policy.allow_syscall(call)));
        let whole = start.and_then(|start| {
            limit.named().try_fold(start, |policy, remote| policy.net(&remote.to_string()))
        });
        whole.map(|policy| Grant::new(policy, ())).map_err(ServiceError::means(Self::NAME))
    }

    fn ready((): ()) -> io::Result<()> {
        Ok(())
    }

    fn answer((): &(), limit: &Only<Remote>, Ask(remote): Ask) -> Result<Descriptor, Refusal> {
        if !limit.has(&remote) {
            return Err(Refusal::Beyond);
        }
        let address = match remote.host.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => look_up(&remote.host)?,
        };
        dial((address, remote.port).into()).map(Descriptor::from)
    }
}

/// Asks the jar's own name service, which answers with what stands for the name.
fn look_up(name: &str) -> Result<IpAddr, Refusal> {
    let socket = open(AddressFamily::INET, SocketType::DGRAM)?;
    connect(&socket, &SocketAddr::from(NAMES))?;
    let mut id = [0; 2];
    getrandom(&mut id, GetRandomFlags::empty())?;
    let id = u16::from_ne_bytes(id);
    let question = message::question(id, name, message::Kind::A).ok_or(Refusal::Absent)?;
    rustix::io::write(&socket, &question)?;
    ready(&socket, PollFlags::IN)?;
    let mut bytes = [0; ANSWER];
    let length = rustix::io::read(&socket, &mut bytes)?;
    let answer = bytes.get(..length).unwrap_or_default();
    let found = message::addresses(answer, id, name, message::Kind::A).map_err(|_| Refusal::Absent)?;
    found.first().copied().ok_or(Refusal::Absent)
}

fn dial(to: SocketAddr) -> Result<OwnedFd, Refusal> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = open(family, SocketType::STREAM)?;
    match connect(&socket, &to) {
        Ok(()) => {}
        Err(rustix::io::Errno::INPROGRESS) => {
            ready(&socket, PollFlags::OUT)?;
            sockopt::socket_error(&socket)??;
        }
        Err(errno) => return Err(errno.into()),
    }
    rustix::fs::fcntl_setfl(&socket, rustix::fs::OFlags::RDWR)?;
    Ok(socket)
}

fn open(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Refusal> {
    Ok(socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?)
}

fn ready(socket: &OwnedFd, what: PollFlags) -> Result<(), Refusal> {
    let waited = wait([(socket.as_fd(), what)], Deadline::after(PATIENCE));
    waited.map(drop).map_err(|_| Refusal::Failed(TIMED_OUT))
}
