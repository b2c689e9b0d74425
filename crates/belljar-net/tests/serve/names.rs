//! Which names lead where.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use belljar_net::{Door, Reason};
use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
use simple_dns::{RCODE, TYPE};

use crate::world::{Setup, echo, echoes, is_reset, patient, question, understood};

#[test]
fn a_granted_name_leads_to_its_host() {
    let port = echo();
    let world = Setup::new(port).allow(&format!("a.test:{port}")).name("a.test", &["127.0.0.1"]).start();
    let mut socket = world.connect("A.Test");
    assert!(echoes(&mut socket, "hello"));
    assert_eq!(socket.peer_addr().unwrap().ip(), Ipv4Addr::new(127, 18, 0, 1));
    let seen = world.seen.connections.lock().unwrap();
    assert_eq!((seen[0].door, seen[0].object.as_str()), (Door::Tcp, format!("a.test:{port}").as_str()));
    assert_eq!(seen[0].address.to_string(), format!("127.0.0.1:{port}"));
    assert!(world.denials().is_empty());
}

#[test]
fn nobody_is_asked_about_a_name_that_is_not_granted() {
    let port = echo();
    let world = Setup::new(port)
        .allow(&format!("a.test:{port}"))
        .allow("*.wide.test")
        .deny("bad.wide.test")
        .name("a.test", &["127.0.0.1"])
        .start();
    for name in ["secret-bytes.evil.test", "b.a.test", "a.test.corp.lan", "bad.wide.test", "com"] {
        for kind in [TYPE::A, TYPE::AAAA, TYPE::TXT] {
            assert_eq!(world.query(name, kind), (RCODE::NameError, vec![]), "{name}");
        }
    }
    assert_eq!(world.query("wide.test", TYPE::A), (RCODE::NoError, vec![]));
    assert_eq!(world.query("test", TYPE::A), (RCODE::NoError, vec![]));
    assert_eq!(world.query("a.test", TYPE::AAAA), (RCODE::NoError, vec![]));
    assert_eq!(world.query("x.wide.test", TYPE::A).0, RCODE::NoError);
    assert_eq!(world.denials().len(), 15);
    assert_eq!(world.denials()[0], ("secret-bytes.evil.test".to_owned(), Reason::Policy));
    assert!(world.names.asked.lock().unwrap().is_empty(), "the host's resolver is asked at connections only");
    assert!(echoes(&mut world.connect("a.test"), "x"));
    assert_eq!(*world.names.asked.lock().unwrap(), ["a.test"]);
}

#[test]
fn dns_over_tcp_answers_message_by_message() {
    let world = Setup::new(echo()).allow("a.test").start();
    let mut socket = patient(TcpStream::connect(world.dns_tcp).unwrap());
    let framed = |name: &str| {
        let message = question(name, TYPE::A);
        [&u16::try_from(message.len()).unwrap().to_be_bytes(), message.as_slice()].concat()
    };
    let both = [framed("a.test"), framed("no.test")].concat();
    for part in both.chunks(7) {
        socket.write_all(part).unwrap();
        std::thread::yield_now();
    }
    for code in [RCODE::NoError, RCODE::NameError] {
        let mut length = [0; 2];
        socket.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(understood(&answer).0, code);
    }
    socket.write_all(&[0xff; 3000]).unwrap();
    assert!(is_reset(&mut socket), "a message that is too long ends it");
}

#[test]
fn another_port_of_a_granted_name_is_refused() {
    let port = echo();
    let world = Setup::new(port).allow("a.test:443").name("a.test", &["127.0.0.1"]).start();
    assert!(is_reset(&mut world.connect("a.test")));
    let denials = world.seen.denials.lock().unwrap();
    assert_eq!(denials[0].decision.flag.as_deref(), Some(format!("--net a.test:{port}").as_str()));
    assert_eq!(denials[0].door, Door::Tcp);
}

#[test]
fn an_address_that_stands_for_nothing_is_refused() {
    let world = Setup::new(echo()).allow("a.test").start();
    assert!(is_reset(&mut world.connect_to(Ipv4Addr::new(127, 18, 0, 1))));
    assert_eq!(world.denials(), [(format!("127.18.0.1:{}", world.port), Reason::Policy)]);
}

#[test]
fn a_name_that_comes_to_lead_elsewhere_is_refused() {
    let port = echo();
    let mut setup = Setup::new(port)
        .allow(&format!("a.test:{port}"))
        .name("a.test", &["127.0.0.1"])
        .name("a.test", &["169.254.169.254"])
        .name("a.test", &["10.0.0.1", "::1", "::ffff:192.168.1.1", "fe80::1"]);
    setup.fresh = Duration::ZERO;
    let world = setup.start();
    assert!(echoes(&mut world.connect("a.test"), "x"));
    assert!(is_reset(&mut world.connect("a.test")));
    assert!(is_reset(&mut world.connect("a.test")));
    assert_eq!(world.denials(), vec![(format!("a.test:{port}"), Reason::Address); 2]);
    let denials = world.seen.denials.lock().unwrap();
    assert!(denials[0].decision.note.as_ref().unwrap().contains("machine metadata"));
    assert_eq!(world.seen.connections.lock().unwrap().len(), 1, "nothing else was dialled");
}

#[test]
fn only_the_fit_addresses_of_an_answer_are_dialled_one_after_the_other() {
    let port = echo();
    let world = Setup::new(port)
        .allow(&format!("a.test:{port}"))
        .allow(&format!("127.0.0.2:{port}"))
        .deny("127.0.0.3")
        .name("a.test", &["169.254.169.254", "127.0.0.3", "127.0.0.2", "127.0.0.1"])
        .start();
    assert!(echoes(&mut world.connect("a.test"), "the second one refuses, the third one serves"));
    assert_eq!(world.seen.connections.lock().unwrap()[0].address.to_string(), format!("127.0.0.1:{port}"));
}

/// A listener whose queue is full: who comes next gets no answer at all. With what fills it.
fn silent(addr: SocketAddr) -> (OwnedFd, Vec<TcpStream>) {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&listener, &addr).unwrap();
    listen(&listener, 0).unwrap();
    let short = Duration::from_millis(200);
    let guests = std::iter::from_fn(|| TcpStream::connect_timeout(&addr, short).ok()).take(10).collect();
    (listener, guests)
}

#[test]
fn an_address_that_does_not_answer_is_not_waited_for() {
    let port = echo();
    let mute = silent(SocketAddr::from(([127, 0, 0, 2], port)));
    let world = Setup::new(port)
        .allow(&format!("a.test:{port}"))
        .allow(&format!("127.0.0.2:{port}"))
        .name("a.test", &["127.0.0.2", "127.0.0.1"])
        .start();
    let start = Instant::now();
    assert!(echoes(&mut world.connect("a.test"), "x"));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(200), "the first address did answer: {took:?}");
    // One address alone is given up after half a minute.
    assert!(took < Duration::from_secs(20), "{took:?}");
    drop(mute);
}

#[test]
fn an_address_of_this_very_machine_is_no_host_of_the_network() {
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr()).map(|addr| addr.ip());
    let Some(own @ IpAddr::V4(_)) = own.ok().filter(|own| !own.is_loopback()) else {
        println!("SKIP: needs a network");
        return;
    };
    let port = echo();
    let world = Setup::new(port).allow(&format!("a.test:{port}")).name("a.test", &[&own.to_string()]).start();
    assert!(is_reset(&mut world.connect("a.test")));
    assert_eq!(world.denials(), [(format!("a.test:{port}"), Reason::Address)]);
}

#[test]
fn a_name_without_an_address_and_a_host_that_refuses() {
    let port = echo();
    let world = Setup::new(port).allow(&format!("gone.test:{port}")).start();
    assert!(is_reset(&mut world.connect("gone.test")));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = Setup::new(closed).allow(&format!("a.test:{closed}")).name("a.test", &["127.0.0.1"]).start();
    assert!(is_reset(&mut world.connect("a.test")));
    assert!(world.denials().is_empty(), "both were granted");
}

#[test]
fn a_service_of_the_host_is_reached_through_the_jars_loopback() {
    let port = echo();
    let mut setup = Setup::new(port);
    setup.allow.clear();
    setup.allow.push("list".to_owned());
    setup.reach.push(port);
    let world = setup.start();
    let mut socket = patient(TcpStream::connect(("::1", port)).unwrap());
    assert!(echoes(&mut socket, "hello"));
    assert_eq!(world.query("localhost", TYPE::A), (RCODE::NoError, vec![Ipv4Addr::LOCALHOST]));
    assert!(is_reset(&mut world.connect_to(Ipv4Addr::new(127, 18, 0, 1))));
}

#[test]
fn names_below_a_pattern_are_budgeted() {
    let port = echo();
    let mut setup = Setup::new(port).allow(&format!("*.a.test:{port}")).allow(&format!("b.test:{port}"));
    for name in ["1.a.test", "2.a.test", "3.a.test", "b.test"] {
        setup = setup.name(name, &["127.0.0.1"]);
    }
    setup.budgets.patterns = 2;
    let world = setup.start();
    assert!(echoes(&mut world.connect("1.a.test"), "x"));
    assert!(echoes(&mut world.connect("2.a.test"), "x"));
    assert!(is_reset(&mut world.connect("3.a.test")));
    assert!(echoes(&mut world.connect("1.a.test"), "what was found stays known"));
    assert!(echoes(&mut world.connect("b.test"), "what is written out costs nothing"));
    assert_eq!(world.denials(), [(format!("3.a.test:{port}"), Reason::Budget)]);
    assert_eq!(*world.names.asked.lock().unwrap(), ["1.a.test", "2.a.test", "b.test"]);
}
