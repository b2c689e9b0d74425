//! R9: pages that the kernel locks for sending without a copy, which it counts per user.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use super::quotas::denied;
use crate::attack::Attack;
use crate::attacks::kernel::{nap, sys};
use crate::needs;

const MSG_ZEROCOPY: i32 = 0x0400_0000;
/// Bytes of one message, and what the others outside want to send.
const PIECE: usize = 1 << 20;
/// Messages of one connection that nobody reads, and such connections.
const MESSAGES: usize = 64;
const CONNECTIONS: usize = 200;

pub(super) const ROW: Attack = Attack {
    id: "R9",
    name: "locked-pages-quota",
    what: "sends without a copy to nobody until the user has no locked pages left for programs outside",
    prepare: |stage| denied(stage, "a program of the same user outside can lock no pages", locks_nothing),
    attack: |_| {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let Ok(both) = connection() else { break };
            let sent = (0..MESSAGES).take_while(|_| send(&both.0, PIECE).is_ok()).count();
            // What is left is less than a large piece.
            let small = (0..PIECE / 4096).take_while(|_| send(&both.0, 4096).is_ok()).count();
            open.push(both);
            if sent + small == 0 {
                break;
            }
        }
        nap(400);
        Ok(())
    },
    needs: &[&needs::ORDINARY_USER],
    ..Attack::ROW
};

fn locks_nothing() -> bool {
    let sent = connection().and_then(|both| send(&both.0, PIECE));
    sent.is_err_and(|error| error.raw_os_error() == Some(libc::ENOBUFS))
}

/// A sender, and a receiver that never reads.
fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    sender.set_nonblocking(true)?;
    for (option, value) in [(libc::SO_ZEROCOPY, 1), (libc::SO_SNDBUF, 4 << 20)] {
        sys!(SYS_setsockopt, sender.as_raw_fd(), libc::SOL_SOCKET, option, &[value], 4)?;
    }
    Ok((sender, listener.accept()?.0))
}

fn send(to: &TcpStream, length: usize) -> io::Result<()> {
    let bytes = vec![0u8; length];
    sys!(SYS_sendto, to.as_raw_fd(), bytes.as_slice(), length, MSG_ZEROCOPY, 0, 0).map(drop)
}
