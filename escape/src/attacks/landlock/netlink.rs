use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "L8",
    name: "netlink-sock-diag",
    what: "lists the open ports of the host by a netlink request",
    prepare,
    attack,
    control: Control::Landlock,
    ..Attack::ROW
};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const LISTEN: u32 = 1 << 10;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let judge = files::not_printed(format!("port {port} "));
    stage.arg("tcp");
    Ok(Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop(listener);
        judgement
    }))
}

/// Dumps all TCP listeners and prints their ports.
fn attack(_: &[String]) -> io::Result<()> {
    let socket = raw::fd(sys!(SYS_socket, libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_SOCK_DIAG))?;
    let mut request = [0u8; 72];
    request[..4].copy_from_slice(&72u32.to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    request[6..8].copy_from_slice(&flags.to_ne_bytes());
    request[16] = libc::AF_INET as u8;
    request[17] = libc::IPPROTO_TCP as u8;
    request[20..24].copy_from_slice(&LISTEN.to_ne_bytes());
    sys!(SYS_write, socket.as_raw_fd(), request.as_slice(), request.len())?;
    let mut answer = [0u8; 32768];
    let got = sys!(SYS_read, socket.as_raw_fd(), answer.as_mut_ptr(), answer.len())?;
    print_ports(answer.get(..got).unwrap_or_default())
}

fn print_ports(mut rest: &[u8]) -> io::Result<()> {
    while rest.len() >= 24 {
        let length = u32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        let port = u16::from_be_bytes([rest[20], rest[21]]);
        raw::print(format!("port {port} \n").as_bytes())?;
        rest = rest.get(length.next_multiple_of(4).max(16)..).unwrap_or_default();
    }
    Ok(())
}
