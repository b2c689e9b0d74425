//! Connecting, where somebody is asked about it. The socket is the caller's own, had through its process; it belongs to the
//! jar's network whoever connects it. Nothing here makes a socket.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::{SocketAddrUnix, SocketType, connect as kernel_connect, connect_unspec, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::caller::{AT_CWD, own_name};
use super::judge::Wanted;
use super::memory;
use super::own::Held;
use super::task::{Done, Name, Served, Stop, Task};
use super::walk::{Last, find};

const AF_UNSPEC: u16 = 0;
const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
/// Longest address of the kernel (`sockaddr_storage`).
const LONGEST: usize = 128;

/// Decides about connections of the jar's own network.
pub(crate) trait Connections: Send + Sync {
    /// Whether a thread of the jar may make this TCP connection. May take its time.
    fn may_connect(&self, pid: u32, to: SocketAddr) -> bool;
}

/// `connect`.
pub(super) fn connect(task: &Task<'_>) -> Served {
    let address = address(task)?;
    let socket = socket(task, task.int(0))?;
    let family = address.first_chunk::<2>().map(|family| u16::from_ne_bytes(*family)).ok_or(Errno::INVAL)?;
    match family {
        AF_INET | AF_INET6 => {
            internet(task, &socket, internet_address(family, &address).ok_or(Errno::INVAL)?)?
        }
        AF_UNIX => local(task, &socket, address.get(2..).unwrap_or_default())?,
        AF_UNSPEC => connect_unspec(&socket)?,
        _ => return Err(Errno::AFNOSUPPORT.into()),
    }
    Ok(Done::Value(0))
}

/// The address, copied once.
fn address(task: &Task<'_>) -> Result<Vec<u8>, Stop> {
    let length = usize::try_from(task.int(2)).ok().filter(|length| *length <= LONGEST).ok_or(Errno::INVAL)?;
    let mut bytes = vec![0; length];
    memory::fill(task.caller().pid, task.register(1), &mut bytes)?;
    task.still_waits()?;
    Ok(bytes)
}

/// A copy of a descriptor of the caller's, which has to be a socket.
fn socket(task: &Task<'_>, number: i32) -> Result<OwnedFd, Stop> {
    let process = i32::try_from(task.caller().numbers()?.group).ok().and_then(Pid::from_raw);
    let process = pidfd_open(process.ok_or(Errno::SRCH)?, PidfdFlags::empty())?;
    task.still_waits()?;
    let socket = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
    task.still_waits()?;
    Ok(socket)
}

fn internet_address(family: u16, bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    if family == AF_INET {
        let addr = Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?);
        return bytes.get(..16).map(|_| SocketAddr::from((addr, port)));
    }
    let flow = u32::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let addr = Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?);
    // Older programs leave the scope out.
    let scope =
        bytes.get(24..).and_then(|rest| rest.first_chunk()).map_or(0, |scope| u32::from_ne_bytes(*scope));
    Some(SocketAddrV6::new(addr, port, flow, scope).into())
}

fn internet(task: &Task<'_>, socket: &OwnedFd, to: SocketAddr) -> Result<(), Stop> {
    let asks = task.shared.connections.as_ref().filter(|_| is_stream(socket));
    let pid = task.caller().pid;
    if asks.is_some_and(|asks| !task.thinking(|| asks.may_connect(pid, to))) {
        return Err(Errno::CONNREFUSED.into());
    }
    task.still_waits()?;
    Ok(kernel_connect(socket, &to)?)
}

fn is_stream(socket: &OwnedFd) -> bool {
    sockopt::socket_type(socket).is_ok_and(|kind| kind == SocketType::STREAM)
}

/// A socket of a file of the jar's own tree, or one with a name of its own network.
fn local(task: &Task<'_>, socket: &OwnedFd, name: &[u8]) -> Result<(), Stop> {
    let (held, to) = match name.split_first() {
        None => return Err(Errno::INVAL.into()),
        Some((0, name)) => (None, SocketAddrUnix::new_abstract_name(name)?),
        Some(_) => {
            let held = socket_file(task, name)?;
            let to = SocketAddrUnix::new(own_name(&held.fd))?;
            (Some(held), to)
        }
    };
    task.still_waits()?;
    let done = kernel_connect(socket, &to);
    // The name is that of the descriptor, which lives until here.
    drop(held);
    Ok(done?)
}

fn socket_file(task: &Task<'_>, name: &[u8]) -> Result<Held, Stop> {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    let text = OsStr::from_bytes(name.get(..end).unwrap_or_default()).into();
    let held = find(task, &Name { at: AT_CWD, text }, Last::Follow)?.object()?;
    if held.kind()? != FileType::Socket {
        return Err(Errno::CONNREFUSED.into());
    }
    task.decide(Wanted::Write, &held)?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(family: u16, port: u16, rest: &[u8]) -> Vec<u8> {
        [&family.to_ne_bytes()[..], &port.to_be_bytes(), rest].concat()
    }

    #[test]
    fn addresses_of_both_families() {
        let four = bytes(AF_INET, 443, &[93, 184, 216, 34, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(internet_address(AF_INET, &four), "93.184.216.34:443".parse().ok());
        assert_eq!(internet_address(AF_INET, &four[..15]), None, "the kernel wants all 16 bytes");
        let mut six = bytes(AF_INET6, 80, &[0; 4]);
        six.extend(Ipv6Addr::LOCALHOST.octets());
        assert_eq!(internet_address(AF_INET6, &six), "[::1]:80".parse().ok());
        assert_eq!(internet_address(AF_INET6, &six[..23]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_address_or_none(family: u16, bytes in prop::collection::vec(any::<u8>(), 0..=LONGEST)) {
            if let Some(address) = internet_address(family, &bytes) {
                prop_assert_eq!(&address.port().to_be_bytes(), &bytes[2..4]);
            }
        }
    }
}
