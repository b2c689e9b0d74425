//! Networks by name: what a jar reaches of the host's network, and what it does not, with servers on the host's loopback.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "test program")]

mod asked;
mod conformance;
mod ipv6;
mod logged;
mod many;
mod peers;
mod planned;
mod published;
mod received;
mod relayed;
#[path = "../support/mod.rs"]
mod support;
mod turned_away;

use belljar::Report;
use support::jars::{self, Done, Place};
use support::server::Server;

fn is_ready() -> bool {
    support::has_userns() && support::has_python()
}

/// For scripts in jars: what a server says, or why there is none.
const ASK: &str = "
import socket, errno
def ask(host, port, family=0):
    try:
        kind, address = [(a[0], a[4]) for a in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)][0]
    except socket.gaierror:
        return 'no such name'
    s = socket.socket(kind)
    s.settimeout(10)
    try:
        s.connect(address)
        s.sendall(b'hello')
        return s.recv(100).decode() or 'closed'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
";

/// A python script in a jar. It has `ask(host, port)`, which tells what a server says or why there is none.
fn python(flags: &[(&str, &str)], script: &str) -> Done {
    let place = Place::new();
    std::fs::write(place.granted().join("script.py"), format!("{ASK}\n{script}")).unwrap();
    let done = jars::finish(&mut jars::shell(&place, flags, "exec python3 script.py")).unwrap();
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    done
}

fn refusals(report: &Report) -> Vec<(String, String)> {
    report.denials().map(|event| (event.call.clone(), event.object.clone())).collect()
}

#[test]
fn a_name_is_reached_at_its_port_and_nothing_else_is() {
    if !is_ready() {
        return;
    }
    let (wanted, other) = (Server::start("wanted"), Server::start("other"));
    let (grant, port, closed) = (format!("a.example:{}", wanted.port), wanted.port, other.port);
    let flags =
        [("-n", grant.as_str()), ("--host", "a.example=127.0.0.1"), ("--host", "b.example=127.0.0.1")];
    let script = format!(
        "for host, port in [('a.example', {port}), ('A.Example.', {port}), ('b.example', {port}), ('www.a.example', {port}),
        ('a.example', {closed}), ('127.0.0.1', {port}), ('127.0.0.1', {closed}), ('::1', {port}), ('localhost', {port}),
        ('169.254.169.254', {port}), ('10.0.0.1', {port}), ('10.0.0.1', 80), ('8.8.8.8', {port}), ('2001:db8::1', {port}),
        ('198.18.0.77', {port}), ('a.example.lan', {port}), ('1.0.0.127.in-addr.arpa', {port})]:
    print(host, port - {port} and 'elsewhere' or 'there', ask(host, port))"
    );
    let done = python(&flags, &script);
    let expected = [
        "a.example there wanted",
        "A.Example. there wanted",
        "b.example there no such name",
        "www.a.example there no such name",
        "a.example elsewhere ECONNREFUSED",
        "127.0.0.1 there ECONNRESET",
        "127.0.0.1 elsewhere ECONNREFUSED",
        "::1 there ECONNRESET",
        "localhost there ECONNRESET",
        "169.254.169.254 there ECONNRESET",
        "10.0.0.1 there ECONNRESET",
        "10.0.0.1 elsewhere ECONNREFUSED",
        "8.8.8.8 there ECONNRESET",
        "2001:db8::1 there ECONNRESET",
        "198.18.0.77 there ECONNRESET",
        "a.example.lan there no such name",
        "1.0.0.127.in-addr.arpa there no such name",
    ];
    assert_eq!(done.out.lines().collect::<Vec<_>>(), expected, "{done:?}");
    assert_eq!((wanted.visits(), other.visits()), (2, 0));
    let refused = refusals(&done.report);
    for (call, object) in
        [("resolve", "b.example".to_owned()), ("connect", format!("169.254.169.254:{port}"))]
    {
        assert!(refused.contains(&(call.to_owned(), object.clone())), "{object}: {refused:?}");
    }
}

#[test]
fn a_name_that_leads_to_the_host_itself_needs_a_word_for_it() {
    if !is_ready() {
        return;
    }
    let server = Server::start("the host itself");
    let (grant, port) = (format!("localhost.localdomain:{}", server.port), server.port);
    // The host's own list of names has it, or nobody does; the jar gets nothing in both cases.
    let done = python(&[("-n", grant.as_str())], &format!("print(ask('localhost.localdomain', {port}))"));
    assert_eq!((done.out.as_str(), server.visits()), ("ECONNRESET\n", 0));
}

#[test]
fn datagrams_reach_nothing_but_the_name_service() {
    if !is_ready() {
        return;
    }
    let outside = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    outside.set_nonblocking(true).unwrap();
    let port = outside.local_addr().unwrap().port();
    let script = format!(
        "for host, port in [('127.0.0.1', {port}), ('8.8.8.8', 53), ('9.9.9.9', 443), ('224.0.0.251', 5353), ('255.255.255.255', 9)]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.settimeout(0.2)
    try:
        s.connect((host, port))
        s.send(b'secret')
        s.recv(10)
        print('answered', host)
    except OSError:
        print('nothing')"
    );
    let grant = format!("a.example:{port}");
    let done = python(&[("-n", grant.as_str())], &script);
    assert_eq!(done.out, "nothing\n".repeat(5), "{done:?}");
    assert!(outside.recv(&mut [0; 10]).is_err(), "a datagram got out");
}

#[test]
fn a_service_of_the_host_is_found_on_the_jars_own_loopback() {
    if !is_ready() {
        return;
    }
    let (wanted, other) = (Server::start("database"), Server::start("other"));
    let (reach, port, closed) = (format!("localhost:{}", wanted.port), wanted.port, other.port);
    let script = format!(
        "print(ask('localhost', {port}), ask('127.0.0.1', {port}), ask('::1', {port}), ask('10.0.0.1', {port}), ask('localhost', {closed}))"
    );
    let done = python(&[("--reach", reach.as_str())], &script);
    assert_eq!(done.out, "database database database ECONNRESET ECONNREFUSED\n", "{done:?}");
    assert_eq!((wanted.visits(), other.visits()), (3, 0));
}

#[test]
fn ranges_of_addresses_are_reached_as_they_are_written() {
    if !is_ready() {
        return;
    }
    let server = Server::start("in range");
    let (grant, deny, port) = (format!("127.0.0.0/24:{}", server.port), "127.0.0.2", server.port);
    let done = python(
        &[("-n", grant.as_str()), ("--deny-net", deny)],
        &format!(
            "print(ask('127.0.0.1', {port}), ask('127.0.0.2', {port}), ask('127.0.1.1', {port}), ask('::ffff:127.0.0.1', {port}))"
        ),
    );
    assert_eq!(done.out, "in range ECONNRESET ECONNRESET in range\n", "{done:?}");
}

#[test]
fn the_name_service_answers_by_both_ways_and_for_both_families() {
    if !is_ready() {
        return;
    }
    let script = r"
import struct
def query(name, kind):
    labels = b''.join(bytes([len(part)]) + part.encode() for part in name.split('.'))
    return struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + labels + b'\0' + struct.pack('>HH', kind, 1)
def told(answer):
    ident, flags, _, answers, _, _ = struct.unpack('>HHHHHH', answer[:12])
    return flags & 15, answers
def by_datagram(message):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(10)
    s.sendto(message, ('127.0.0.1', 53))
    return s.recv(4096)
def by_stream(message):
    s = socket.create_connection(('127.0.0.1', 53), timeout=10)
    s.sendall(struct.pack('>H', len(message)) + message)
    length, = struct.unpack('>H', s.recv(2))
    return s.recv(length)
A, AAAA, CNAME, TXT, ANY = 1, 28, 5, 16, 255
for way in by_datagram, by_stream:
    print([told(way(query('a.example', kind))) for kind in (A, AAAA, CNAME, TXT)],
          [told(way(query(name, A))) for name in ('example', 'b.example', 'c2VjcmV0.b.example')])
";
    let done = python(&[("-n", "a.example:443")], script);
    let line = "[(0, 1), (0, 0), (0, 0), (0, 0)] [(0, 0), (3, 0), (3, 0)]\n";
    assert_eq!(done.out, line.repeat(2), "{done:?}");
}

#[test]
fn proxies_are_there_when_they_are_asked_for_and_reach_the_same() {
    if !is_ready() {
        return;
    }
    let server = Server::start("through a proxy");
    let (grant, port) = (format!("a.example:{}", server.port), server.port);
    let script = format!(
        "
import os, urllib.request
def said(port, message, *more):
    s = socket.create_connection(('127.0.0.1', port), timeout=10)
    s.sendall(message)
    answer = [s.recv(4096)]
    for message in more:
        s.sendall(message)
        answer.append(s.recv(4096))
    return answer
print(os.environ['https_proxy'], os.environ['ALL_PROXY'], os.environ['http_proxy'])
print(urllib.request.urlopen('http://a.example:{port}/').read().decode())
for host in 'a.example:{port}', 'b.example:{port}', '127.0.0.1:{port}', 'a.example:1':
    print(said(3128, f'CONNECT {{host}} HTTP/1.1\\r\\nHost: {{host}}\\r\\n\\r\\n'.encode())[0][:12])
for host in b'a.example', b'b.example':
    request = bytes([5, 1, 0, 3, len(host)]) + host + ({port}).to_bytes(2, 'big')
    print(said(1080, bytes([5, 1, 0]), request)[1][1] == 0)
try:
    socket.create_connection(('127.0.0.1', 3129))
except ConnectionRefusedError:
    print('no other')"
    );
    let set = [("-n", grant.as_str()), ("--host", "a.example=127.0.0.1"), ("-e", "http_proxy=mine")];
    let place = Place::new();
    let mut policy = jars::policy(&place.granted(), &set[..2]);
    policy.net.proxy = Some(belljar::policy::Setting::new(true, belljar::policy::Origin::Api));
    std::fs::write(place.granted().join("script.py"), format!("{ASK}\n{script}")).unwrap();
    let mut command = jars::shell(&place, &[], "exec python3 script.py");
    let done = jars::finish(command.policy(policy)).unwrap();
    let expected = "http://127.0.0.1:3128 socks5h://127.0.0.1:1080 http://127.0.0.1:3128\nthrough a proxy\n\
                    b'HTTP/1.1 200'\nb'HTTP/1.1 403'\nb'HTTP/1.1 403'\nb'HTTP/1.1 403'\nTrue\nFalse\nno other\n";
    assert_eq!(done.out, expected, "{done:?}");
    let without = python(
        &set,
        "import os; print(os.environ.get('https_proxy'), os.environ['http_proxy'], ask('127.0.0.1', 3128))",
    );
    assert_eq!(without.out, "None mine ECONNREFUSED\n");
}

#[test]
fn programs_of_the_jar_reach_one_another_unless_landlock_is_required() {
    if !is_ready() {
        return;
    }
    let script = "
server = socket.create_server(('127.0.0.1', 0))
port = server.getsockname()[1]
s = socket.socket()
try:
    s.connect(('127.0.0.1', port))
    print('reached')
except PermissionError:
    print('refused')
print(ask('a.example', 443) in ('ECONNRESET', 'closed'))";
    let flags = [("-n", "a.example:443"), ("--host", "a.example=127.0.0.1"), ("--require", "net=landlock")];
    assert_eq!(python(&flags[..2], script).out, "reached\nTrue\n");
    if support::has("landlock:4", belljar::probe::probe().landlock >= 4) {
        assert_eq!(python(&flags, script).out, "refused\nTrue\n");
    }
}

#[test]
fn files_that_name_the_name_service_are_the_jars_own() {
    if !is_ready() {
        return;
    }
    let place = Place::new();
    let before = std::fs::read_to_string("/etc/hosts").unwrap();
    let script = "cat /etc/resolv.conf /etc/hosts /etc/nsswitch.conf; echo harm >> /etc/hosts || echo refused; ls -A / | grep text";
    for base in ["@strict", "@base"] {
        let flags = [("-p", base), ("-n", "a.example"), ("-w", "."), ("--hostname", "inside")];
        let done = jars::finish(&mut jars::shell(&place, &flags, script)).unwrap();
        for line in
            ["nameserver 127.0.0.1", "127.0.0.1 localhost", "127.0.0.1 inside", "hosts: files dns", "refused"]
        {
            assert!(done.out.contains(line), "{base} {line}: {done:?}");
        }
        assert!(!done.out.contains(".text"), "{done:?}");
    }
    assert_eq!(std::fs::read_to_string("/etc/hosts").unwrap(), before);
}

#[test]
fn a_root_of_ones_own_has_them_too() {
    if !is_ready() {
        return;
    }
    let place = Place::new();
    let root = place.granted().join("root");
    for folder in ["usr", "etc", "proc", "dev", "tmp"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    for folder in ["bin", "sbin", "lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{folder}"), root.join(folder)).unwrap();
    }
    std::fs::write(root.join("etc/resolv.conf"), "nameserver 9.9.9.9\n").unwrap();
    let root_flag = root.to_str().unwrap();
    let flags = [("-p", "@system"), ("--root", root_flag), ("-n", "a.example")];
    let done = jars::finish(&mut jars::shell(&place, &flags, "cat /etc/resolv.conf")).unwrap();
    assert!(done.out.contains("nameserver 127.0.0.1"), "{done:?}");
    assert_eq!(std::fs::read_to_string(root.join("etc/resolv.conf")).unwrap(), "nameserver 9.9.9.9\n");
    assert_eq!(Place::names(&root.join("etc")), ["resolv.conf"]);
}
