//! Sockets that init makes in the jar's network for the supervisor, and the network that they are in.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "test program")]

mod support;

use std::ffi::{CStr, CString};
use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};

use belljar_sys::child::Serve;
use belljar_sys::spawn::Sequence;
use belljar_sys::wire::{self, Command, Event};
use belljar_sys::{Op, owned};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, recvmsg,
    socketpair,
};

const USER_AND_NET: u64 = 0x1000_0000 | 0x4000_0000;

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

/// A message and the descriptors beside it.
fn receive(from: &OwnedFd) -> (Option<Event>, Vec<OwnedFd>) {
    let mut bytes = [0_u8; wire::SIZE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got =
        recvmsg(from.as_fd(), &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)
            .unwrap();
    let fds = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fds = fds.flatten().collect();
    (Event::decode(&bytes[..got.bytes]), fds)
}

/// A shell of python in a network of its own, with what init sent.
struct Started {
    status: OwnedFd,
    errands: OwnedFd,
    child: owned::Child,
    sockets: Vec<OwnedFd>,
}

fn start(ops: &[Op<'_>], script: &str) -> Started {
    let words = ["/usr/bin/python3", "-c", script].map(|word| CString::new(word).unwrap());
    let argv: Vec<*const u8> =
        words.iter().map(|word| word.as_ptr().cast()).chain([std::ptr::null()]).collect();
    let candidates: [&CStr; 1] = [&words[0]];
    let program = [Op::Exec { candidates: &candidates, argv: &argv, envp: &[std::ptr::null()] }];
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let (uid, gid) = (format!("{uid} {uid} 1\n"), format!("{gid} {gid} 1\n"));
    let maps = Op::IdMaps { uid: uid.as_bytes(), gid: gid.as_bytes() };
    let maps = if support::is_root() { Op::AwaitGo } else { maps };
    let init: Vec<Op<'_>> = [maps, Op::Loopback].into_iter().chain(ops.iter().copied()).collect();
    let ((status, child_end), (errands, errands_end)) = (pair(), pair());
    let sequence = Sequence {
        init: &init,
        program: &program,
        namespaces: USER_AND_NET,
        own_pids: false,
        announce: false,
        errands: std::os::fd::AsRawFd::as_raw_fd(&errands_end),
        close_after_start: true,
    };
    let child = owned::spawn(&sequence, &child_end).unwrap();
    drop((child_end, errands_end));
    if support::is_root() {
        for map in ["uid_map", "gid_map"] {
            std::fs::write(format!("/proc/{}/{map}", child.pid), "0 0 4294967295").unwrap();
        }
        rustix::io::write(&status, &Command::Go.encode()).unwrap();
    }
    let (event, sockets) = receive(&status);
    assert_eq!(event, Some(Event::Sockets), "the first word of init");
    Started { status, errands, child, sockets }
}

impl Started {
    fn exit_code(&self) -> i32 {
        let (event, _) = receive(&self.status);
        let Some(Event::Ended(ended)) = event else { panic!("{event:?}") };
        owned::reap(&self.child.pidfd).unwrap();
        ended.status >> 8
    }
}

/// What a program finds of a network; `connect` tells an error by its number.
const CLIENT: &str = "
import socket, sys
def connect(family, address, kind=socket.SOCK_STREAM):
    s = socket.socket(family, kind)
    s.settimeout(10)
    try:
        s.connect(address)
        return s
    except OSError as error:
        return error.errno
def said(s):
    s.sendall(b'hello')
    return s.recv(100).decode()
four, six = socket.AF_INET, socket.AF_INET6
";

#[test]
fn whatever_a_program_connects_to_is_a_socket_of_the_supervisor_or_nothing() {
    if !support::has_userns() || !support::has_python() {
        return;
    }
    let serve = [Serve::Everywhere(443), Serve::Local(53), Serve::LocalDatagrams(53)];
    let script = format!(
        "{CLIENT}
for family, host in (four, '93.184.216.34'), (six, '2001:db8::7'), (four, '127.0.0.1'), (four, '169.254.169.254'):
    got = said(connect(family, (host, 443)))
    assert got == host, (host, got)
refused = 111
assert connect(four, ('93.184.216.34', 444)) == refused
assert connect(six, ('2001:db8::7', 444)) == refused
assert connect(four, ('9.9.9.9', 53)) == refused
assert said(connect(four, ('127.0.0.1', 53), socket.SOCK_DGRAM)) == 'name'
stray = connect(four, ('9.9.9.9', 53), socket.SOCK_DGRAM)
stray.send(b'secret')
try:
    stray.recv(100)
    sys.exit(3)
except ConnectionRefusedError:
    pass
"
    );
    let mut started = start(&[Op::OwnEveryAddress, Op::Serve(&serve)], &script);
    assert_eq!(started.sockets.len(), serve.len());
    let names = UdpSocket::from(started.sockets.pop().unwrap());
    let listener = TcpListener::from(started.sockets.remove(0));
    for _ in 0..4 {
        let (mut stream, _) = listener.accept().unwrap();
        let meant = stream.local_addr().unwrap().ip().to_canonical().to_string();
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(meant.as_bytes()).unwrap();
    }
    let (_, asker) = names.recv_from(&mut [0; 100]).unwrap();
    names.send_to(b"name", asker).unwrap();
    assert_eq!(started.exit_code(), 0);
}

#[test]
fn a_jar_without_the_route_reaches_no_listener_but_its_own_addresses() {
    if !support::has_userns() || !support::has_python() {
        return;
    }
    let script = format!("{CLIENT}\nassert connect(four, ('93.184.216.34', 443)) == 101");
    let started = start(&[Op::Serve(&[Serve::Everywhere(443)])], &script);
    assert_eq!(started.exit_code(), 0);
}

#[test]
fn the_supervisor_gets_sockets_of_the_jars_network_as_long_as_it_asks() {
    if !support::has_userns() || !support::has_python() {
        return;
    }
    let script = "
import socket
server = socket.create_server(('127.0.0.1', 8080))
for n in range(20):
    s, _ = server.accept()
    s.sendall(b'inside')
    s.close()
";
    let started = start(&[Op::Serve(&[])], script);
    for _ in 0..20 {
        let mut stream = reach(&started.errands, 8080);
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert_eq!(said, "inside");
    }
    assert_eq!(started.exit_code(), 0);
}

fn wait_a_moment() {
    let moment = rustix::time::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    rustix::event::poll(&mut [], Some(&moment)).unwrap();
}

/// Connects to a server of the jar, once it listens.
fn reach(errands: &OwnedFd, port: u16) -> std::net::TcpStream {
    for _ in 0..500 {
        rustix::io::write(errands, &Command::Socket.encode()).unwrap();
        let (event, mut sockets) = receive(errands);
        assert_eq!((event, sockets.len()), (Some(Event::Sockets), 1));
        let socket = sockets.remove(0);
        let there = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port);
        match rustix::net::connect(&socket, &there) {
            Ok(()) => return socket.into(),
            Err(rustix::io::Errno::CONNREFUSED) => wait_a_moment(),
            Err(errno) => panic!("{errno}"),
        }
    }
    panic!("no server inside");
}

#[test]
fn nonsense_over_the_socket_for_errands_ends_the_errands_and_not_the_jar() {
    if !support::has_userns() || !support::has_python() {
        return;
    }
    for nonsense in [&[4, 0][..], &[5][..], &[5, 2][..], &[6, 0][..]] {
        let started = start(&[Op::Serve(&[])], "import time; time.sleep(0.3); exit(7)");
        rustix::io::write(&started.errands, nonsense).unwrap();
        let (event, sockets) = receive(&started.errands);
        assert!(event.is_none() && sockets.is_empty(), "{nonsense:?}: {event:?}");
        assert_eq!(started.exit_code(), 7, "the program ran to its end");
    }
}
