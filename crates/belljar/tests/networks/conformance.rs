//! One policy, one list of deeds in a network, hosts that offer more or less: the verdicts agree. What differs is listed.

use belljar::HostFacts;
use belljar::probe::Userns;

use super::relayed::can_relay;
use super::support::jars::{self, Place};
use super::{ASK, Server};

/// Hosts that have everything, no namespaces, no Landlock, neither.
pub(super) fn hosts() -> [(&'static str, HostFacts); 4] {
    let rich = belljar::probe::probe();
    let poor = |namespaces: bool, landlock: bool| {
        let mut facts = rich.clone();
        facts.userns = if namespaces { facts.userns } else { Userns::Refused };
        facts.landlock = if landlock { facts.landlock } else { 0 };
        facts
    };
    [
        ("everything", rich.clone()),
        (NO_NAMESPACES, poor(false, true)),
        ("no Landlock", poor(true, false)),
        (NEITHER, poor(false, false)),
    ]
}

/// What a policy has to accept on the poorest of them.
pub(super) const WEAKER: [(&str, &str); 2] = [("--allow-weaker", "fs"), ("--allow-weaker", "ipc")];

const NO_NAMESPACES: &str = "no namespaces";
const NEITHER: &str = "neither namespaces nor Landlock";

/// Deeds, each an expression of python. `P` is a port that is granted with `a.test` and `10.0.0.0/8`, `R` one of the host that
/// may be reached, `N` one that nothing grants, `S` one that is published; a server of the host waits at the first three.
const DEEDS: &[&str] = &[
    "ask('a.test', P)",
    "ask('A.Test.', P)",
    "ask('a.test', N)",
    "ask('b.test', P)",
    "ask('www.a.test', P)",
    "ask('denied.test', P)",
    "ask('127.0.0.1', P)",
    "ask('127.0.0.1', R)",
    "ask('localhost', R)",
    "ask('127.0.0.1', N)",
    "ask('0.0.0.0', N)",
    "ask('::1', N)",
    "ask('10.9.0.1', P)",
    "ask('169.254.169.254', P)",
    "ask('2001:db8::1', P)",
    "sent(socket.SOCK_DGRAM, '127.0.0.1', N)",
    "looked_up('a.test', ('192.0.2.53', 53))",
    "looked_up('b.test', ('192.0.2.53', 53))",
    "waits('127.0.0.1', S)",
    "waits('0.0.0.0', S)",
    "waits('::', S)",
    "waits('::1', S)",
    "waits('127.0.0.1', 0)",
    "waits('127.0.0.1', 80)",
    "meets('127.0.0.1', S)",
    "meets('0.0.0.0', S, '127.0.0.1')",
    "meets('0.0.0.0', S, '::1')",
    "meets('127.0.0.1', S, '::1')",
    "meets('127.0.0.1', S, '::ffff:127.0.0.1')",
    "meets('::1', S)",
    "meets('::1', S, '127.0.0.1')",
    "meets('::1', S, only=1)",
    "meets('::', S, '127.0.0.1')",
    "meets('::', S, '::1')",
    "meets('::', S, '127.0.0.1', only=1)",
    "meets('::', S, '::1', only=1)",
    "meets('127.0.0.1', S, 'localhost')",
    "meets('127.0.0.1', S, '127.0.0.2')",
    "found(waiting('127.0.0.1', S))",
    "found(waiting('::1', S))",
    "both(waiting('127.0.0.1', S), waiting('::1', S, 1))",
    "ask('127.0.0.1', S)",
    "ask('::1', S)",
    "made('AF_NETLINK', socket.SOCK_RAW)",
    "made('AF_PACKET', socket.SOCK_RAW)",
    "made('AF_UNIX', socket.SOCK_DGRAM)",
    "made('AF_UNIX', socket.SOCK_STREAM)",
    "bool(socket.socketpair())",
];

/// What the host's own network lets be done, on which hosts, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "waits('127.0.0.1', 0)",
        "no loopback of the jar's own: what is not published would be a server of the host",
    ),
    ("made('AF_NETLINK', socket.SOCK_RAW)", "netlink tells about the host's network there, not the jar's"),
    (
        "looked_up('a.test', ('192.0.2.53', 53))",
        "a socket for queries leads to the jar's name service, whatever it is addressed to: nothing else is at the other end",
    ),
];

/// Each function is true when it could be done.
const VERBS: &str = r"
def done(work):
    try:
        return work()
    except OSError:
        return False
def sent(kind, host, port):
    s = socket.socket(socket.AF_INET, kind)
    return done(lambda: s.connect((host, port)) is None and s.send(b'x') == 1 and False)
def looked_up(name, server):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.5)
    labels = b''.join(bytes([len(part)]) + part.encode() for part in name.split('.'))
    query = b'\0\7\1\0\0\1\0\0\0\0\0\0' + labels + b'\0\0\1\0\1'
    return done(lambda: s.sendto(query, server) and s.recv(512)[3] & 15 == 0)
def waiting(host, port, only=0):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    s.bind((host, port))
    s.listen()
    return s
def waits(host, port):
    return done(lambda: waiting(host, port) is not None)
def met(server, at, word):
    s = socket.create_connection(at, 5)
    s.sendall(word)
    return server.accept()[0].recv(9) == word
def meets(host, port, at=None, only=0):
    return done(lambda: met(waiting(host, port, only), (at or host, port), b'this'))
def found(server):
    return done(lambda: met(server, server.getsockname()[:2], b'that'))
def both(four, six):
    there = (('127.0.0.1', four.getsockname()[1]), ('::1', six.getsockname()[1]))
    return done(lambda: met(four, there[0], b'4') and met(six, there[1], b'6'))
def made(family, kind):
    return done(lambda: socket.socket(getattr(socket, family), kind) is not None)
";

#[test]
fn one_policy_has_the_same_verdicts_on_richer_and_poorer_hosts() {
    if !can_relay() {
        return;
    }
    let [wanted, reached, other] = ["wanted", "reached", "other"].map(Server::start);
    let heard = std::net::UdpSocket::bind(("127.0.0.1", other.port)).unwrap();
    heard.set_nonblocking(true).unwrap();
    let place = Place::new();
    let ports = [("P", wanted.port), ("R", reached.port), ("N", other.port), ("S", 8423)];
    let ports = ports.map(|(name, port)| format!("{name} = {port}")).join("\n");
    let deeds: String = DEEDS.iter().map(|deed| format!("print({deed})\n")).collect();
    std::fs::write(place.granted().join("deeds.py"), format!("{ASK}\n{VERBS}\n{ports}\n{deeds}")).unwrap();
    let (grant, literal) = (format!("a.test:{}", wanted.port), format!("10.0.0.0/8:{}", wanted.port));
    let (reach, publish) =
        (format!("localhost:{}", reached.port), format!("8423:{}", super::published::free_port()));
    let flags = [
        ("-n", grant.as_str()),
        ("-n", &literal),
        ("--deny-net", "10.9.0.0/16"),
        ("--deny-net", "denied.test"),
        ("--reach", &reach),
        ("--publish", &publish),
        ("--host", "a.test=127.0.0.1"),
        ("--host", "denied.test=127.0.0.1"),
    ];
    let flags = [&flags[..], &WEAKER].concat();
    let verdicts = hosts().map(|(host, facts)| {
        let done = jars::finish(jars::shell(&place, &flags, "exec python3 deeds.py").host(facts)).unwrap();
        let lines: Vec<String> = done.out.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), DEEDS.len(), "{host}: {done:?}");
        (host, lines)
    });
    let [(_, expected), ..] = &verdicts;
    let could = |line: &str| ["wanted", "reached", "True"].contains(&line);
    assert!(expected.iter().filter(|line| could(line)).count() > 7, "{expected:?}");
    for (host, lines) in &verdicts {
        let poor = [NO_NAMESPACES, NEITHER].contains(host);
        for ((deed, want), got) in DEEDS.iter().zip(expected).zip(lines) {
            let excepted = poor && EXCEPTIONS.iter().any(|(known, _)| known == deed);
            assert_eq!(could(got) != could(want), excepted, "{host}: {deed} is {got}, {want} elsewhere");
        }
    }
    assert_eq!(other.visits(), 0);
    assert!(heard.recv(&mut [0; 8]).is_err(), "no datagram left a jar");
}
