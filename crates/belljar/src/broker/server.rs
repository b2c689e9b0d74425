//! Waiting for peers in the host's network. A published server gets an address of the host's loopback that is this jar's alone,
//! at the port that it asks for; nothing else of the jar waits there, and no name of the host's is taken. In the jar's own network
//! the kernel decides; unix sockets get no name there either, where this is asked.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use belljar_sys::sockets;
use rustix::io::Errno;
use rustix::net::getsockname;

use super::address::Meaning;
use super::connect::{Addressed, DONE, UNIX, fetch, is_tcp, own_address, plain};
use super::look::errno;
use super::outside::{HostNetwork, Outside};
use super::task::{Served, Task};

/// `bind`.
pub(super) fn bind(task: &Task<'_>) -> Served {
    let outside = task.shared.outside()?;
    let it = Addressed::read(task)?;
    let unix = matches!(it.meaning, Meaning::Path(_) | Meaning::Abstract);
    match (&it.meaning, outside.network()) {
        _ if unix || it.look.family == UNIX && !it.is_for_queries() => {
            task.tell_unnamed();
            Err(Errno::ACCESS.into())
        }
        (Meaning::Internet(at), HostNetwork::Relayed) if is_nowhere(*at) => DONE,
        (Meaning::Internet(at), HostNetwork::Relayed) => published(task, outside, &it, *at),
        (meaning, network)
            if network == HostNetwork::Granted || !it.of_host && is_own(meaning, &it.bytes) =>
        {
            sockets::bind(it.socket.as_fd(), &it.bytes).map_err(errno)?;
            DONE
        }
        _ => Err(Errno::ACCESS.into()),
    }
}

/// An address of the jar's own network: the broker, which has more power over it than the jar, is asked for no more than that.
fn is_own(meaning: &Meaning, address: &[u8]) -> bool {
    const NETLINK: [u8; 2] = 16_u16.to_ne_bytes();
    let groups = || address.get(8..12).is_some_and(|groups| groups != [0; 4]);
    match meaning {
        Meaning::Internet(_) => true,
        _ => address.starts_with(&NETLINK) && !groups(),
    }
}

/// What programs bind to that leave the choice to the kernel, which makes it when they connect.
fn is_nowhere(at: SocketAddr) -> bool {
    let any =
        [Ipv4Addr::UNSPECIFIED.into(), std::net::IpAddr::from(Ipv6Addr::UNSPECIFIED)].contains(&at.ip());
    any && at.port() == 0
}

/// The caller's own socket, and an address of our choice. The kernel keeps it bound there for good, whatever the jar does: such
/// an address is locked (`SOCK_BINDADDR_LOCK`), and binding twice is an error.
fn published(task: &Task<'_>, outside: &dyn Outside, it: &Addressed, at: SocketAddr) -> Served {
    let only_v6 = it.is_only_v6()?;
    let place = outside.place(at, only_v6).filter(|_| it.is_tcp() && it.of_host).ok_or(Errno::ACCESS)?;
    task.still_waits()?;
    it.with_v4(|| rustix::net::bind(&it.socket, &it.spelt(*place.ip(), place.port())))?;
    outside.placed(at, only_v6);
    DONE
}

/// `listen`, on a socket that was bound above. One that is bound to nothing would wait at every address of the host.
pub(super) fn listen(task: &Task<'_>) -> Served {
    let outside = task.shared.outside()?;
    let socket = fetch(task, task.int(0))?;
    let look = sockets::look(socket.as_fd()).map_err(errno)?;
    if !is_tcp(&look) || look.network != task.shared.network {
        return Err(Errno::ACCESS.into());
    }
    let at = plain(own_address(getsockname(&socket)?)?);
    let is_placed = outside.place(at, false).map(SocketAddr::V4) == Some(at);
    if !is_placed {
        return Err(Errno::ACCESS.into());
    }
    task.still_waits()?;
    rustix::net::listen(&socket, task.int(1))?;
    DONE
}
