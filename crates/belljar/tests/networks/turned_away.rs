//! What nobody serves in a jar's network is told: which host and port, and the flag that would allow it.

use belljar::event::Event;

use super::{is_ready, python};
use crate::support::jars::Done;

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
