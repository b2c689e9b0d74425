use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;

/// One kind of socket with an abstract name.
macro_rules! named {
    ($name:literal, $what:literal, $kind:expr) => {
        Attack {
            id: "C8",
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, $kind),
            attack: |args| attack(args, $kind),
            ..Attack::ROW
        }
    };
}

pub(super) const STREAM: Attack = named!(
    "abstract-stream",
    "connects to a host service (X11, session bus) by its abstract unix name",
    libc::SOCK_STREAM
);
pub(super) const DATAGRAM: Attack = named!(
    "abstract-datagram",
    "sends a datagram to a host service by its abstract unix name",
    libc::SOCK_DGRAM
);
pub(super) const SEQPACKET: Attack = named!(
    "abstract-seqpacket",
    "connects to a host service over sequenced packets by its abstract unix name",
    libc::SOCK_SEQPACKET
);

fn prepare(stage: &mut Stage, kind: i32) -> io::Result<Judge> {
    let name = stage.word("service");
    stage.arg(&name);
    let (address, length) = raw::abstract_name(&name);
    let socket =
        raw::fd(sys!(SYS_socket, libc::AF_UNIX, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0))?;
    sys!(SYS_bind, socket.as_raw_fd(), &raw const address, length)?;
    if kind != libc::SOCK_DGRAM {
        sys!(SYS_listen, socket.as_raw_fd(), 5)?;
    }
    Ok(Box::new(move |_| {
        let mut byte = [0u8; 8];
        let reached = if kind == libc::SOCK_DGRAM {
            sys!(SYS_read, socket.as_raw_fd(), byte.as_mut_ptr(), 8).is_ok()
        } else {
            sys!(SYS_accept4, socket.as_raw_fd(), 0, 0, libc::SOCK_CLOEXEC).is_ok()
        };
        Ok(Judgement::escaped_if(reached, "a host service was reached"))
    }))
}

fn attack(args: &[String], kind: i32) -> io::Result<()> {
    let (address, length) = raw::abstract_name(raw::text(args, 0)?);
    let socket = raw::fd(sys!(SYS_socket, libc::AF_UNIX, kind, 0))?;
    sys!(SYS_connect, socket.as_raw_fd(), &raw const address, length)?;
    sys!(SYS_write, socket.as_raw_fd(), b"loot".as_slice(), 4).map(drop)
}
