//! What the rules refuse and somebody may grant.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use belljar_net::{Answer, Appeal, Door, Reason, Who};
use belljar_policy::Decision;
use simple_dns::{RCODE, TYPE};

use crate::world::{Setup, World, echo, echoes, is_reset, patient};

type Asked = (Door, String, Answer);

/// Hands every appeal to the test, which answers it.
struct Clerk {
    tell: Sender<Asked>,
    heard: Mutex<Receiver<Asked>>,
}

impl Default for Clerk {
    fn default() -> Self {
        let (tell, heard) = channel();
        Self { tell, heard: Mutex::new(heard) }
    }
}

impl Clerk {
    fn next(&self) -> Asked {
        self.heard.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn is_idle(&self) -> bool {
        self.heard.lock().unwrap().try_recv().is_err()
    }
}

impl Appeal for Clerk {
    fn can_ask(&self, name: &str) -> bool {
        name.ends_with(".test")
    }

    fn ask(&self, door: Door, who: Option<Who>, decision: &Decision, answer: Answer) {
        assert!(matches!(who, Some(Who::Owner(_))), "{who:?}");
        self.tell.send((door, decision.object.clone(), answer)).unwrap();
    }
}

fn world(port: u16) -> (World, Arc<Clerk>) {
    let clerk = Arc::new(Clerk::default());
    let mut setup = Setup::new(port).deny("denied.test").name("b.test", &["127.0.0.1"]);
    setup.appeal = Some(clerk.clone());
    (setup.start(), clerk)
}

#[test]
fn a_name_that_can_be_asked_about_has_a_stand_in_and_nobody_outside_hears_of_it() {
    let (world, _clerk) = world(echo());
    assert_eq!(world.query("b.test", TYPE::A).1.len(), 1);
    assert_eq!(world.query("b.test", TYPE::AAAA), (RCODE::NoError, Vec::new()));
    for name in ["denied.test", "other.example", "bad name.test"] {
        assert_eq!(world.query(name, TYPE::A), (RCODE::NameError, Vec::new()), "{name}");
    }
    assert_eq!(*world.names.asked.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_connection_waits_for_its_answer_and_no_other_does() {
    let (world, clerk) = world(echo());
    let mut asked = world.connect("b.test");
    let (door, object, answer) = clerk.next();
    assert_eq!((door, object), (Door::Tcp, format!("b.test:{}", world.port)));
    asked.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(!echoes(&mut asked, "early"), "nothing passes before the answer");
    let local = patient(std::net::TcpStream::connect(world.http).unwrap());
    assert!(tunnels(local, "127.0.0.1", world.port), "others are served meanwhile");
    assert_eq!(*world.names.asked.lock().unwrap(), Vec::<String>::new());
    answer.give(Ok(()));
    let mut early = [0; 5];
    patient(asked.try_clone().unwrap()).read_exact(&mut early).unwrap();
    assert_eq!(&early, b"early");
    assert!(echoes(&mut world.connect("b.test"), "again"), "the grant stays, without an appeal");
    assert!(clerk.is_idle());
}

fn tunnels(mut socket: std::net::TcpStream, host: &str, port: u16) -> bool {
    socket.write_all(format!("CONNECT {host}:{port} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let mut head = [0; 39];
    socket.read_exact(&mut head).is_ok() && head.starts_with(b"HTTP/1.1 200") && echoes(&mut socket, "x")
}

#[test]
fn a_refusal_is_a_reset_or_the_proxys_own_words() {
    let (world, clerk) = world(echo());
    let mut asked = world.connect("b.test");
    clerk.next().2.give(Err(Some("refused by the user".to_owned())));
    assert!(is_reset(&mut asked));
    let mut proxied = patient(std::net::TcpStream::connect(world.http).unwrap());
    let head = format!("CONNECT b.test:{} HTTP/1.1\r\n\r\n", world.port);
    proxied.write_all(head.as_bytes()).unwrap();
    let (door, _, answer) = clerk.next();
    assert_eq!(door, Door::Http);
    answer.give(Err(None));
    let mut text = String::new();
    proxied.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 403"), "{text}");
    let denials = world.seen.denials.lock().unwrap();
    let rules: Vec<&str> = denials.iter().map(|denial| denial.decision.rule.as_str()).collect();
    assert_eq!(rules, ["refused by the user", "net.allow has no entry for it"]);
    assert!(denials.iter().all(|denial| denial.reason == Reason::Policy));
}

#[test]
fn a_client_that_is_gone_and_a_service_that_ends_leave_answers_without_effect() {
    let (world, clerk) = world(echo());
    drop(world.connect("b.test"));
    let late = clerk.next().2;
    late.give(Ok(()));
    assert_eq!(world.query("b.test", TYPE::A).0, RCODE::NoError, "it is served on");
    let mut last = patient(std::net::TcpStream::connect(world.socks).unwrap());
    last.write_all(b"\x05\x01\x00").unwrap();
    let remote = world.service.remote();
    drop(world);
    assert!(remote.meant(SocketAddr::from(([127, 18, 0, 1], 80))).is_none());
}

#[test]
fn what_is_denied_or_the_hosts_own_is_no_appeal() {
    let (world, clerk) = world(echo());
    for host in ["denied.test", "localhost", "127.0.0.9"] {
        let mut socket = patient(std::net::TcpStream::connect(world.http).unwrap());
        socket.write_all(format!("CONNECT {host}:81 HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 403"), "{host}: {text}");
    }
    assert!(clerk.is_idle());
}

#[test]
fn no_bytes_of_a_name_reach_a_question_but_those_of_host_names() {
    let (world, clerk) = world(echo());
    for name in ["a\u{1b}[2J.test", "a\u{202e}b.test", "a\nb.test", "a\"b.test", "-\\.test", "a b.test"] {
        assert_eq!(world.query(name, TYPE::A), (RCODE::NameError, Vec::new()), "{name:?}");
        let mut socket = patient(std::net::TcpStream::connect(world.http).unwrap());
        socket.write_all(format!("CONNECT {name}:443 HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        let mut text = Vec::new();
        let read = socket.read_to_end(&mut text);
        assert!(read.is_err() || !text.starts_with(b"HTTP/1.1 200"), "{name:?}");
    }
    assert!(clerk.is_idle());
    assert_eq!(world.query("B.TEST", TYPE::A).1, world.query("b.test", TYPE::A).1, "one name, one question");
}
