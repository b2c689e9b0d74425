//! Sockets of another process that were fetched: what they are, and calls on them with addresses of its making.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use syscalls::Sysno;

use crate::call::{Errno, Result, int, raw};
use crate::owned::own;

const SOL_SOCKET: usize = 1;
const SO_TYPE: usize = 3;
const SO_PROTOCOL: usize = 38;
const SO_DOMAIN: usize = 39;
const SO_NETNS_COOKIE: usize = 71;
const SO_PEERPIDFD: usize = 77;

/// What a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// `AF_*`.
    pub family: u32,
    /// `SOCK_*`.
    pub kind: u32,
    /// `IPPROTO_*`.
    pub protocol: u32,
    /// Names the network that it belongs to, for as long as this system runs.
    pub network: u64,
}

/// Looks at a socket.
///
/// # Errors
/// `ENOTSOCK` for anything else.
pub fn look(fd: BorrowedFd<'_>) -> Result<Socket> {
    let word = |name| option::<4>(fd, name).map(u32::from_ne_bytes);
    Ok(Socket {
        family: word(SO_DOMAIN)?,
        kind: word(SO_TYPE)?,
        protocol: word(SO_PROTOCOL)?,
        network: u64::from_ne_bytes(option::<8>(fd, SO_NETNS_COOKIE)?),
    })
}

/// The process that listens at, or is, the other end of a unix socket; none where the kernel cannot say (before 6.5).
///
/// # Errors
/// The kernel's: on some, `ESRCH` when it is gone.
pub fn peer(fd: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    const ENOPROTOOPT: Errno = Errno(92);
    match option::<4>(fd, SO_PEERPIDFD) {
        Ok(number) => Ok(Some(own(i32::from_ne_bytes(number)))),
        Err(ENOPROTOOPT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn option<const N: usize>(fd: BorrowedFd<'_>, name: usize) -> Result<[u8; N]> {
    let mut value = [0_u8; N];
    let mut length = u32::try_from(N).map_err(|_| Errno::INVAL)?;
    let (at, length_at) = (value.as_mut_ptr().expose_provenance(), (&raw mut length).expose_provenance());
    // SAFETY: the kernel writes at most `length` bytes into `value`, which is that long, and the length into `length`.
    unsafe { raw(Sysno::getsockopt, [int(fd.as_raw_fd()), SOL_SOCKET, name, at, length_at, 0]) }?;
    Ok(value)
}

/// `connect(2)` to an address as bytes.
///
/// # Errors
/// The kernel's; `EINPROGRESS` for a socket that does not block.
pub fn connect(fd: BorrowedFd<'_>, address: &[u8]) -> Result<()> {
    addressed(Sysno::connect, fd, address)
}

/// `bind(2)` to an address as bytes.
///
/// # Errors
/// The kernel's.
pub fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> Result<()> {
    addressed(Sysno::bind, fd, address)
}

fn addressed(call: Sysno, fd: BorrowedFd<'_>, address: &[u8]) -> Result<()> {
    let at = address.as_ptr().expose_provenance();
    // SAFETY: the kernel reads as many bytes as `address` has, which is borrowed for the call.
    unsafe { raw(call, [int(fd.as_raw_fd()), at, address.len(), 0, 0, 0]) }.map(drop)
}
