//! Unix sockets: the listed service is reached, no other one of the host is, and programs of the jar reach one another.

use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use belljar::HostFacts;
use belljar::error::StartError;
use belljar::probe::Userns;

use super::refusals;
use super::support::has_python;
use super::support::jars::{self, Done, Place};

/// A service that says its name, then sends back what it hears.
struct Service {
    visits: Arc<AtomicUsize>,
}

impl Service {
    fn start(listener: UnixListener, name: &'static str) -> Self {
        let service = Self { visits: Arc::default() };
        let visits = service.visits.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                visits.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream.unwrap(), name));
            }
        });
        service
    }

    fn at(path: &Path, name: &'static str) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        Self::start(listener, name)
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: UnixStream, name: &str) {
    stream.write_all(name.as_bytes()).unwrap_or_default();
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut bytes) {
        stream.write_all(&bytes[..count]).unwrap_or_default();
    }
}

/// For scripts: what a service says, or why there is none.
const ASK: &str = "
import socket, errno, os, array
def ask(path, kind=socket.SOCK_STREAM, family=socket.AF_UNIX):
    try:
        s = socket.socket(family, kind)
        s.settimeout(10)
        s.connect(path)
        said = s.recv(100).decode()
        s.sendall(b'!')
        return said + s.recv(1).decode()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
";

struct Peers {
    place: Place,
    wanted: Service,
    other: Service,
    hidden: Service,
    named: Service,
    name: String,
}

impl Peers {
    fn new() -> Self {
        let place = Place::new();
        let name = format!("belljar-test-{}", place.path().file_name().unwrap().to_str().unwrap());
        let named = SocketAddr::from_abstract_name(&name).unwrap();
        Self {
            wanted: Service::at(&place.granted().join("wanted"), "wanted"),
            other: Service::at(&place.granted().join("other"), "other"),
            hidden: Service::at(&place.outside().join("hidden"), "hidden"),
            named: Service::start(UnixListener::bind_addr(&named).unwrap(), "named"),
            place,
            name,
        }
    }

    fn wanted(&self) -> String {
        self.place.granted().join("wanted").to_str().unwrap().to_owned()
    }

    /// Runs a script that may reach the wanted service alone.
    fn python(&self, facts: Option<&HostFacts>, more: &[(&str, &str)], script: &str) -> Done {
        let text =
            format!("{ASK}\nN = '\\0{}'\nO = '{}'\n{script}", self.name, self.place.outside().display());
        std::fs::write(self.place.granted().join("script.py"), text).unwrap();
        let (wanted, granted) = (self.wanted(), self.place.granted());
        let mut flags = vec![("--socket", wanted.as_str()), ("-w", granted.to_str().unwrap())];
        flags.extend_from_slice(more);
        let mut command = jars::shell(&self.place, &flags, "exec python3 script.py");
        if let Some(facts) = facts {
            command.host(facts.clone());
        }
        let done = jars::finish(&mut command).unwrap();
        assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
        done
    }

    fn nobody_else_was_visited(&self) {
        let visits = [&self.other, &self.hidden, &self.named].map(Service::visits);
        assert_eq!(visits, [0, 0, 0]);
    }
}

fn is_ready() -> bool {
    super::is_ready() && super::support::has("notify", belljar::probe::probe().seccomp_notify)
}

/// A host that lets nobody make namespaces.
fn poorer() -> HostFacts {
    let mut facts = belljar::probe::probe();
    facts.userns = Userns::Refused;
    facts
}

const WEAKER: &[(&str, &str)] = &[("--allow-weaker", "fs")];

#[test]
fn names_that_no_rule_holds_do_not_come_into_being_by_a_listed_socket() {
    if !is_ready() {
        return;
    }
    let script = "
def exists(name):
    try:
        return socket.getaddrinfo(name, 443)[0][4][0]
    except socket.gaierror:
        return 'no such name'
print(ask('wanted'), exists('b.example'))";
    let done = Peers::new().python(None, &[("-n", "a.example:443")], script);
    assert_eq!(done.out, "wanted! no such name\n", "{done:?}");
}

const OTHERS: &str = "
print(ask('wanted'))
for path in ['other', './wanted/../other', O + '/hidden', N, 'link', 'missing', 'script.py']:
    if path == 'link':
        os.symlink('other', 'link')
    print(path.strip(chr(0))[:12].replace(O[:12], 'O'), ask(path))
for kind in [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]:
    print(kind.name, ask('other', kind))
";

#[test]
fn the_listed_service_is_reached_and_no_other() {
    if !is_ready() {
        return;
    }
    let peers = Peers::new();
    let done = peers.python(None, &[], OTHERS);
    let lines: Vec<&str> = done.out.lines().collect();
    let expected = [
        "wanted!",
        "other EACCES",
        "./wanted/../ ENOTDIR",
        "O ENOENT",
        "belljar-test ECONNREFUSED",
        "link EACCES",
        "missing ENOENT",
        "script.py EACCES",
        "SOCK_DGRAM EACCES",
        "SOCK_SEQPACKET EACCES",
    ];
    assert_eq!(lines, expected, "{done:?}");
    assert_eq!(peers.wanted.visits(), 1);
    peers.nobody_else_was_visited();
    let other = peers.place.granted().join("other");
    assert!(refusals(&done.report).contains(&("connect".to_owned(), other.to_str().unwrap().to_owned())));
    let flags: Vec<_> = done.report.denials().filter_map(|event| event.flag.clone()).collect();
    assert!(flags.contains(&format!("--socket {}", other.display())), "{flags:?}");
}

#[test]
fn without_namespaces_the_same_service_is_reached_and_no_other() {
    if !is_ready() {
        return;
    }
    let (peers, facts) = (Peers::new(), poorer());
    let done = peers.python(Some(&facts), WEAKER, OTHERS);
    assert!(done.out.starts_with("wanted!\nother EACCES\n"), "{done:?}");
    assert_eq!(done.out.matches("EACCES").count() + done.out.matches("ENOENT").count(), 8, "{done:?}");
    assert_eq!(peers.wanted.visits(), 1);
    peers.nobody_else_was_visited();
}

#[test]
fn what_comes_to_stand_at_the_path_is_not_the_service() {
    if !is_ready() {
        return;
    }
    let script = "
os.rename('wanted', 'kept')
os.symlink('other', 'wanted')
print(ask('wanted'))
os.unlink('wanted')
os.rename('other', 'wanted')
print(ask('wanted'))
";
    let (peers, facts) = (Peers::new(), poorer());
    let done = peers.python(Some(&facts), WEAKER, script);
    assert!(!done.out.contains("other"), "{done:?}");
    peers.nobody_else_was_visited();
}

#[test]
fn programs_of_the_jar_reach_one_another_by_path_and_by_name() {
    if !is_ready() {
        return;
    }
    let script = "
import threading
for place in ['/tmp/own', chr(0) + 'own']:
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen()
    def serve():
        peer, _ = server.accept()
        peer.sendall(b'own')
        peer.sendall(peer.recv(1))
    thread = threading.Thread(target=serve)
    thread.start()
    print(ask(place))
    thread.join()
server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
print('tcp', client.getpeername() == server.getsockname())
late = socket.socket()
late.setblocking(False)
print(late.connect_ex(server.getsockname()) in (0, errno.EINPROGRESS))
";
    let done = Peers::new().python(None, &[], script);
    assert_eq!(done.out, "own!\nown!\ntcp True\nTrue\n", "{done:?}");
}

#[test]
fn no_descriptor_passes_to_a_service_or_from_it() {
    if !is_ready() {
        return;
    }
    let place = Place::new();
    let path = place.granted().join("wanted");
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let got = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = rustix::net::RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let io = &mut [std::io::IoSliceMut::new(&mut byte)];
        let flags = rustix::net::RecvFlags::empty();
        let received = rustix::net::recvmsg(&stream, io, &mut ancillary, flags).unwrap();
        let peer = rustix::net::sockopt::socket_peercred(&stream).unwrap();
        (received.bytes, ancillary.drain().count(), peer.pid.as_raw_nonzero().get().unsigned_abs())
    });
    let script = format!(
        "exec python3 -c 'import socket, array; s = socket.socket(socket.AF_UNIX); s.connect(\"{}\")
s.sendmsg([b\"x\"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array(\"i\", [0]))])'",
        path.display()
    );
    let flags = [("--socket", path.to_str().unwrap())];
    let done = jars::finish(&mut jars::shell(&place, &flags, &script)).unwrap();
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    assert_eq!(got.join().unwrap(), (1, 0, std::process::id()));
}

#[test]
fn a_service_that_is_not_there_stops_the_start() {
    let place = Place::new();
    for path in ["granted/missing", "granted/victim"] {
        let path = place.path().join(path);
        let mut command = jars::shell(&place, &[("--socket", path.to_str().unwrap())], "true");
        let error = jars::finish(&mut command).unwrap_err();
        assert!(matches!(error, StartError::Path { .. } | StartError::Plan(_)), "{error}");
    }
}

#[test]
fn a_link_to_an_engines_socket_needs_the_long_word() {
    if !is_ready() || !has_python() {
        return;
    }
    let place = Place::new();
    let link = place.granted().join("innocent");
    std::os::unix::fs::symlink("/proc/1/ns/net", &link).unwrap();
    let mut command = jars::shell(&place, &[("--socket", link.to_str().unwrap())], "true");
    assert!(jars::finish(&mut command).is_err());
}
