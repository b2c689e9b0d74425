//! Sockets.

use linux_raw_sys::general as g;
use syscalls::Sysno;

use super::{Errno, Fd, Result, fd_of, int, plain, ptr, word};
use crate::abi;

/// `socket(2)` of the family's only protocol.
///
/// # Errors
/// The kernel's.
pub fn socket(family: u32, kind: u32) -> Result<Fd> {
    socket_of(family, kind, 0)
}

/// The same with a word in the fourth argument, which the kernel ignores and a filter sees.
///
/// # Errors
/// The kernel's.
pub fn marked_socket(family: u32, kind: u32, mark: u32) -> Result<Fd> {
    let kind = word(kind | g::O_CLOEXEC);
    plain(Sysno::socket, [word(family), kind, 0, word(mark), 0, 0]).map(fd_of)
}

/// `socket(2)`, close-on-exec.
///
/// # Errors
/// The kernel's.
pub fn socket_of(family: u32, kind: u32, protocol: u32) -> Result<Fd> {
    let kind = word(kind | g::O_CLOEXEC);
    plain(Sysno::socket, [word(family), kind, word(protocol), 0, 0, 0]).map(fd_of)
}

/// `connect(2)` to an IPv4 address.
///
/// # Errors
/// The kernel's.
pub fn connect(fd: Fd, address: &abi::SockAddrIn) -> Result<()> {
    let at = ptr(&raw const *address);
    plain(Sysno::connect, [int(fd), at, size_of::<abi::SockAddrIn>(), 0, 0, 0]).map(drop)
}

/// `bind(2)` to an address of the kernel's layout.
///
/// # Errors
/// The kernel's.
pub fn bind<T: abi::SocketAddress>(fd: Fd, address: &T) -> Result<()> {
    plain(Sysno::bind, [int(fd), ptr(&raw const *address), size_of::<T>(), 0, 0, 0]).map(drop)
}

/// `listen(2)`.
///
/// # Errors
/// The kernel's.
pub fn listen(fd: Fd, backlog: u32) -> Result<()> {
    plain(Sysno::listen, [int(fd), word(backlog), 0, 0, 0, 0]).map(drop)
}

/// `setsockopt(2)` of a number.
///
/// # Errors
/// The kernel's.
pub fn set_option(fd: Fd, level: u32, name: u32, value: u32) -> Result<()> {
    let at = ptr(&raw const value);
    plain(Sysno::setsockopt, [int(fd), word(level), word(name), at, size_of::<u32>(), 0]).map(drop)
}

/// `setsockopt(2)`: keeps what a program of classic BPF does not want out of a socket's queue.
///
/// # Errors
/// `EINVAL` for a program that is empty, too long or malformed; otherwise the kernel's.
pub fn attach_filter(fd: Fd, filter: &[abi::SockFilter]) -> Result<()> {
    const SOL_SOCKET: u32 = 1;
    const SO_ATTACH_FILTER: u32 = 26;
    let len = u16::try_from(filter.len()).map_err(|_| Errno::INVAL)?;
    let program = abi::SockFprog { len, filter: filter.as_ptr() };
    let (at, size) = (ptr(&raw const program), size_of::<abi::SockFprog>());
    plain(Sysno::setsockopt, [int(fd), word(SOL_SOCKET), word(SO_ATTACH_FILTER), at, size, 0]).map(drop)
}

/// `getsockname(2)` of an IPv4 socket.
///
/// # Errors
/// The kernel's.
pub fn own_name(fd: Fd, name: &mut abi::SockAddrIn) -> Result<()> {
    let mut len = word_size::<abi::SockAddrIn>();
    let (name_at, len_at) = (ptr(&raw mut *name), ptr(&raw mut len));
    plain(Sysno::getsockname, [int(fd), name_at, len_at, 0, 0, 0]).map(drop)
}

/// `sendto(2)` of a kernel structure to the peer.
///
/// # Errors
/// The kernel's.
pub fn send<T: abi::Message>(fd: Fd, message: &T) -> Result<usize> {
    plain(Sysno::sendto, [int(fd), ptr(&raw const *message), size_of::<T>(), 0, 0, 0])
}

/// `recvfrom(2)` into a kernel structure.
///
/// # Errors
/// The kernel's.
pub fn receive<T: abi::Message>(fd: Fd, message: &mut T) -> Result<usize> {
    plain(Sysno::recvfrom, [int(fd), ptr(&raw mut *message), size_of::<T>(), 0, 0, 0])
}

fn word_size<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(0)
}
