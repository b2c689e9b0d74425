use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::stage::Stage;
use crate::{canary, files, needs};

pub(super) const ROW: Attack = Attack {
    id: "L8",
    name: "packet-sniff",
    what: "reads what host programs send each other, with a packet socket",
    prepare,
    attack,
    control: Control::Landlock,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

const ALL_PROTOCOLS: i32 = 0x0300;

/// While the box runs, the runner sends a canary to itself.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let (to, word) = (socket.local_addr()?, canary.clone());
    stage.watches.push(Box::new(move |_| drop(socket.send_to(word.as_bytes(), to))));
    Ok(files::not_printed(canary))
}

fn attack(_: &[String]) -> io::Result<()> {
    let flags = libc::SOCK_RAW | libc::SOCK_NONBLOCK;
    let socket = raw::fd(sys!(SYS_socket, libc::AF_PACKET, flags, ALL_PROTOCOLS))?;
    for _ in 0..10 {
        raw::pause(20)?;
        let mut packet = [0u8; 2048];
        while let Ok(got) = sys!(SYS_read, socket.as_raw_fd(), packet.as_mut_ptr(), packet.len()) {
            raw::print(packet.get(..got).unwrap_or_default())?;
        }
    }
    Ok(())
}
