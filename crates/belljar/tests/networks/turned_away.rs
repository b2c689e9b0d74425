//! What nobody serves in a jar's network is told: which host and port, and the flag that would allow it.

use belljar::event::Event;

use super::{is_ready, python};
use crate::support::jars::{self, Done, Place};

fn told<'d>(done: &'d Done, object: &str) -> Option<&'d Event> {
    done.report.denials().find(|event| event.object == object)
}

#[test]
fn a_port_that_no_rule_serves_is_told_with_its_flag() {
    if !is_ready() {
        return;
    }
    let script = "
for host, port in [('a.example', 8443), ('a.example', 8443), ('93.184.216.34', 444), ('2001:db8::7', 445), ('127.0.0.1', 446)]:
    print(ask(host, port))";
    let done = python(&[("-n", "a.example:443")], script);
    assert_eq!(done.out, "ECONNREFUSED\n".repeat(5), "{done:?}");
    for (object, flag, count) in [
        ("a.example:8443", "--net a.example:8443", 2),
        ("93.184.216.34:444", "--net 93.184.216.34:444", 1),
        ("[2001:db8::7]:445", "--net [2001:db8::7]:445", 1),
        ("127.0.0.1:446", "--reach localhost:446", 1),
    ] {
        let event = told(&done, object).unwrap_or_else(|| panic!("{object}: {:?}", done.report.events));
        assert_eq!((event.call.as_str(), event.flag.as_deref()), ("connect", Some(flag)), "{event:?}");
        assert_eq!(event.count, count, "{event:?}");
    }
}

#[test]
fn the_flag_that_is_told_lets_the_connection_through_to_the_rules() {
    if !is_ready() {
        return;
    }
    let flags = [("-n", "a.example:443"), ("-n", "a.example:8443"), ("--host", "a.example=127.0.0.1")];
    let done = python(&flags, "print(ask('a.example', 8443))");
    assert_eq!(done.out, "ECONNRESET\n", "nobody listens on the host's 8443: {done:?}");
    assert!(told(&done, "a.example:8443").is_none(), "{done:?}");
}

#[test]
fn datagrams_that_nobody_takes_are_told_with_the_reason() {
    if !is_ready() {
        return;
    }
    let script = "
def send(family, to):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(10)
    try:
        s.connect(to)
        s.send(b'secret')
        s.recv(10)
    except OSError as error:
        print(errno.errorcode[error.errno])
name = socket.getaddrinfo('a.example', 443, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
for family, to in [(socket.AF_INET, name), (socket.AF_INET, ('9.9.9.9', 123)), (socket.AF_INET6, ('2001:db8::7', 123)),
        (socket.AF_INET, ('127.0.0.1', 99))]:
    send(family, to)";
    let done = python(&[("-n", "a.example:443")], script);
    assert_eq!(done.out, "ECONNREFUSED\n".repeat(4), "{done:?}");
    for object in ["a.example:443", "9.9.9.9:123", "[2001:db8::7]:123"] {
        let event = told(&done, object).unwrap_or_else(|| panic!("{object}: {:?}", done.report.events));
        assert_eq!((event.call.as_str(), event.flag.as_deref()), ("sendto", None), "{event:?}");
        assert!(event.rule.contains("UDP"), "{event:?}");
    }
    assert!(told(&done, "127.0.0.1:99").is_none(), "programs of the jar among themselves: {done:?}");
}

/// What each refusal was asked for by: every way of asking, and two ports that nobody serves.
const ASKS: &str = "
for host, port in [('b.example', 443), ('9.9.9.9', 443), ('2001:db8::7', 443), ('9.9.9.9', 444), ('127.0.0.1', 445)]:
    ask(host, port)
s = socket.create_connection(('127.0.0.1', 53))
s.sendall(bytes([0, 27, 0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]) + b'c' + bytes([7]) + b'example' + bytes([0, 0, 1, 0, 1]))
s.recv(100)
s = socket.create_connection(('127.0.0.1', 3128))
s.sendall(b'CONNECT d.example:443 HTTP/1.1\\r\\n\\r\\n')
s.recv(100)
kept = []
for family, to in [(socket.AF_INET, ('9.9.9.9', 123)), (socket.AF_INET6, ('2001:db8::7', 123))]:
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.sendto(b'x', to)
    kept.append(s)
import time
time.sleep(1)";

const OPEN: [&str; 7] = [
    "b.example",
    "9.9.9.9:443",
    "[2001:db8::7]:443",
    "c.example",
    "d.example:443",
    "9.9.9.9:123",
    "[2001:db8::7]:123",
];
const GONE: [&str; 2] = ["9.9.9.9:444", "127.0.0.1:445"];

fn who<'d>(done: &'d Done, object: &str) -> (&'d str, bool) {
    let event = told(done, object).unwrap_or_else(|| panic!("{object}: {:?}", done.report.events));
    (&event.program, event.pid != 0)
}

fn asked(change: impl FnOnce(&mut belljar::Command)) -> Done {
    let place = Place::new();
    jars::file(&place.granted().join("script.py"), &format!("{}\n{ASKS}", super::ASK));
    let flags = [("-n", "a.example:443"), ("--proxy", "")];
    let mut command = jars::shell(&place, &flags, "exec python3 script.py");
    change(&mut command);
    let done = jars::finish(&mut command).unwrap();
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    done
}

#[test]
fn who_asked_is_named_as_long_as_its_socket_is_there() {
    if !is_ready() {
        return;
    }
    let done = asked(|_| {});
    for object in OPEN {
        assert_eq!(who(&done, object), ("python3", true), "{object}");
    }
    for object in GONE {
        assert_eq!(who(&done, object), ("", false), "{object}: the kernel has taken the socket apart");
    }
}

#[test]
fn a_jar_that_is_explained_names_everybody() {
    if !is_ready() {
        return;
    }
    let done = asked(|command| {
        command.explain();
    });
    for object in OPEN.into_iter().chain(GONE) {
        assert_eq!(who(&done, object), ("python3", true), "{object}");
    }
}

#[test]
fn a_jar_with_very_many_sockets_is_served_and_has_no_name() {
    if !is_ready() {
        return;
    }
    let script = "
import os, resource
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
kept = [os.dup(0) for n in range(3000)]
print(ask('9.9.9.9', 443))";
    let done = python(&[("-n", "a.example:443")], script);
    assert_eq!(done.out, "ECONNRESET\n", "{done:?}");
    assert_eq!(who(&done, "9.9.9.9:443"), ("", false));
}

#[test]
fn traffic_of_the_jar_itself_is_no_refusal() {
    if !is_ready() {
        return;
    }
    let script = "
import threading
server = socket.create_server(('127.0.0.1', 0))
def serve():
    for n in range(20):
        s, _ = server.accept()
        if n % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\\1\\0\\0\\0\\0\\0\\0\\0')
        s.close()
thread = threading.Thread(target=serve)
thread.start()
for n in range(20):
    ask('127.0.0.1', server.getsockname()[1])
thread.join()";
    let done = python(&[("-n", "a.example:443")], script);
    assert_eq!(done.report.denials().count(), 0, "{done:?}");
}

#[test]
fn a_jar_that_is_turned_away_again_and_again_ends_in_order() {
    if !is_ready() {
        return;
    }
    let script = "
for n in range(20000):
    s = socket.socket()
    if s.connect_ex(('9.9.9.9', 1 + n)) != errno.ECONNREFUSED:
        print(n)
    s.close()";
    let done = python(&[("-n", "a.example:54443")], script);
    assert_eq!(done.out, "", "{done:?}");
    assert!(done.report.denials().count() > 100, "{:?}", done.report.denials().count());
}
