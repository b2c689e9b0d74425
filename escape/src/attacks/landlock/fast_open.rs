use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::judges;
use crate::needs;
use crate::stage::Stage;

pub(super) const SENDTO: Attack = Attack {
    id: "L2",
    name: "fastopen-sendto",
    what: "connects to a host TCP port by sending to it with MSG_FASTOPEN, without `connect`",
    prepare,
    attack: sendto,
    control: Control::Landlock,
    needs: &[&needs::FAST_OPEN],
    ..Attack::ROW
};

pub(super) const SOCKOPT: Attack = Attack {
    id: "L2",
    name: "fastopen-sendmsg",
    what: "connects to a host TCP port by `sendmsg` with MSG_FASTOPEN, so that the address is behind two pointers",
    prepare,
    attack: sendmsg,
    control: Control::Landlock,
    needs: &[&needs::FAST_OPEN],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    stage.arg(listener.local_addr()?);
    judges::tcp_unreached(listener)
}

fn sendto(args: &[String]) -> io::Result<()> {
    let address = raw::inet(raw::text(args, 0)?)?;
    let socket = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
    let (to, length) = (&raw const address, size_of_val(&address));
    sys!(SYS_sendto, socket.as_raw_fd(), b"loot".as_slice(), 4, libc::MSG_FASTOPEN, to, length).map(drop)
}

fn sendmsg(args: &[String]) -> io::Result<()> {
    let address = raw::inet(raw::text(args, 0)?)?;
    let socket = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
    // SAFETY: all zero is a valid message header.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    let mut part = libc::iovec { iov_base: b"loot".as_ptr() as *mut _, iov_len: 4 };
    message.msg_name = (&raw const address) as *mut _;
    message.msg_namelen = size_of_val(&address) as u32;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    sys!(SYS_sendmsg, socket.as_raw_fd(), &raw const message, libc::MSG_FASTOPEN).map(drop)
}
