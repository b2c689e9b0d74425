//! Servers of a jar, as the host reaches them.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::is_ready;
use crate::support::jars::{self, Place};

/// A port of the host that nobody uses now.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// What a server says to one who comes, once it is there.
fn ask(port: u16) -> std::io::Result<String> {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"hello")?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

/// Asks until there is an answer.
fn await_answer(port: u16) -> String {
    let moment = rustix::time::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    for _ in 0..1000 {
        match ask(port) {
            Ok(said) if !said.is_empty() => return said,
            _ => rustix::event::poll(&mut [], Some(&moment)).unwrap(),
        };
    }
    panic!("no answer at {port}");
}

/// An address of the host that others reach it at.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|own| own.ip())
}

const SERVE: &str = "
import socket
server = socket.create_server(('127.0.0.1', 8000))
while True:
    s, peer = server.accept()
    said = s.recv(100)
    s.sendall(b'the jar, asked by ' + peer[0].encode() + b': ' + said)
    s.close()
    if said == b'bye':
        break
";

#[test]
fn a_server_of_the_jar_is_reached_on_the_hosts_loopback_only() {
    if !is_ready() {
        return;
    }
    for net in ["none", "a.example:443"] {
        let (place, port) = (Place::new(), free_port());
        std::fs::write(place.granted().join("serve.py"), SERVE).unwrap();
        let publish = format!("8000:{port}");
        let mut command =
            jars::shell(&place, &[("-n", net), ("--publish", &publish)], "exec python3 serve.py");
        let mut child = command.spawn().unwrap();
        for _ in 0..20 {
            assert_eq!(await_answer(port), "the jar, asked by 127.0.0.1: hello");
        }
        if let Some(own) = own_address() {
            std::net::TcpStream::connect((own, port)).expect_err("only the loopback listens");
        }
        let mut bye = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        bye.write_all(b"bye").unwrap();
        bye.read_to_string(&mut String::new()).unwrap();
        assert_eq!(child.wait().unwrap().verdict.exit_code(), 0);
        ask(port).expect_err("the port is free again");
    }
}

#[test]
fn a_published_port_without_a_server_ends_connections_and_nothing_else() {
    if !is_ready() {
        return;
    }
    let (place, port) = (Place::new(), free_port());
    let publish = format!("8000:{port}");
    let mut command = jars::shell(&place, &[("--publish", &publish)], "read line; echo still here");
    let mut child = command.stdin(belljar::Stdio::Piped).stdout(belljar::Stdio::Piped).spawn().unwrap();
    for _ in 0..5 {
        assert!(ask(port).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    }
    drop(child.stdin.take());
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((said.as_str(), child.wait().unwrap().verdict.exit_code()), ("still here\n", 0));
}

#[test]
fn a_port_of_the_host_that_is_taken_stops_the_start() {
    if !is_ready() {
        return;
    }
    let (place, taken) = (Place::new(), TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let publish = format!("8000:{}", taken.local_addr().unwrap().port());
    let error = jars::finish(&mut jars::shell(&place, &[("--publish", &publish)], "echo ran")).unwrap_err();
    assert!(error.to_string().contains("cannot publish at 127.0.0.1:"), "{error}");
}
