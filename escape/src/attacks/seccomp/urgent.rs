//! S7: urgent bytes between unix sockets, in whose code the kernel has had bugs that any program could use.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use crate::attack::Attack;
use crate::attacks::kernel::{say, sys};
use crate::attacks::proof;

pub(super) const ROW: Attack = Attack {
    id: "S7",
    name: "urgent-bytes",
    what: "reaches the kernel's code for urgent bytes of unix sockets by each call that sends",
    prepare: proof::demanded,
    attack: |args| {
        let (one, other) = UnixStream::pair()?;
        let word = proof::of(proof::arg(args, 0)?);
        let taken = word.bytes().map(|byte| {
            send(one.as_raw_fd(), [byte])?;
            let mut got = [0u8];
            sys!(SYS_recvfrom, other.as_raw_fd(), got.as_mut_ptr(), 1, libc::MSG_OOB, 0, 0)?;
            Ok(char::from(got[0]))
        });
        say(&taken.collect::<io::Result<String>>()?)
    },
    ..Attack::ROW
};

/// By whichever call does it.
fn send(socket: i32, byte: [u8; 1]) -> io::Result<()> {
    let piece = [byte.as_ptr() as u64, 1];
    // No name, one piece, no control; flags, and how much one of several sent.
    let head = [0, 0, piece.as_ptr() as u64, 1, 0, 0, 0, 0];
    sys!(SYS_sendto, socket, byte.as_ptr(), 1, libc::MSG_OOB, 0, 0)
        .or_else(|_| sys!(SYS_sendmsg, socket, head.as_ptr(), libc::MSG_OOB))
        .or_else(|_| sys!(SYS_sendmmsg, socket, head.as_ptr(), 1, libc::MSG_OOB))
        .map(drop)
}
