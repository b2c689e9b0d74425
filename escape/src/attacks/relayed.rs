//! E6, L: a jar that may reach one name on a host that refuses namespaces. Its sockets are those of the host's network, so that
//! only the filter and the broker are in the way.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::attacks::{proof, reached};
use crate::files;
use crate::judges;
use crate::needs::INTERFACE;
use crate::stage::Stage;

const ROW: Attack = Attack { id: "E6", boxes: &["none", "belljar"], ..Attack::ROW };

pub(super) const ADDRESS: Attack = Attack {
    name: "relayed-address",
    what: "connects to a granted port of an address that no name stands for, on a host without namespaces",
    prepare: bait,
    attack: |args| TcpStream::connect(address(args)?)?.write_all(b"loot"),
    ..ROW
};

pub(super) const FAST_OPEN: Attack = Attack {
    id: "L2",
    name: "relayed-fast-open",
    what: "sends to such an address without connecting first",
    prepare: bait,
    attack: |args| {
        let fd = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
        let (to, size) = (raw::inet(proof::arg(args, 0)?)?, size_of::<libc::sockaddr_in>());
        sys!(SYS_sendto, fd.as_raw_fd(), &b"loot"[..], 4, libc::MSG_FASTOPEN, &raw const to, size)?;
        raw::pause(100)
    },
    needs: &[&crate::needs::FAST_OPEN],
    ..ROW
};

pub(super) const DATAGRAM: Attack = Attack {
    id: "L3",
    name: "relayed-datagram",
    what: "sends a query that holds a secret to a name server of its own choice, on a host without namespaces",
    prepare: |stage| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        granted(stage, socket.local_addr()?);
        judges::udp_unreached(socket)
    },
    attack: |args| {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        drop(socket.connect(address(args)?));
        socket.send(b"loot").or_else(|_| socket.send_to(b"loot", address(args)?)).map(drop)
    },
    ..ROW
};

pub(super) const LISTENER: Attack = Attack {
    id: "L7",
    name: "relayed-listener",
    what: "waits for the host's connections at a port of its choice, or at the one that the kernel finds",
    prepare: listened,
    attack: |args| {
        let fd = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
        let (at, size) = (raw::inet(proof::arg(args, 0)?)?, size_of::<libc::sockaddr_in>());
        let bound = sys!(SYS_bind, fd.as_raw_fd(), &raw const at, size);
        let listens = sys!(SYS_listen, fd.as_raw_fd(), 8);
        raw::pause(400)?;
        bound.and(listens).map(drop)
    },
    ..ROW
};

pub(super) const INTERFACES: Attack = Attack {
    id: "L8",
    name: "relayed-interfaces",
    what: "learns the addresses of the host's interfaces from a socket",
    prepare: |stage| {
        granted(stage, TcpListener::bind("127.0.0.1:0")?.local_addr()?);
        let addresses = interfaces().unwrap_or_default();
        Ok(files::any(
            addresses.into_iter().map(|address| files::not_printed(format!("address {address};"))).collect(),
        ))
    },
    attack: |_| {
        interfaces()?.iter().try_for_each(|address| raw::print(format!("address {address};").as_bytes()))
    },
    needs: &[&INTERFACE],
    ..ROW
};

pub(super) const RACE: Attack = Attack {
    id: "N1",
    name: "pointer-race-connect",
    what: "connects to an address that another thread changes while it is looked at",
    prepare: |stage| {
        let friend = TcpListener::bind("127.0.0.1:0")?;
        let port = friend.local_addr()?.port();
        std::thread::spawn(move || friend.incoming().for_each(drop));
        stage.race();
        let judge = bait(stage)?;
        stage.belljar_flags(&["-n", &format!("127.0.0.1:{port}")]);
        stage.arg(format!("127.0.0.1:{port}"));
        Ok(judge)
    },
    attack: race,
    ..ROW
};

/// The jar reaches `mirror.test`, which leads to an address of nobody, at the port of the bait; that is the next argument.
fn granted(stage: &mut Stage, bait: SocketAddr) {
    stage.sabotage("userns");
    stage.belljar_flags(&["--allow-weaker", "fs", "--allow-weaker", "pids"]);
    stage.belljar_flags(&["-n", &format!("mirror.test:{}", bait.port()), "--host", "mirror.test=192.0.2.1"]);
    stage.arg(bait);
}

fn bait(stage: &mut Stage) -> io::Result<Judge> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    granted(stage, listener.local_addr()?);
    judges::tcp_unreached(listener)
}

fn listened(stage: &mut Stage) -> io::Result<Judge> {
    // Among the ports that the kernel gives out, a connection may find another's listener there, or itself.
    let at = TcpListener::bind(("127.0.0.1", raw::random_port()?))?.local_addr()?;
    granted(stage, at);
    let found = std::rc::Rc::new(std::cell::Cell::new(false));
    let judge = reached::unless(std::rc::Rc::clone(&found), "the host connected to a listener of the box");
    stage.watches.push(Box::new(move |_| found.set(found.get() || TcpStream::connect(at).is_ok())));
    Ok(judge)
}

fn address(args: &[String]) -> io::Result<SocketAddr> {
    proof::arg(args, 0)?.parse().map_err(io::Error::other)
}

/// Addresses that a socket tells, without that of the loopback.
pub(crate) fn interfaces() -> io::Result<Vec<String>> {
    interfaces_of(&raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?)
}

/// The same from any socket, for the network that it belongs to.
pub(crate) fn interfaces_of(fd: &impl AsRawFd) -> io::Result<Vec<String>> {
    const SIOCGIFCONF: u32 = 0x8912;
    let mut entries = [0u8; 40 * 32];
    let mut question = [entries.len(), entries.as_mut_ptr() as usize];
    sys!(SYS_ioctl, fd.as_raw_fd(), SIOCGIFCONF, question.as_mut_ptr())?;
    let told = entries.get(..question[0] & 0xffff_ffff).unwrap_or_default();
    let address = |entry: &[u8]| entry.get(20..24).map(|four| format!("{four:?}"));
    Ok(told.chunks_exact(40).filter_map(address).filter(|address| !address.starts_with("[127")).collect())
}

/// The family and the port are one word of memory.
fn race(args: &[String]) -> io::Result<()> {
    let [end, bait, friend] = [proof::number(args, 0)?, word(args, 1)?, word(args, 2)?];
    let place = [
        AtomicU32::new(friend),
        AtomicU32::new(u32::from_ne_bytes([127, 0, 0, 1])),
        AtomicU32::new(0),
        AtomicU32::new(0),
    ];
    let stop = AtomicBool::new(false);
    let end = Instant::now() + Duration::from_millis(u64::from(end));
    std::thread::scope(|scope| {
        let flipper = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for address in [bait, friend] {
                    place[0].store(address, Ordering::Relaxed);
                    // Long enough for others to see it.
                    (0..64).for_each(|_| std::hint::spin_loop());
                }
            }
        });
        let connect = || {
            let fd = raw::fd(sys!(SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0))?;
            sys!(SYS_connect, fd.as_raw_fd(), place.as_ptr(), 16).map(drop)
        };
        while Instant::now() < end {
            drop(connect());
        }
        stop.store(true, Ordering::Relaxed);
        drop(flipper.join());
        // Where nothing decides there is no race to win.
        place[0].store(bait, Ordering::SeqCst);
        connect()
    })
}

fn word(args: &[String], index: usize) -> io::Result<u32> {
    let address = raw::inet(proof::arg(args, index)?)?;
    let [low, high] = address.sin_port.to_ne_bytes();
    let [first, second] = address.sin_family.to_ne_bytes();
    Ok(u32::from_ne_bytes([first, second, low, high]))
}
