//! The same scripts on a host with namespaces and on one without: the verdicts agree, the exceptions are listed.

use belljar::HostFacts;
use belljar::probe::Userns;

use super::support::{self, jars};
use super::{ASK, Server, is_ready, refusals};
use jars::{Done, Place};

/// A host that lets nobody make namespaces.
pub(super) fn poorer() -> HostFacts {
    let mut facts = belljar::probe::probe();
    facts.userns = Userns::Refused;
    facts
}

pub(super) fn can_relay() -> bool {
    is_ready() && support::has("notify", belljar::probe::probe().seccomp_notify)
}

fn python(facts: Option<HostFacts>, flags: &[(&str, &str)], script: &str) -> Done {
    let place = Place::new();
    std::fs::write(place.granted().join("script.py"), format!("{ASK}\n{script}")).unwrap();
    let weaker = [("--allow-weaker", "fs")];
    let flags = [flags, if facts.is_some() { &weaker } else { &[] }].concat();
    let mut command = jars::shell(&place, &flags, "exec python3 script.py");
    if let Some(facts) = facts {
        command.host(facts);
    }
    let done = jars::finish(&mut command).unwrap();
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    done
}

/// Runs a script both ways; what it printed, and what was refused.
fn both(flags: &[(&str, &str)], script: &str) -> [(String, Vec<(String, String)>); 2] {
    [None, Some(poorer())].map(|facts| {
        let done = python(facts, flags, script);
        (done.out.clone(), refusals(&done.report))
    })
}

#[test]
fn names_addresses_and_ports_get_the_same_verdicts() {
    if !can_relay() {
        return;
    }
    let (wanted, other) = (Server::start("wanted"), Server::start("other"));
    let (grant, port, closed) = (format!("a.example:{}", wanted.port), wanted.port, other.port);
    let literal = format!("10.0.0.0/8:{port}");
    let flags = [
        ("-n", grant.as_str()),
        ("-n", literal.as_str()),
        ("--deny-net", "10.9.0.0/16"),
        ("--host", "a.example=127.0.0.1"),
    ];
    let script = format!(
        "for host, port in [('a.example', {port}), ('A.Example.', {port}), ('b.example', {port}), ('www.a.example', {port}),
        ('a.example', {closed}), ('127.0.0.1', {port}), ('127.0.0.1', {closed}), ('::1', {port}), ('localhost', {port}),
        ('169.254.169.254', {port}), ('10.9.0.1', {port}), ('10.0.0.1', 80), ('8.8.8.8', {port}), ('2001:db8::1', {port}),
        ('198.18.0.77', {port}), ('1.0.0.127.in-addr.arpa', {port}), ('::ffff:127.0.0.1', {port})]:
    print(host, port - {port} and 'elsewhere' or 'there', ask(host, port))"
    );
    let [with, without] = both(&flags, &script);
    assert_eq!(with.0, without.0);
    assert!(with.0.contains("a.example there wanted"), "{with:?}");
    assert_eq!(other.visits(), 0);
    // A port that no rule serves is told only where the broker sees it.
    let served =
        |(_, object): &&(String, String)| object.ends_with(&format!(":{port}")) || !object.contains(':');
    let sorted = |refusals: &[(String, String)]| {
        let mut kept: Vec<_> = refusals.iter().filter(served).cloned().collect();
        kept.sort();
        kept
    };
    assert_eq!(sorted(&with.1), sorted(&without.1));
    assert!(without.1.contains(&("connect".into(), "10.0.0.1:80".into())), "{without:?}");
}

#[test]
fn who_asked_is_named() {
    if !can_relay() {
        return;
    }
    let script = "
for host, port in [('b.example', 443), ('9.9.9.9', 443), ('9.9.9.9', 444)]:
    ask(host, port)";
    let done = python(Some(poorer()), &[("-n", "a.example:443")], script);
    let named = done.report.denials().filter(|event| event.program == "python3" && event.pid != 0);
    let mut objects: Vec<_> = named.map(|event| event.object.as_str()).collect();
    objects.sort_unstable();
    assert_eq!(objects, ["9.9.9.9:443", "9.9.9.9:444", "b.example"], "{done:?}");
}

#[test]
fn services_of_the_host_are_reached_at_their_port_alone() {
    if !can_relay() {
        return;
    }
    let (wanted, other) = (Server::start("wanted"), Server::start("other"));
    let reach = format!("localhost:{}", wanted.port);
    let script = format!(
        "for host in ['localhost', '127.0.0.1', '::1', '127.0.0.2', '0.0.0.0']:
    print(host, ask(host, {}), ask(host, {}))",
        wanted.port, other.port
    );
    let [with, without] = both(&[("--reach", &reach)], &script);
    assert_eq!(with.0, without.0);
    assert!(with.0.starts_with("localhost wanted ECONNREFUSED\n127.0.0.1 wanted"), "{with:?}");
    assert_eq!(other.visits(), 0);
}

/// What a jar in the host's network cannot do, each way refused; and what its sockets look like to it.
#[test]
fn no_socket_of_such_a_jar_does_anything_by_itself() {
    if !can_relay() {
        return;
    }
    let (wanted, other) = (Server::start("wanted"), Server::start("other"));
    let heard = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    heard.set_nonblocking(true).unwrap();
    let (grant, at) = (format!("a.example:{}", wanted.port), heard.local_addr().unwrap().port());
    let script = format!(
        "
import ctypes
def tried(work):
    try:
        return work() or 'done'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
tcp = lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)
udp = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
there = ('127.0.0.1', {at})
print('bind', tried(lambda: tcp().bind(('127.0.0.1', {at}))))
print('listen', tried(lambda: tcp().listen()))
libc = ctypes.CDLL(None, use_errno=True)
print('no number', *[call(-1, bytes(16), 16) + ctypes.get_errno() for call in (libc.connect, libc.bind, libc.listen)])
print('fast open', tried(lambda: tcp().sendto(b'x', 0x20000000, ('127.0.0.1', {}))))
print('fast open message', tried(lambda: tcp().sendmsg([b'x'], [], 0x20000000, ('127.0.0.1', {}))))
print('connect', tried(lambda: udp().connect(there)))
udp().sendto(b'leak', there)
udp().sendmsg([b'leak'], [], 0, there)
for family in ['AF_NETLINK', 'AF_PACKET', 'AF_VSOCK']:
    print(family, tried(lambda: socket.socket(getattr(socket, family), socket.SOCK_RAW)))
print('unix', tried(lambda: socket.socket(socket.AF_UNIX)))
s = tcp()
s.bind(('0.0.0.0', 0))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.connect((socket.gethostbyname('a.example'), {}))
s.sendall(b'hello')
print(s.recv(100).decode(), s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
late = tcp()
late.setblocking(False)
to = (socket.gethostbyname('a.example'), {})
begun = late.connect_ex(to)
import select
select.select([], [late], [], 5)
print('later', errno.errorcode.get(begun, begun), *[errno.errorcode.get(late.connect_ex(to), 0) for _ in range(2)])
asked = udp()
asked.connect(('192.0.2.53', 53))
print(asked.family == socket.AF_INET, asked.getsockname()[0], socket.socketpair()[0].getsockname() in ('', b''))
print('again', tried(lambda: s.connect(('127.0.0.1', {}))))
",
        other.port, other.port, wanted.port, wanted.port, other.port
    );
    let done = python(Some(poorer()), &[("-n", &grant), ("--host", "a.example=127.0.0.1")], &script);
    let expected = "bind EACCES\nlisten EACCES\nno number 8 8 12\nfast open ENOTSUP\nfast open message ENOTSUP\nconnect ENETUNREACH\n\
                    AF_NETLINK EACCES\nAF_PACKET EACCES\nAF_VSOCK EACCES\nunix EACCES\nwanted True\nlater EINPROGRESS 0 EISCONN\nTrue 127.0.0.1 True\nagain ";
    assert!(done.out.starts_with(expected), "{done:?}");
    assert_eq!(other.visits(), 0);
    assert!(heard.recv(&mut [0; 8]).is_err(), "no datagram left the jar");
}

#[test]
fn many_connections_of_threads_that_do_not_wait_come_through() {
    if !can_relay() {
        return;
    }
    let wanted = Server::start("wanted");
    let grant = format!("a.example:{}", wanted.port);
    let script = format!(
        "
import asyncio
async def one():
    reader, writer = await asyncio.open_connection('a.example', {})
    writer.write(b'hello')
    said = await reader.read(100)
    writer.close()
    return said
async def main():
    said = await asyncio.gather(*[one() for _ in range(200)])
    print(said.count(b'wanted'))
asyncio.run(main())
",
        wanted.port
    );
    let done = python(Some(poorer()), &[("-n", &grant), ("--host", "a.example=127.0.0.1")], &script);
    assert_eq!(done.out, "200\n", "{done:?}");
}

/// Speaks to both proxies and, over TCP, to a name server of its own choice.
const PROXIED: &str = r"
import os, struct
print(os.environ['http_proxy'], os.environ['all_proxy'])
def said(words, to, host='127.0.0.1'):
    s = socket.create_connection((host, to))
    s.sendall(words)
    return s.recv(100)
print(said(f'CONNECT a.example:{PORT} HTTP/1.1\r\n\r\n'.encode(), 3128)[9:12])
print(said(f'CONNECT 10.0.0.1:{PORT} HTTP/1.1\r\n\r\n'.encode(), 3128)[9:12])
print(said(b'\5\1\0\5\1\0\3\x09a.example' + struct.pack('>H', PORT), 1080)[:2])
query = b'\0\7\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1'
print(said(struct.pack('>H', len(query)) + query, 53, '9.9.9.9')[-4:-2])
";

#[test]
fn proxies_and_the_name_service_are_found_as_usual() {
    if !can_relay() {
        return;
    }
    let wanted = Server::start("wanted");
    let grant = format!("a.example:{}", wanted.port);
    let script = format!("PORT = {}\n{PROXIED}", wanted.port);
    let flags = [("-n", grant.as_str()), ("--host", "a.example=127.0.0.1"), ("--proxy", "")];
    let done = python(Some(poorer()), &flags, &script);
    let expected =
        "http://127.0.0.1:3128 socks5h://127.0.0.1:1080\nb'200'\nb'403'\nb'\\x05\\x00'\nb'\\xc6\\x12'\n";
    assert_eq!(done.out, expected, "{done:?}");
}
