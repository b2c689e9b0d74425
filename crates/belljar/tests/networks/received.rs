//! Receiving that asks for the sender, without namespaces: resolvers that compare it find their names, and every other socket
//! gives what it gives without a jar.

use super::relayed::{can_relay, poorer};
use super::support::{self, jars};
use super::{ASK, Server};
use jars::{Done, Place};

fn shell(place: &Place, flags: &[(&str, &str)], script: &str) -> Done {
    let flags = [flags, &[("--allow-weaker", "fs")]].concat();
    let done = jars::finish(jars::shell(place, &flags, script).host(poorer())).unwrap();
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    done
}

/// Looks names up as its C library does, and says what a server says.
const CLIENT: &str = r#"
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **words) {
    for (int at = 1; at + 1 < count; at += 2) {
        struct addrinfo wish = {.ai_socktype = SOCK_STREAM}, *found;
        int error = getaddrinfo(words[at], words[at + 1], &wish, &found);
        if (error) { puts(gai_strerror(error)); continue; }
        int s = socket(found->ai_family, SOCK_STREAM, 0);
        char said[100] = {0};
        if (connect(s, found->ai_addr, found->ai_addrlen)) { puts("not reached"); continue; }
        if (write(s, "hello", 5) != 5) puts("not told");
        if (recvfrom(s, said, 99, 0, found->ai_addr, &found->ai_addrlen) > 0)
            printf("%s, sender of %d bytes\n", said, (int)found->ai_addrlen);
        close(s);
    }
}
"#;

/// Builds the client for this C library; none where there is no compiler for it.
fn client(place: &Place, compiler: &str) -> bool {
    jars::file(&place.granted().join("client.c"), CLIENT);
    let built = std::process::Command::new(compiler)
        .args(["-static", "-O1", "-w", "-o", "client", "client.c"])
        .current_dir(place.granted())
        .status();
    support::has(compiler, built.is_ok_and(|status| status.success()))
}

#[test]
fn a_static_program_of_musl_finds_its_names() {
    if !can_relay() {
        return;
    }
    let (place, server) = (Place::new(), Server::start("wanted"));
    if !client(&place, "musl-gcc") {
        return;
    }
    let grant = format!("a.example:{}", server.port);
    let flags = [("-n", grant.as_str()), ("--host", "a.example=127.0.0.1")];
    let started = std::time::Instant::now();
    let done = shell(&place, &flags, &format!("exec ./client a.example {0} b.example {0}", server.port));
    let expected = "wanted, sender of 0 bytes\nName does not resolve\n";
    assert_eq!((done.out.as_str(), server.visits()), (expected, 1), "{done:?}");
    assert!(started.elapsed().as_secs() < 4, "the first answer counts, not a name server that falls silent");
}

/// Sockets that are no sockets for queries, each way to receive.
const WAYS: &str = r"
import os, signal, socket, threading, time
def tried(work):
    try:
        return work()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
def pairs():
    for kind in [socket.SOCK_STREAM, socket.SOCK_SEQPACKET]:
        yield kind, *socket.socketpair(socket.AF_UNIX, kind)
for kind, a, b in pairs():
    a.send(b'some words')
    print(kind, b.recvfrom(4, socket.MSG_PEEK), b.recvfrom(4), tried(lambda: b.recvfrom(9, socket.MSG_DONTWAIT)))
    a.send(b'again some')
    print(kind, b.recvfrom(3, socket.MSG_TRUNC | socket.MSG_PEEK)[0][:3])
    b.recv(99)
    b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, (0).to_bytes(8, 'little') + (100000).to_bytes(8, 'little'))
    began = time.time()
    print(kind, tried(lambda: b.recvfrom(9)), 0.09 < time.time() - began < 2)
    b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(16))
    threading.Timer(0.2, lambda: a.send(b'late')).start()
    print(kind, b.recvfrom(9))
    seen = []
    def rings(*_):
        seen.append('rang')
        a.send(b'rung')
    signal.signal(signal.SIGALRM, rings)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    print(kind, b.recvfrom(9), seen)
    threading.Timer(0.2, a.close).start()
    print(kind, b.recvfrom(9))
print(tried(lambda: socket.socket().recvfrom(9)))
";

/// Runs a script that says this with and without a jar.
fn is_as_without_a_jar(script: &str, said: &str) {
    if !can_relay() {
        return;
    }
    let (place, server) = (Place::new(), Server::start("wanted"));
    std::fs::write(place.granted().join("script.py"), format!("{ASK}\n{script}")).unwrap();
    let grant = format!("a.example:{}", server.port);
    let plain = jars::control(&place, "exec python3 script.py");
    assert!(plain.contains(said) && !plain.contains("Traceback"), "{plain}");
    assert_eq!(shell(&place, &[("-n", &grant)], "exec python3 script.py").out, plain);
}

#[test]
fn what_other_sockets_receive_is_what_they_receive_without_a_jar() {
    is_as_without_a_jar(WAYS, "rang");
}

#[test]
fn the_jars_memory_takes_what_it_has_room_for() {
    if !can_relay() {
        return;
    }
    let (place, server) = (Place::new(), Server::start("wanted"));
    let script = format!(
        "{ASK}
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
query = b'\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\1a\\7example\\0\\0\\1\\0\\1'
def answer(room, sender=True, size=True):
    s.sendto(query, ('192.0.2.53', 53))
    said, who, length = ctypes.create_string_buffer(512), ctypes.create_string_buffer(b'#' * 40), ctypes.c_int(room)
    got = libc.recvfrom(s.fileno(), said, 512, 0, who if sender else 1, ctypes.byref(length) if size else None)
    if got < 0:
        return errno.errorcode[ctypes.get_errno()]
    family, port = struct.unpack('=H', who.raw[:2])[0], struct.unpack('!H', who.raw[2:4])[0]
    return said.raw[:2] == query[:2], length.value, who.raw[:room + 1].count(b'#'), room < 4 or (family, port)
print(answer(16), answer(28), answer(3), answer(0), answer(-1), answer(16, sender=False), answer(16, size=False))
"
    );
    std::fs::write(place.granted().join("room.py"), script).unwrap();
    let grant = format!("a.example:{}", server.port);
    let said = shell(&place, &[("-n", &grant)], "cat /etc/resolv.conf; exec python3 room.py").out;
    let (known, said) =
        said.rsplit_once("(True, ").map(|_| said.split_at(said.find("(True").unwrap())).unwrap();
    if known.lines().any(|line| line.starts_with("nameserver") && !line.contains(':')) {
        let expected = "(True, 16, 1, (2, 53)) (True, 28, 1, (10, 53)) (True, 16, 1, True) (True, 16, 1, True) EINVAL EFAULT EFAULT\n";
        assert_eq!(said, expected);
    }
}

/// The resolver that receives messages, compiled into the granted folder.
fn resolver(place: &Place) -> bool {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/networks/resolver.c");
    let built = place.granted().join("resolver");
    let gcc = std::process::Command::new("gcc")
        .args(["-static", "-O1", "-pthread", "-o"])
        .arg(built)
        .arg(source)
        .status();
    support::has("gcc", gcc.is_ok_and(|status| status.success()))
}

#[test]
fn a_program_that_receives_messages_finds_its_names() {
    if !can_relay() {
        return;
    }
    let (place, server) = (Place::new(), Server::start("wanted"));
    if !resolver(&place) {
        return;
    }
    let grant = format!("a.example:{}", server.port);
    let done = shell(&place, &[("-n", &grant)], "exec ./resolver a.example b.example");
    let line = |code, answers, whole| {
        format!("code {code}, answers {answers}, sender of 0 bytes, control of 0, flags 0, whole {whole}\n")
    };
    let expected = line(0, 1, 1).repeat(2) + &line(3, 0, 1).repeat(2);
    assert!([expected.as_str(), "no name server\n"].contains(&done.out.as_str()), "{done:?}");
}

#[test]
fn heads_of_messages_that_are_none_are_refused_as_the_kernel_does() {
    if !can_relay() {
        return;
    }
    let (place, server) = (Place::new(), Server::start("wanted"));
    if !resolver(&place) {
        return;
    }
    let grant = format!("a.example:{}", server.port);
    let done = shell(&place, &[("-n", &grant)], "exec ./resolver hostile < /dev/null");
    let expected = "no head: EFAULT, flags 0\na head at the edge: EFAULT, flags 0\nno pieces: EFAULT, flags 0\n\
                    too many pieces: EMSGSIZE, flags 0\nvery many pieces: EMSGSIZE, flags 0\n\
                    a piece too long: EINVAL, flags 0\na piece nowhere: EFAULT, flags 0\n\
                    a sender nowhere: EFAULT, flags 0\nroom of less than none: EINVAL, flags 0\n\
                    errors: EAGAIN, flags 0\ntoo little room: 5, flags 20\n\
                    too little room, asked: 43, flags 20\nno room: 0, flags 20\n\
                    none of many: 0, flags 0\nnothing open: EBADF, flags 0\nno socket: ENOTSOCK, flags 0\nodd ends 0\n\
                    code 0, answers 1, sender of 0 bytes, control of 0, flags 0, whole 1\n";
    let expected = expected.replace(
        "0, flags 0\nnothing open: EBADF, flags 0\nno socket: ENOTSOCK, flags 0",
        "0\nnothing open: EBADF\nno socket: ENOTSOCK",
    );
    assert!([expected.as_str(), "no name server\n"].contains(&done.out.as_str()), "{done:?}");
}

/// Sockets that are none for queries: what they receive is the kernel's matter, descriptors included.
const MESSAGES: &str = r"
import os, signal, socket, threading, time
def tried(work):
    try:
        return work()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
for kind in [socket.SOCK_STREAM, socket.SOCK_SEQPACKET]:
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    read, write = os.pipe()
    socket.send_fds(a, [b'some words'], [write])
    said, fds, flags, _ = socket.recv_fds(b, 4, 3)
    print(kind, said, len(fds), flags, os.write(fds[0], b'through'), os.read(read, 9))
    a.send(b'peek')
    print(kind, b.recvmsg(4, 0, socket.MSG_PEEK)[0], b.recvmsg(99, 64)[:3])
    print(kind, tried(lambda: b.recvmsg(9, 0, socket.MSG_DONTWAIT)), tried(lambda: b.recvmsg(9, 9, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)))
    threading.Timer(0.2, lambda: a.send(b'late')).start()
    print(kind, b.recvmsg(9)[0])
    def rings(*_):
        a.send(b'rung')
    signal.signal(signal.SIGALRM, rings)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    print(kind, b.recvmsg(9)[0])
    a.send(b'x' * 300)
    print(kind, b.recvmsg_into([bytearray(100), bytearray(100)], 0)[:3])
    b.close()
    print(kind, tried(lambda: b.recvmsg(9)))
print(tried(lambda: socket.socket().recvmsg(9)))
";

#[test]
fn what_other_sockets_receive_as_messages_is_what_they_receive_without_a_jar() {
    is_as_without_a_jar(MESSAGES, "rung");
}
