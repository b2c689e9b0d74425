//! What each service answers, within its limit and beyond it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

use belljar::service::{
    Amount, Dns, FileArgs, LOCAL, Level, Log, LogLimit, Net, Only, Random, Remote, ServiceError, Time,
};

use crate::support::jars::{Place, file};
use crate::{able, program, users};

fn text(fd: OwnedFd) -> String {
    let mut text = String::new();
    File::from(fd).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn accounts_are_those_of_the_machine() {
    if !able() {
        return;
    }
    let mut users = users(Only::these(["root", "daemon"]));
    let root = users.account("root").unwrap();
    assert_eq!((root.uid, root.home.as_str()), (0, "/root"));
    assert_eq!(users.account_of(0).unwrap(), root);
    assert_eq!(users.group_of(0).unwrap().name, "root");
    assert!(matches!(users.account("nobody"), Err(ServiceError::Beyond)));
    assert!(matches!(users.account_of(65534), Err(ServiceError::Absent)));
}

#[test]
fn zones_are_given_whole() {
    if !able() || !crate::support::has("zoneinfo", std::fs::metadata("/usr/share/zoneinfo/UTC").is_ok()) {
        return;
    }
    let mut time =
        Time::builder(Only::these(["UTC", LOCAL, "../../../etc/passwd"])).program(program()).start().unwrap();
    assert_eq!(time.zone("UTC").unwrap(), std::fs::read("/usr/share/zoneinfo/UTC").unwrap());
    if let Ok(own) = std::fs::read("/etc/localtime") {
        assert_eq!(time.zone(LOCAL).unwrap(), own);
    }
    assert!(matches!(time.zone("Europe/Berlin"), Err(ServiceError::Beyond)));
    assert!(matches!(time.zone("../../../etc/passwd"), Err(ServiceError::Absent)));
}

#[test]
fn only_named_files_are_opened_and_for_reading_only() {
    if !able() {
        return;
    }
    let place = Place::new();
    let (named, other) = (place.granted().join("victim"), place.outside().join("secret"));
    let mut files = FileArgs::builder([&named]).unwrap().program(program()).start().unwrap();
    let got = files.open(&named).unwrap();
    // Opened again by its number, which a jar's own mount refuses.
    let anew = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&got));
    let anew = File::options().write(true).open(anew).unwrap_err();
    assert_eq!(anew.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(text(got), "unharmed");
    assert!(matches!(files.open(&other), Err(ServiceError::Beyond)));
    // A name that leads elsewhere meanwhile still gives the file that was meant.
    std::fs::remove_file(&named).unwrap();
    std::os::unix::fs::symlink(&other, &named).unwrap();
    assert_eq!(text(files.open(&named).unwrap()), "unharmed");
    assert!(matches!(FileArgs::start([place.granted()]), Err(ServiceError::Means { .. })));
}

#[test]
fn a_log_is_added_to_and_each_line_is_one() {
    if !able() {
        return;
    }
    let place = Place::new();
    let path = place.granted().join("log");
    file(&path, "before\n");
    let open = || File::options().append(true).open(&path).unwrap();
    let limit = LogLimit::upto(Level::Notice).bytes(40);
    let mut log = Log::builder("parser", open(), limit).program(program()).start().unwrap();
    log.line(Level::Warning, "odd\nbefore").unwrap();
    assert!(matches!(log.line(Level::Debug, "more"), Err(ServiceError::Beyond)));
    assert!(matches!(log.line(Level::Error, &"x".repeat(40)), Err(ServiceError::Spent)));
    log.line(Level::Error, "last").unwrap();
    let pid = log.id().unwrap();
    drop(log);
    assert!(std::fs::metadata(format!("/proc/{pid}")).is_err(), "it ends with its client");
    let found = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(lines.len(), 3, "{found}");
    assert_eq!(lines[0], "before");
    assert!(lines[1].ends_with("Z parser warning: odd\\nbefore"), "{found}");
    assert!(lines[2].ends_with("Z parser error: last"), "{found}");
    let whole = File::options().write(true).open(&path).unwrap();
    assert!(matches!(Log::start("x", whole, limit), Err(ServiceError::Means { .. })));
}

#[test]
fn random_bytes_are_counted_over_all_clients() {
    if !able() {
        return;
    }
    let mut random = Random::builder(Amount::Bytes(100)).program(program()).start().unwrap();
    let mut part = random.narrowed(&Amount::Bytes(60)).unwrap();
    assert_ne!(part.bytes(32).unwrap(), random.bytes(32).unwrap());
    assert!(matches!(part.bytes(29), Err(ServiceError::Spent)));
    assert_eq!(part.bytes(28).unwrap().len(), 28);
    assert!(matches!(random.bytes(9), Err(ServiceError::Spent)));
    assert_eq!(random.bytes(8).unwrap().len(), 8);
}

/// A name service that knows one name, and counts what it is asked.
fn resolver() -> (UdpSocket, std::net::SocketAddr) {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let at = socket.local_addr().unwrap();
    (socket, at)
}

/// Answers so many questions; the names that it was asked for.
fn answer(socket: &UdpSocket, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let mut bytes = [0; 600];
        let (length, from) = socket.recv_from(&mut bytes).unwrap();
        let end = 12 + bytes[12..length].iter().position(|byte| *byte == 0).unwrap();
        let name =
            String::from_utf8_lossy(&bytes[13..end]).replace(['\u{2}', '\u{3}', '\u{4}', '\u{7}'], ".");
        let is_a = bytes[end + 2] == 1;
        let known = name == "db.example";
        let flags = if known { [0x81, 0x80] } else { [0x81, 0x83] };
        let count = u8::from(known && is_a);
        let mut reply = [&bytes[..2], &flags, &[0, 1, 0, count, 0, 0, 0, 0], &bytes[12..end + 5]].concat();
        if count == 1 {
            reply.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7]);
        }
        socket.send_to(&reply, from).unwrap();
        names.push(name);
    }
    names
}

#[test]
fn names_are_looked_up_where_the_limit_has_them() {
    if !able() {
        return;
    }
    let (socket, at) = resolver();
    let serving = std::thread::spawn(move || answer(&socket, 3));
    let names = ["db.example", "no.example", "localhost"];
    let mut dns = Dns::builder(names).unwrap().resolvers([at]).program(program()).start().unwrap();
    assert_eq!(dns.addresses("DB.example").unwrap(), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
    assert!(matches!(dns.addresses("other.example"), Err(ServiceError::Beyond)));
    assert!(matches!(dns.addresses("no.example"), Err(ServiceError::Absent)));
    assert!(dns.addresses("localhost").unwrap().iter().all(IpAddr::is_loopback));
    assert_eq!(serving.join().unwrap(), ["db.example", "db.example", "no.example"]);
}

#[test]
fn a_resolver_that_is_silent_is_an_error_in_time_and_no_more() {
    if !able() {
        return;
    }
    let (_socket, at) = resolver();
    let mut dns = Dns::builder(["db.example"]).unwrap().resolvers([at]).program(program()).start().unwrap();
    let mut other = dns.try_clone().unwrap();
    dns.within(Duration::from_millis(200));
    assert!(matches!(dns.addresses("db.example"), Err(ServiceError::TimedOut { .. })));
    // Another client is answered meanwhile.
    assert!(matches!(other.addresses("beyond.example"), Err(ServiceError::Beyond)));
    // And the first one goes on once the service has given up.
    dns.within(Duration::from_secs(30));
    assert!(matches!(dns.addresses("beyond.example"), Err(ServiceError::Beyond)));
}

#[test]
fn connections_are_made_to_listed_hosts() {
    if !able() {
        return;
    }
    let (listener, other) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let remote = |listener: &TcpListener| Remote::new("127.0.0.1", listener.local_addr().unwrap().port());
    let (listed, unlisted) = (remote(&listener), remote(&other));
    other.set_nonblocking(true).unwrap();
    let mut net = Net::builder([listed.clone()]).program(program()).start().unwrap();
    let serving = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
    let mut heard = String::new();
    net.connect(&listed.host, listed.port).unwrap().read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello");
    serving.join().unwrap();
    assert!(matches!(net.connect(&unlisted.host, unlisted.port), Err(ServiceError::Beyond)));
    assert!(other.accept().is_err());
    let none: [Remote; 0] = [];
    net.limit(&Only::these(none)).unwrap();
    assert!(matches!(net.connect(&listed.host, listed.port), Err(ServiceError::Beyond)));
}
