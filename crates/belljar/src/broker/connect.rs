//! Reaching peers. The address is copied once and decided about; the call is made here, on the caller's own socket, with that
//! copy, or the caller's socket is connected to the supervisor.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use belljar_sys::sockets::{self, Socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, acceptfrom_with, getpeername, getsockname,
    listen, socket_with, socketpair, sockopt,
};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::absent::absent;
use super::address::{self, LONGEST, Meaning};
use super::caller::AT_CWD;
use super::judge::Wanted;
use super::look::errno;
use super::outside::{HostNetwork, Outside};
use super::own::Held;
use super::task::{Done, Name, Served, Stop, Task};
use super::walk::{Found, Last, find};

pub(super) const UNIX: u32 = 1;
const INET: u32 = 2;
const INET6: u32 = 10;
const STREAM: u32 = 1;
const PACKETS: u32 = 5;
const TCP: u32 = 6;
/// The port of the name service.
pub(super) const NAMES: u16 = 53;
pub(super) const DONE: Served = Ok(Done::Value(0));
/// How long a connection on the host's own loopback may take.
const PATIENCE: Duration = Duration::from_secs(1);
const NONBLOCK: u32 = 0o4000;
const CLOEXEC: u32 = 0o2_000_000;

/// Decides about connections of the jar's own network.
pub(crate) trait Connections: Send + Sync {
    /// What is said to this TCP connection of a thread of the jar. May take its time.
    fn said(&self, pid: u32, to: SocketAddr) -> Said;
}

/// What is said to a connection before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The rules or the user grant it.
    Granted,
    Refused,
    /// Nobody is asked about it: the network that it is made in decides.
    Nothing,
}

/// An address of a call, and the socket that it is for.
pub(super) struct Addressed {
    pub(super) bytes: Vec<u8>,
    pub(super) meaning: Meaning,
    pub(super) socket: OwnedFd,
    pub(super) look: Socket,
    /// The socket belongs to the host's network.
    pub(super) of_host: bool,
}

impl Addressed {
    pub(super) fn read(task: &Task<'_>) -> Result<Self, Stop> {
        let length = usize::try_from(task.int(2)).ok().filter(|length| *length <= LONGEST);
        let mut bytes = vec![0; length.ok_or(Errno::INVAL)?];
        task.fill(task.register(1), &mut bytes)?;
        let meaning = address::read(&bytes)?;
        let socket = fetch(task, task.int(0))?;
        let look = sockets::look(socket.as_fd()).map_err(errno)?;
        let of_host = look.network == task.shared.network;
        Ok(Self { bytes, meaning, socket, look, of_host })
    }

    /// The jar's socket for datagrams, which is none: it can only carry queries to the name service.
    pub(super) fn is_for_queries(&self) -> bool {
        is_queries(&self.look)
    }

    pub(super) fn is_tcp(&self) -> bool {
        is_tcp(&self.look)
    }

    /// It refuses what is IPv4 in the form of IPv6.
    pub(super) fn is_only_v6(&self) -> Result<bool, Errno> {
        if self.look.family == INET6 { sockopt::ipv6_v6only(&self.socket) } else { Ok(false) }
    }

    /// Makes a call while the socket takes that form. Where it comes to nothing, the socket refuses it again; what is bound
    /// already stays as it is, and then the kernel refuses whatever comes of it.
    pub(super) fn with_v4(&self, call: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        let turned = self.is_only_v6()? && sockopt::set_ipv6_v6only(&self.socket, false).is_ok();
        let done = call();
        if turned && !matches!(done, Ok(()) | Err(Errno::INPROGRESS)) {
            sockopt::set_ipv6_v6only(&self.socket, true).ok();
        }
        done
    }

    /// An address of IPv4 as a socket of this family takes it.
    pub(super) fn spelt(&self, addr: Ipv4Addr, port: u16) -> SocketAddr {
        match self.look.family {
            INET6 => SocketAddr::from((addr.to_ipv6_mapped(), port)),
            _ => SocketAddr::from((addr, port)),
        }
    }
}

/// No socket that the jar makes is one of these but in pairs, which do as little.
pub(super) fn is_queries(look: &Socket) -> bool {
    look.family == UNIX && look.kind == PACKETS
}

pub(super) fn is_tcp(look: &Socket) -> bool {
    matches!(look.family, INET | INET6) && look.kind == STREAM && look.protocol == TCP
}

/// What the caller has open under a number. Whatever else comes to stand there meanwhile, this is used.
pub(super) fn fetch(task: &Task<'_>, number: i32) -> Result<OwnedFd, Stop> {
    if number < 0 {
        return Err(Errno::BADF.into());
    }
    // `PIDFD_THREAD`; kernels before 6.9 take processes only.
    const THREAD: PidfdFlags = PidfdFlags::from_bits_retain(0o200);
    let open = |pid: u32, flags| {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        pidfd_open(pid, flags)
    };
    let caller = task.caller();
    let process = match open(caller.pid, THREAD) {
        Err(Errno::INVAL) => open(caller.numbers()?.group, PidfdFlags::empty()),
        opened => opened,
    };
    let fetched = process.and_then(|process| pidfd_getfd(process, number, PidfdGetfdFlags::empty()));
    task.still_waits()?;
    match fetched {
        Err(Errno::PERM | Errno::SRCH) => Err(Errno::ACCESS.into()),
        other => Ok(other?),
    }
}

/// `connect`.
pub(super) fn connect(task: &Task<'_>) -> Served {
    let outside = task.shared.outside()?;
    let it = Addressed::read(task)?;
    match (&it.meaning, it.of_host, outside.network()) {
        (Meaning::Path(path), ..) => unix(task, outside, &it, path.clone()),
        (Meaning::Abstract, true, _) | (_, true, HostNetwork::Closed) => Err(Errno::ACCESS.into()),
        (Meaning::Internet(to), true, HostNetwork::Relayed) => {
            relayed(task, outside, &it, address::peer(*to))
        }
        (Meaning::Internet(to), ..) => internet(task, outside, &it, *to),
        _ => as_said(&it),
    }
}

/// The jar's own network, or one that is granted as it is. Somebody may be asked about what the rules refuse.
fn internet(task: &Task<'_>, outside: &dyn Outside, it: &Addressed, to: SocketAddr) -> Served {
    if it.is_tcp() {
        outside.tries(task.caller().pid, address::peer(to));
    }
    if it.is_tcp() && said(task, to) == Said::Refused {
        return Err(Errno::CONNREFUSED.into());
    }
    task.still_waits()?;
    as_said(it)
}

fn said(task: &Task<'_>, to: SocketAddr) -> Said {
    let (asks, pid) = (task.shared.connections.as_ref(), task.caller().pid);
    asks.map_or(Said::Nothing, |asks| task.thinking(|| asks.said(pid, to)))
}

fn as_said(it: &Addressed) -> Served {
    sockets::connect(it.socket.as_fd(), &it.bytes).map_err(errno)?;
    DONE
}

/// A path of the jar: the socket that was found and decided about, not whatever its path leads to a moment later.
fn unix(task: &Task<'_>, outside: &dyn Outside, it: &Addressed, path: PathBuf) -> Served {
    if outside.is_log(&path) {
        return log(task, outside, it, &path);
    }
    let held = peer(task, path)?;
    task.decide(Wanted::Connect, &held)?;
    if held.kind()? != FileType::Socket {
        return Err(Errno::CONNREFUSED.into());
    }
    match held.path.as_deref().filter(|path| outside.is_service(path)) {
        Some(path) => {
            let (ours, theirs) = pair(task, it, SocketType::STREAM)?;
            task.thinking(|| outside.service(path, ours))?;
            Ok(theirs)
        }
        None => inside(it, &held),
    }
}

/// What stands at a path of the jar. Where it has nothing, a judge that reaches the host hears what was wanted.
fn peer(task: &Task<'_>, path: PathBuf) -> Result<Held, Stop> {
    let name = Name { at: AT_CWD, text: path };
    match find(task, &name, Last::Follow) {
        Ok(Found::Object(held)) => Ok(held),
        Ok(_) | Err(Stop::Fails(Errno::NOENT)) => Err(absent(task, Wanted::Connect, &name)),
        Err(stop) => Err(stop),
    }
}

/// Another program of the jar.
fn inside(it: &Addressed, held: &Held) -> Served {
    let own = SocketAddrUnix::new(format!("/proc/self/fd/{}", held.fd.as_raw_fd()))?;
    rustix::net::connect(&it.socket, &own)?;
    DONE
}

/// A name of the jar's programs for the log, which leads to no file: what a program means by it is no other's choice.
fn log(task: &Task<'_>, outside: &dyn Outside, it: &Addressed, path: &Path) -> Served {
    task.decide_path(Wanted::Connect, path)?;
    let packets = it.look.kind == PACKETS;
    let (ours, theirs) = pair(task, it, if packets { SocketType::SEQPACKET } else { SocketType::STREAM })?;
    // From the first message on the kernel says who sends it.
    sockopt::set_socket_passcred(&ours, true)?;
    task.thinking(|| outside.log(ours, packets))?;
    Ok(theirs)
}

/// Two sockets that lead to each other. Both belong to the host's network, whose names the jar has no part in: the second, which
/// it gets, has one already, and a socket gets only one.
fn named_pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd), Errno> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
    rustix::net::bind(&theirs, &SocketAddrUnix::new_unnamed())?;
    Ok((ours, theirs))
}

/// A pair: one for the supervisor, one in the place of the caller's socket. Bytes pass through, descriptors do not.
fn pair(task: &Task<'_>, it: &Addressed, kind: SocketType) -> Result<(OwnedFd, Done), Stop> {
    if (it.look.family, it.look.kind) != (UNIX, kind.as_raw()) {
        return Err(Errno::PROTOTYPE.into());
    }
    // A socket for packets has had a peer from its begin, and each is as good as nobody.
    if kind == SocketType::STREAM && getpeername(&it.socket).is_ok_and(|peer| peer.is_some()) {
        return Err(Errno::ISCONN.into());
    }
    let flags = task.caller().flags(task.int(0))?;
    task.still_waits()?;
    let (ours, theirs) = named_pair(kind)?;
    if flags & NONBLOCK != 0 {
        rustix::fs::fcntl_setfl(&theirs, OFlags::NONBLOCK)?;
    }
    Ok((ours, Done::Replaced(theirs, task.int(0), flags & CLOEXEC != 0)))
}

/// The caller's own socket is connected to the supervisor, who knows what it was meant for. Which peer that is the jar does not
/// choose, and the listener lives for this one connection.
fn relayed(task: &Task<'_>, outside: &dyn Outside, it: &Addressed, to: SocketAddr) -> Served {
    if it.is_for_queries() {
        return if to.port() == NAMES { DONE } else { Err(Errno::NETUNREACH.into()) };
    }
    if !it.is_tcp() {
        return Err(Errno::ACCESS.into());
    }
    if getpeername(&it.socket).is_ok_and(|peer| peer.is_some()) {
        return again(task, it);
    }
    if let Some(server) = outside.server(to).filter(|_| !outside.is_own(to)) {
        return server_of_the_jar(task, it, server);
    }
    let said = if outside.is_own(to) { Said::Granted } else { said(task, to) };
    let pid = task.caller().pid;
    if said == Said::Refused || said == Said::Nothing && !outside.serves(pid, to) {
        return Err(Errno::CONNREFUSED.into());
    }
    let waiting = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    rustix::net::bind(&waiting, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    listen(&waiting, 8)?;
    let port = own_address(getsockname(&waiting)?)?.port();
    task.still_waits()?;
    let to_us = it.spelt(Ipv4Addr::LOCALHOST, port);
    let done = it.with_v4(|| rustix::net::connect(&it.socket, &to_us));
    if !matches!(done, Ok(()) | Err(Errno::INPROGRESS)) {
        done?;
    }
    let ours = accept(&waiting, plain(own_address(getsockname(&it.socket)?)?))?;
    task.thinking(|| outside.stream(pid, ours, to))?;
    done?;
    DONE
}

/// A second call on a socket whose first one did not wait: the kernel says once that it is connected, then that it was. It looks at
/// no address; where the jar has cut the socket off meanwhile, nobody is at this one.
fn again(task: &Task<'_>, it: &Addressed) -> Served {
    task.still_waits()?;
    rustix::net::connect(&it.socket, &it.spelt(Ipv4Addr::LOCALHOST, 0))?;
    DONE
}

/// The supervisor keeps the port from programs that would wait at every address: only one of the host that names this address
/// waits there, where no server of the jar does. A server that accepts nobody holds the thread, for which the clock sends others.
fn server_of_the_jar(task: &Task<'_>, it: &Addressed, at: SocketAddrV4) -> Served {
    task.still_waits()?;
    it.with_v4(|| rustix::net::connect(&it.socket, &it.spelt(*at.ip(), at.port())))?;
    DONE
}

/// The connection that comes from there; others of the host that found the port are turned away.
fn accept(waiting: &OwnedFd, from: SocketAddr) -> Result<OwnedFd, Errno> {
    let until = Instant::now() + PATIENCE;
    loop {
        // Not for each anew: others could come without end.
        let left = until.checked_duration_since(Instant::now()).ok_or(Errno::TIMEDOUT)?;
        let left = Timespec::try_from(left).unwrap_or_default();
        if poll(&mut [PollFd::new(waiting, PollFlags::IN)], Some(&left))? == 0 {
            return Err(Errno::TIMEDOUT);
        }
        let (socket, peer) = acceptfrom_with(waiting, SocketFlags::CLOEXEC)?;
        if peer.and_then(|peer| own_address(peer).ok()).map(plain) == Some(from) {
            return Ok(socket);
        }
    }
}

pub(super) fn own_address(addr: rustix::net::SocketAddrAny) -> Result<SocketAddr, Errno> {
    SocketAddr::try_from(addr).map_err(|_| Errno::AFNOSUPPORT)
}

/// Without the form of IPv6.
pub(super) fn plain(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// `socket` for datagrams: between programs, or of the internet. Of the latter the jar gets packets that go to the name service,
/// whatever they are addressed to: the kernel takes no address for such a socket.
pub(super) fn datagrams(task: &Task<'_>) -> Served {
    let outside = task.shared.outside()?;
    let kind = task.word(1);
    if task.word(0) == UNIX {
        return parked(kind);
    }
    // It has a name, unlike pairs of the jar's own.
    let (ours, theirs) = named_pair(SocketType::SEQPACKET)?;
    let pid = task.caller().pid;
    task.thinking(|| outside.names(pid, ours))?;
    made(theirs, kind)
}

/// `socket` for datagrams between programs, which a log is said by. The jar gets a socket for packets that leads nowhere until it is
/// connected to the log: one for datagrams could send to any path and any name.
fn parked(kind: u32) -> Served {
    let (_nobody, theirs) = named_pair(SocketType::SEQPACKET)?;
    made(theirs, kind)
}

/// A socket for the caller, as the kind that it asked for says.
fn made(socket: OwnedFd, kind: u32) -> Served {
    if kind & NONBLOCK != 0 {
        rustix::fs::fcntl_setfl(&socket, OFlags::NONBLOCK)?;
    }
    Ok(Done::Descriptor(socket, kind & CLOEXEC != 0))
}

/// `setsockopt` for errors of datagrams: there are none to hear of.
pub(super) fn errors(task: &Task<'_>) -> Served {
    task.shared.outside()?;
    DONE
}

#[cfg(test)]
mod tests;
