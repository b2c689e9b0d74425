//! Bytes arrive as they were sent, and so do ends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::world::{Setup, World, echo, echoes, is_reset, server};

fn world(port: u16) -> World {
    Setup::new(port).allow(&format!("a.test:{port}")).name("a.test", &["127.0.0.1"]).start()
}

/// Bytes that repeat nowhere near.
fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&next());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn many_bytes_both_ways_at_once() {
    const LENGTH: usize = 32 << 20;
    let world = world(echo());
    let mut socket = world.connect("a.test");
    let mut writer = socket.try_clone().unwrap();
    let sent = pattern(LENGTH);
    let copy = sent.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    socket.read_to_end(&mut received).unwrap();
    writing.join().unwrap();
    assert!(received == sent, "{} of {LENGTH} bytes", received.len());
}

#[test]
fn each_direction_ends_by_itself() {
    let port = server(|mut socket| {
        let mut request = String::new();
        socket.read_to_string(&mut request).unwrap();
        socket.write_all(format!("after the end: {request}").as_bytes()).unwrap();
    });
    let world = world(port);
    let mut socket = world.connect("a.test");
    socket.write_all(b"question").unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "after the end: question");

    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let port = server(move |mut socket| {
        socket.write_all(b"greeting").unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let mut rest = String::new();
        socket.read_to_string(&mut rest).unwrap();
        tell.lock().unwrap().send(rest).unwrap();
    });
    let world = self::world(port);
    let mut socket = world.connect("a.test");
    let mut greeting = String::new();
    socket.read_to_string(&mut greeting).unwrap();
    assert_eq!(greeting, "greeting");
    socket.write_all(b"still here").unwrap();
    drop(socket);
    assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), "still here");
}

/// Closes with a reset.
fn slam(socket: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
}

#[test]
fn a_reset_is_passed_on() {
    let port = server(|mut socket| {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        slam(socket);
    });
    let world = world(port);
    let mut socket = world.connect("a.test");
    socket.write_all(b"x").unwrap();
    assert!(is_reset(&mut socket));

    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let port = server(move |mut socket| {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        tell.lock().unwrap().send(true).unwrap();
        tell.lock().unwrap().send(is_reset(&mut socket)).unwrap();
    });
    let world = self::world(port);
    let mut socket = world.connect("a.test");
    socket.write_all(b"x").unwrap();
    assert!(told.recv_timeout(Duration::from_secs(60)).unwrap(), "it has arrived");
    slam(socket);
    assert!(told.recv_timeout(Duration::from_secs(60)).unwrap());
}

#[test]
fn who_does_not_read_holds_up_nobody_and_loses_nothing() {
    const LENGTH: usize = 24 << 20;
    let port = server(|mut socket| {
        let mut first = [0];
        socket.read_exact(&mut first).unwrap();
        match &first {
            b"b" => socket.write_all(&pattern(LENGTH)).unwrap(),
            _ => socket.write_all(&first).unwrap(),
        }
    });
    let world = world(port);
    let mut slow: Vec<TcpStream> = (0..4).map(|_| world.connect("a.test")).collect();
    for socket in &mut slow {
        socket.write_all(b"b").unwrap();
    }
    // Everything between is full by now.
    std::thread::park_timeout(Duration::from_millis(300));
    // Held up they would wait until their sockets give up.
    for _ in 0..100 {
        assert!(echoes(&mut world.connect("a.test"), "x"));
    }
    for mut socket in slow {
        let mut received = Vec::new();
        socket.read_to_end(&mut received).unwrap();
        assert!(received == pattern(LENGTH), "{} of {LENGTH} bytes", received.len());
    }
}

#[test]
fn the_end_of_the_service_cuts_what_is_open() {
    let world = world(echo());
    let mut socket = world.connect("a.test");
    assert!(echoes(&mut socket, "x"));
    world.service.end().unwrap();
    assert!(is_reset(&mut socket));
    assert!(TcpStream::connect((std::net::Ipv4Addr::new(127, 18, 0, 1), world.port)).is_err());
}
