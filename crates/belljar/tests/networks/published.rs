//! Servers of a jar, as the host reaches them: in a network of the jar's own, and without one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use belljar::{Command, HostFacts};

use crate::conformance::{self, WEAKER};
use crate::relayed::{can_relay, poorer};
use crate::support::jars::{self, Place};
use crate::support::watch;
use crate::{ASK, is_ready};

/// The hosts: this one, and where it can be told apart poorer ones.
fn hosts() -> Vec<Option<HostFacts>> {
    let poorer = conformance::hosts().map(|(_, facts)| Some(facts));
    std::iter::once(None).chain(poorer.into_iter().filter(|_| can_relay())).collect()
}

fn shell(facts: Option<HostFacts>, place: &Place, flags: &[(&str, &str)], script: &str) -> Command {
    let flags = [flags, if facts.is_some() { &WEAKER } else { &[] }].concat();
    let mut command = jars::shell(place, &flags, script);
    if let Some(facts) = facts {
        command.host(facts);
    }
    command
}

/// A port of the host that nobody uses now.
pub(super) fn free_port() -> u16 {
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
import socket, sys
at = sys.argv[1:] or ['127.0.0.1']
kind = socket.AF_INET6 if ':' in at[0] else socket.AF_INET
server = socket.create_server((at[0], 8417), family=kind, dualstack_ipv6=kind == socket.AF_INET6)
while True:
    s, peer = server.accept()
    said = s.recv(100)
    s.sendall(b'the jar, asked by ' + peer[0].replace('::ffff:', '').encode() + b': ' + said)
    s.close()
    if said == b'bye':
        break
";

#[test]
fn a_server_of_the_jar_is_reached_on_the_hosts_loopback_only() {
    if !is_ready() {
        return;
    }
    for facts in hosts() {
        for (net, at) in [("none", "127.0.0.1"), ("a.example:443", "0.0.0.0"), ("none", "::")] {
            served(facts.clone(), net, at);
        }
    }
}

/// A server that waits there is reached, by whom it is to be reached.
fn served(facts: Option<HostFacts>, net: &str, at: &str) {
    let (place, port) = (Place::new(), free_port());
    std::fs::write(place.granted().join("serve.py"), SERVE).unwrap();
    let publish = format!("8417:{port}");
    let flags = [("-n", net), ("--publish", &publish)];
    let mut child = shell(facts, &place, &flags, &format!("exec python3 serve.py {at}")).spawn().unwrap();
    for _ in 0..20 {
        assert_eq!(await_answer(port), "the jar, asked by 127.0.0.1: hello");
    }
    if let Some(own) = own_address() {
        for port in [port, 8417] {
            assert!(std::net::TcpStream::connect((own, port)).is_err(), "only the loopback listens");
        }
    }
    let mut bye = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    bye.write_all(b"bye").unwrap();
    bye.read_to_string(&mut String::new()).unwrap();
    assert_eq!(child.wait().unwrap().verdict.exit_code(), 0);
    assert!(ask(port).is_err(), "the port is free again");
}

#[test]
fn a_published_port_without_a_server_ends_connections_and_nothing_else() {
    if !is_ready() {
        return;
    }
    for facts in hosts() {
        unserved(facts);
    }
}

fn unserved(facts: Option<HostFacts>) {
    let (place, port) = (Place::new(), free_port());
    let publish = format!("8417:{port}");
    let mut command = shell(facts, &place, &[("--publish", &publish)], "read line; echo still here");
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
    let publish = format!("8417:{}", taken.local_addr().unwrap().port());
    for facts in hosts() {
        let error =
            jars::finish(&mut shell(facts, &place, &[("--publish", &publish)], "echo ran")).unwrap_err();
        assert!(error.to_string().contains("cannot publish at 127.0.0.1:"), "{error}");
    }
}

#[test]
fn without_namespaces_a_port_that_a_program_of_the_host_holds_everywhere_stops_the_start() {
    if !can_relay() {
        return;
    }
    let (place, taken) = (Place::new(), TcpListener::bind(("0.0.0.0", 0)).unwrap());
    let publish = format!("{}:{}", taken.local_addr().unwrap().port(), free_port());
    let error = jars::finish(&mut shell(Some(poorer()), &place, &[("--publish", &publish)], "echo ran"));
    let error = error.unwrap_err();
    assert!(error.to_string().contains("needs that port of this host's loopback"), "{error}");
    assert!(error.hint(&poorer()).contains("another port"), "{error}");
    assert_eq!(
        jars::finish(&mut shell(None, &place, &[("--publish", &publish)], "echo ran")).unwrap().out,
        "ran\n"
    );
}

/// What the jar meets at its port is its own server, or nobody.
#[test]
fn without_namespaces_no_program_of_the_host_can_wait_where_the_jar_looks_for_its_server() {
    if !can_relay() {
        return;
    }
    let (place, inside) = (Place::new(), free_port());
    let script = format!(
        "{ASK}\nprint('ready', flush=True)\ninput()\nfor host in ['127.0.0.1', '::1', 'localhost']: print(ask(host, {inside}))"
    );
    std::fs::write(place.granted().join("script.py"), script).unwrap();
    let publish = format!("{inside}:{}", free_port());
    let mut command = shell(Some(poorer()), &place, &[("--publish", &publish)], "exec python3 script.py");
    let mut child = command.stdin(belljar::Stdio::Piped).stdout(belljar::Stdio::Piped).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(out.next().unwrap().unwrap(), "ready");
    for everywhere in ["0.0.0.0", "::"] {
        let taken = TcpListener::bind((everywhere, inside)).unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse, "{everywhere}");
    }
    // Its own address is the host's to use, and none that the jar reaches.
    let other = TcpListener::bind(("127.0.0.1", inside)).unwrap();
    other.set_nonblocking(true).unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(out.map(Result::unwrap).collect::<Vec<_>>(), ["ECONNREFUSED"; 3]);
    assert!(other.accept().is_err(), "the jar reached a program of the host");
    assert_eq!(child.wait().unwrap().verdict.exit_code(), 0);
    drop(other);
    let is_free = || TcpListener::bind(("0.0.0.0", inside)).is_ok();
    assert!(watch::within(watch::LONG, is_free), "the port is the host's again");
}

/// Every way to wait for somebody of the host that is not the published one. `own` is the address that the broker gave.
const ATTACKS: &str = r"
import errno, os, socket, struct, threading
PORT, OTHER, HOST = 8417, 8418, os.environ['OWN']
def tried(work):
    try:
        return work() or 'done'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
tcp = lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)
def bound(*at, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET6 if ':' in at[0] else socket.AF_INET, kind)
    s.bind(at)
    return s
def waits(s):
    s.listen()
    return 'waits at %s:%d' % s.getsockname()[:2]
for at in [('0.0.0.0', OTHER), ('127.0.0.1', OTHER), ('127.0.0.2', PORT), (HOST, PORT), ('::1', OTHER), ('::', OTHER), ('0.0.0.0', 80)]:
    print('bind', at[0].replace(HOST, 'HOST'), at[1], tried(lambda: waits(bound(*at))))
print('datagrams', tried(lambda: bound('127.0.0.1', PORT, kind=socket.SOCK_DGRAM) and 'bound'))
print('unbound', tried(lambda: waits(tcp())))
print('nowhere', tried(lambda: waits(bound('0.0.0.0', 0))))
print('both', tried(lambda: waits(socket.socketpair()[0])))
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def loosened(s):
    libc.connect(s.fileno(), bytes(16), 16)
    return s
first = bound('0.0.0.0', PORT)
own, port = first.getsockname()
print('own', own.startswith('127.') and own != '127.0.0.1', port)
print('twice', tried(lambda: bound('127.0.0.1', PORT)))
print('again', tried(lambda: first.bind(('0.0.0.0', OTHER))))
print('loosened', tried(lambda: waits(loosened(first)).replace(own, 'OWN')))
print('reached', *[tried(lambda: tcp().connect(at)) for at in [('127.0.0.1', PORT), (own, PORT), (own, OTHER), ('127.0.0.2', PORT)]])
def flip():
    for _ in range(300):
        loosened(first)
threads = [threading.Thread(target=flip) for _ in range(2)]
[thread.start() for thread in threads]
places = set()
for _ in range(300):
    tried(lambda: first.listen())
    places.add(first.getsockname())
[thread.join() for thread in threads]
print('flipped', places == {(own, PORT)})
first.close()
";

#[test]
fn without_namespaces_a_jar_waits_at_its_published_ports_and_nowhere_else() {
    if !can_relay() {
        return;
    }
    let own = own_address().map_or_else(|| "127.0.0.1".to_owned(), |own| own.to_string());
    let place = Place::new();
    std::fs::write(place.granted().join("attacks.py"), ATTACKS).unwrap();
    let control = jars::control(&place, &format!("OWN={own} exec python3 attacks.py"));
    for way in
        ["bind 0.0.0.0 8418 waits at 0.0.0.0:8418", "unbound waits at 0.0.0.0:", "bind HOST 8417 waits at"]
    {
        assert!(control.contains(way), "{control}");
    }
    let (publish, own) = (format!("8417:{}", free_port()), format!("OWN={own}"));
    let flags = [("--publish", publish.as_str()), ("-e", &own)];
    let done = jars::finish(&mut shell(Some(poorer()), &place, &flags, "exec python3 attacks.py")).unwrap();
    let expected = "bind 0.0.0.0 8418 EACCES\nbind 127.0.0.1 8418 EACCES\nbind 127.0.0.2 8417 EACCES\n\
                    bind HOST 8417 EACCES\nbind ::1 8418 EACCES\nbind :: 8418 EACCES\nbind 0.0.0.0 80 EACCES\ndatagrams EACCES\n\
                    unbound EACCES\nnowhere EACCES\nboth EACCES\nown True 8417\ntwice EADDRINUSE\nagain EACCES\n\
                    loosened waits at OWN:8417\nreached done done ECONNREFUSED ECONNREFUSED\nflipped True\n";
    assert_eq!(done.out, expected, "{done:?}");
}
