use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::judges;
use crate::needs;
use crate::stage::Stage;

/// One way to send a datagram to an address.
macro_rules! datagram {
    ($name:literal, $what:literal, $attack:expr) => {
        Attack {
            id: "L3",
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, "127.0.0.1"),
            attack: |args| $attack(raw::text(args, 0)?),
            control: crate::attack::Control::Landlock,
            ..Attack::ROW
        }
    };
}

pub(super) const SEND: Attack =
    datagram!("udp-sendto", "sends a datagram to a host service, past a rule about TCP", |to: &str| {
        UdpSocket::bind("127.0.0.1:0")?.send_to(b"loot", to).map(drop)
    });
pub(super) const CONNECTED: Attack = datagram!(
    "udp-connected",
    "sends a datagram over a connected socket, so that no call carries the address",
    |to: &str| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(to)?;
        socket.send(b"loot").map(drop)
    }
);
pub(super) const BATCH: Attack =
    datagram!("udp-sendmmsg", "sends a datagram by `sendmmsg`, which small filters forget", |to: &str| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let address = raw::inet(to)?;
        // SAFETY: all zero is a valid message header.
        let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        let mut part = libc::iovec { iov_base: b"loot".as_ptr() as *mut _, iov_len: 4 };
        message.msg_hdr.msg_name = (&raw const address) as *mut _;
        message.msg_hdr.msg_namelen = size_of_val(&address) as u32;
        message.msg_hdr.msg_iov = &raw mut part;
        message.msg_hdr.msg_iovlen = 1;
        sys!(SYS_sendmmsg, socket.as_raw_fd(), &raw mut message, 1, 0).map(drop)
    });

pub(super) const V6: Attack = Attack {
    id: "L3",
    name: "udp-v6",
    what: "sends a datagram to ::1 of the host",
    prepare: |stage| prepare(stage, "[::1]"),
    attack: |args| UdpSocket::bind("[::1]:0")?.send_to(b"loot", raw::text(args, 0)?).map(drop),
    needs: &[&needs::IPV6],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage, address: &str) -> io::Result<Judge> {
    let socket = UdpSocket::bind(format!("{address}:0"))?;
    stage.arg(format!("{address}:{}", socket.local_addr()?.port()));
    judges::udp_unreached(socket)
}
