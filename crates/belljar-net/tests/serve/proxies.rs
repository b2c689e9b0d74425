//! Clients that know they have a proxy.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use belljar_net::{Door, Failed, Failure, Reason};

use crate::world::{Setup, World, echo, echoes, is_reset, patient, server};

fn open(addr: SocketAddr, words: &[u8]) -> TcpStream {
    let mut socket = patient(TcpStream::connect(addr).unwrap());
    socket.write_all(words).unwrap();
    socket
}

fn rest(mut socket: TcpStream) -> String {
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

fn expect(socket: &mut TcpStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    socket.read_exact(&mut got).unwrap();
    assert_eq!(got, bytes);
}

fn world(port: u16) -> World {
    Setup::new(port)
        .allow(&format!("a.test:{port}"))
        .allow("metadata.test")
        .allow("gone.test")
        .name("a.test", &["127.0.0.1"])
        .name("metadata.test", &["169.254.169.254"])
        .start()
}

#[test]
fn http_tunnels() {
    let world = world(echo());
    for host in ["a.test", "127.0.0.1", "A.TEST."] {
        let head = format!("CONNECT {host}:{} HTTP/1.1\r\nHost: denied.test\r\n\r\nearly", world.port);
        let mut socket = open(world.http, head.as_bytes());
        expect(&mut socket, b"HTTP/1.1 200 Connection established\r\n\r\nearly");
        assert!(echoes(&mut socket, "late"));
    }
    assert_eq!(world.seen.connections.lock().unwrap()[0].door, Door::Http);
}

#[test]
fn http_refusals_say_why() {
    let world = world(echo());
    for (request, status, text) in [
        ("CONNECT b.test:443 HTTP/1.1\r\n\r\n", "403", "--net b.test:443 would allow it"),
        ("GET http://b.test/ HTTP/1.1\r\n\r\n", "403", "--net b.test:80 would allow it"),
        (
            "CONNECT metadata.test:80 HTTP/1.1\r\n\r\n",
            "403",
            "metadata.test:80 leads to an address that is not allowed\n",
        ),
        ("CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", "403", "169.254.169.254:80 is not allowed"),
        ("CONNECT [::ffff:10.0.0.1]:80 HTTP/1.1\r\n\r\n", "403", "10.0.0.1:80 is not allowed"),
        ("CONNECT gone.test:80 HTTP/1.1\r\n\r\n", "502", "gone.test:80 has no address"),
        ("GET / HTTP/1.1\r\n\r\n", "400", "CONNECT HOST:PORT"),
        ("nonsense\r\n\r\n", "400", ""),
    ] {
        let answer = rest(open(world.http, request.as_bytes()));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer:?}");
        assert!(answer.contains(text), "{request:?}: {answer:?}");
    }
    assert_eq!(world.denials()[2], ("metadata.test:80".to_owned(), Reason::Address));
}

#[test]
fn http_requests_are_passed_in_the_servers_form() {
    let port = server(|mut socket| {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"body") {
            socket.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        socket.write_all(&request).unwrap();
    });
    let world = world(port);
    let request = format!(
        "POST http://a.test:{port}/x HTTP/1.1\r\nHost: denied.test\r\nProxy-Connection: keep-alive\r\n\
         Content-Length: 4\r\n\r\nbody"
    );
    let answer = rest(open(world.http, request.as_bytes()));
    let expected = format!(
        "POST /x HTTP/1.1\r\nHost: a.test:{port}\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"
    );
    assert_eq!(answer, expected);
}

/// The request of SOCKS5 for a name.
fn named(name: &str, port: u16) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    [&[5, 1, 0, 3, length], name.as_bytes(), &port.to_be_bytes()].concat()
}

#[test]
fn socks() {
    let world = world(echo());
    let port = world.port;
    let literal = [&[5, 1, 0, 1, 127, 0, 0, 1][..], &port.to_be_bytes()].concat();
    for request in [named("a.test", port), named("127.0.0.1", port), literal] {
        let mut socket = open(world.socks, &[5, 2, 0, 2]);
        expect(&mut socket, &[5, 0]);
        socket.write_all(&request).unwrap();
        expect(&mut socket, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert!(echoes(&mut socket, "hello"));
    }
    let all_at_once = [&[5, 1, 0][..], &named("a.test", port), b"early"].concat();
    let mut socket = open(world.socks, &all_at_once);
    expect(&mut socket, &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(&mut socket, b"early");
}

#[test]
fn socks_refusals() {
    let world = world(echo());
    let bind = [5, 2, 0, 1, 127, 0, 0, 1, 0, 80].to_vec();
    for (request, code) in [
        (named("b.test", 443), 2),
        (named("metadata.test", 80), 2),
        (named("gone.test", 80), 4),
        (bind, 7),
        (vec![5, 1, 0, 9], 8),
    ] {
        let mut socket = open(world.socks, &[5, 1, 0]);
        expect(&mut socket, &[5, 0]);
        socket.write_all(&request).unwrap();
        expect(&mut socket, &[5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    }
    let mut socket = open(world.socks, &[5, 1, 2]);
    expect(&mut socket, &[5, 0xff]);
    assert!(is_reset(&mut open(world.socks, &[4, 1, 0, 80, 1, 1, 1, 1, 0])));
}

#[test]
fn hosts_that_refuse_are_told_apart() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = world(closed);
    let request = format!("CONNECT a.test:{closed} HTTP/1.1\r\n\r\n");
    let answer = rest(open(world.http, request.as_bytes()));
    assert!(answer.contains(&format!("a.test:{closed} refuses connections")), "{answer}");
    let mut socket = open(world.socks, &[&[5, 1, 0][..], &named("a.test", closed)].concat());
    expect(&mut socket, &[5, 0, 5, 5]);
}

#[test]
fn who_watches_hears_what_came_to_nothing_outside() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = world(closed);
    for (host, port, failure) in [("a.test", closed, Failure::Refused), ("gone.test", 80, Failure::NoAddress)]
    {
        let request = format!("CONNECT {host}:{port} HTTP/1.1\r\n\r\n");
        rest(open(world.http, request.as_bytes()));
        let told = world.seen.failures.lock().unwrap().pop();
        let Failed { door, object, failure: found, said, who } = told.expect("told before the client hears");
        assert_eq!((door, object, found, said), (Door::Http, format!("{host}:{port}"), failure, None));
        assert!(who.is_some());
    }
}

#[test]
fn noise_on_every_listener_leaves_the_service_alive() {
    let world = world(echo());
    let mut state = 7_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 20).unwrap()
    };
    let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..noise() % 600).map(|_| u8::try_from(noise() % 256).unwrap()).collect();
        for addr in [world.http, world.socks, world.dns_tcp] {
            let mut socket = TcpStream::connect(addr).unwrap();
            // It may be cut while it is still talking.
            drop(socket.write_all(&bytes));
        }
        sender.send_to(&bytes, world.dns).unwrap();
    }
    assert!(echoes(&mut world.connect("a.test"), "still there"));
}
