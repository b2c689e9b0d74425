use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, sys};
use crate::judges;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "L10",
    name: "raw-socket",
    what: "sends a hand-made datagram to a host service through a raw socket",
    prepare,
    attack,
    control: Control::Landlock,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    stage.arg(socket.local_addr()?);
    judges::udp_unreached(socket)
}

fn attack(args: &[String]) -> io::Result<()> {
    let address = raw::inet(raw::text(args, 0)?)?;
    let socket = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_UDP))?;
    let mut datagram = vec![0x30, 0x39];
    datagram.extend(address.sin_port.to_ne_bytes());
    datagram.extend([0, 12, 0, 0]);
    datagram.extend(b"loot");
    let (to, length) = (&raw const address, size_of_val(&address));
    sys!(SYS_sendto, socket.as_raw_fd(), datagram.as_slice(), datagram.len(), 0, to, length).map(drop)
}
