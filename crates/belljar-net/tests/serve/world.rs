//! A service with everything around it.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use belljar_net::{
    Appeal, Budgets, Connected, Denial, Failed, Observer, Resolver, Rules, Service, Settings, Sockets,
};
use belljar_policy::{Origin, Policy, Setting};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};

/// Where names get their stand-ins, in the order in which they are asked for.
const RANGE: Ipv4Addr = Ipv4Addr::new(127, 18, 0, 0);
/// Stand-ins that a listener waits at.
const LISTENERS: u8 = 8;

/// What was told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) denials: Mutex<Vec<Denial>>,
    pub(crate) connections: Mutex<Vec<Connected>>,
    pub(crate) failures: Mutex<Vec<Failed>>,
}

impl Observer for Seen {
    fn denied(&self, denial: Denial) {
        self.denials.lock().unwrap().push(denial);
    }

    fn connected(&self, connected: Connected) {
        self.connections.lock().unwrap().push(connected);
    }

    fn failed(&self, failed: Failed) {
        self.failures.lock().unwrap().push(failed);
    }
}

/// Names with the answers that they get, one after the other; the last one stays.
#[derive(Default)]
pub(crate) struct Table {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Resolver for Table {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        if answers.len() > 1 { Ok(answers.remove(0)) } else { Ok(answers[0].clone()) }
    }
}

/// How a world is made.
pub(crate) struct Setup {
    pub(crate) allow: Vec<String>,
    pub(crate) deny: Vec<String>,
    pub(crate) reach: Vec<u16>,
    pub(crate) budgets: Budgets,
    pub(crate) fresh: Duration,
    pub(crate) appeal: Option<Arc<dyn Appeal>>,
    names: Table,
    /// The port of the server, which stand-ins listen at too.
    port: u16,
}

impl Setup {
    /// The server's own address is granted, so that names may lead to it.
    pub(crate) fn new(port: u16) -> Self {
        Self {
            allow: vec![format!("127.0.0.1:{port}")],
            deny: Vec::new(),
            reach: Vec::new(),
            budgets: Budgets::default(),
            fresh: Duration::from_secs(60),
            appeal: None,
            names: Table::default(),
            port,
        }
    }

    pub(crate) fn allow(mut self, host: &str) -> Self {
        self.allow.push(host.to_owned());
        self
    }

    pub(crate) fn deny(mut self, host: &str) -> Self {
        self.deny.push(host.to_owned());
        self
    }

    /// One more answer for a name.
    pub(crate) fn name(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|addr| addr.parse().unwrap()).collect();
        self.names.answers.lock().unwrap().entry(name.to_owned()).or_default().push(addresses);
        self
    }

    fn rules(&self) -> Rules {
        let policy = self.allow.iter().fold(Policy::none(), |policy, host| policy.net(host).unwrap());
        let policy = self.deny.iter().fold(policy, |policy, host| policy.net_deny(host).unwrap());
        let mut net = policy.net;
        net.reach = self.reach.iter().map(|port| Setting::new(*port, Origin::Api)).collect();
        Rules::new(net)
    }

    pub(crate) fn start(self) -> World {
        let listen = |addr: SocketAddr| TcpListener::bind(addr).unwrap();
        let at = |last: u8| SocketAddr::from(([127, 18, 0, last], self.port));
        let local = || listen(SocketAddr::from(([127, 0, 0, 1], 0)));
        let (http, socks, dns_tcp) = (local(), local(), local());
        let dns = UdpSocket::bind("127.0.0.1:0").unwrap();
        let reach: Vec<TcpListener> =
            self.reach.iter().map(|port| TcpListener::bind(("::1", *port)).unwrap()).collect();
        let addresses = (
            dns.local_addr().unwrap(),
            dns_tcp.local_addr().unwrap(),
            http.local_addr().unwrap(),
            socks.local_addr().unwrap(),
        );
        let stand_ins = (1..=LISTENERS).map(|last| listen(at(last))).chain(reach);
        let sockets = Sockets {
            tcp: stand_ins.map(|socket| (self.port, socket.into())).collect(),
            dns_udp: vec![dns.into()],
            dns_tcp: vec![dns_tcp.into()],
            http_proxy: vec![http.into()],
            socks: vec![socks.into()],
            ..Sockets::default()
        };
        let (seen, rules) = (Arc::new(Seen::default()), self.rules());
        let names = Arc::new(self.names);
        let settings = Settings {
            budgets: self.budgets,
            resolver: names.clone(),
            fresh: self.fresh,
            appeal: self.appeal,
            stand_ins: RANGE,
            brought: false,
        };
        let service = Service::start_with(sockets, rules, seen.clone(), settings).unwrap();
        let (dns, dns_tcp, http, socks) = addresses;
        World { service, seen, names, dns, dns_tcp, http, socks, port: self.port }
    }
}

/// A service that runs.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) seen: Arc<Seen>,
    pub(crate) names: Arc<Table>,
    pub(crate) dns: SocketAddr,
    pub(crate) dns_tcp: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) socks: SocketAddr,
    pub(crate) port: u16,
}

impl World {
    /// Asks the stub for addresses of a name.
    pub(crate) fn query(&self, name: &str, kind: TYPE) -> (RCODE, Vec<Ipv4Addr>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.send_to(&question(name, kind), self.dns).unwrap();
        let mut answer = [0; 512];
        let (length, from) = socket.recv_from(&mut answer).unwrap();
        assert_eq!(from, self.dns);
        understood(&answer[..length])
    }

    /// What a program does: asks for the name, connects to the address.
    pub(crate) fn connect(&self, name: &str) -> TcpStream {
        let (code, addresses) = self.query(name, TYPE::A);
        assert_eq!(code, RCODE::NoError, "{name}");
        self.connect_to(addresses[0])
    }

    pub(crate) fn connect_to(&self, addr: Ipv4Addr) -> TcpStream {
        patient(TcpStream::connect((addr, self.port)).unwrap())
    }

    /// Objects and reasons of what was refused so far.
    pub(crate) fn denials(&self) -> Vec<(String, belljar_net::Reason)> {
        let denials = self.seen.denials.lock().unwrap();
        denials.iter().map(|denial| (denial.decision.object.clone(), denial.reason)).collect()
    }
}

/// A test that hangs fails instead.
pub(crate) fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

pub(crate) fn question(name: &str, kind: TYPE) -> Vec<u8> {
    let mut packet = Packet::new_query(9);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let class = QCLASS::CLASS(CLASS::IN);
    packet.questions.push(Question::new(
        Name::new_unchecked(name).into_owned(),
        QTYPE::TYPE(kind),
        class,
        false,
    ));
    packet.build_bytes_vec().unwrap()
}

pub(crate) fn understood(answer: &[u8]) -> (RCODE, Vec<Ipv4Addr>) {
    let packet = Packet::parse(answer).unwrap();
    let addresses = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::A(a) => Some(Ipv4Addr::from(a.address)),
        _ => None,
    });
    (packet.rcode(), addresses.collect())
}

/// A server on the host that does `work` for each connection; its port.
pub(crate) fn server(work: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let work = Arc::new(work);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (work, socket) = (work.clone(), socket.unwrap());
            std::thread::spawn(move || work(socket));
        }
    });
    port
}

/// A server that gives back what it gets.
pub(crate) fn echo() -> u16 {
    server(|mut socket| {
        let mut other = socket.try_clone().unwrap();
        let done = io::copy(&mut socket, &mut other);
        drop(done.map(|_| other.shutdown(std::net::Shutdown::Write)));
    })
}

/// The socket gives back what it is given.
pub(crate) fn echoes(socket: &mut TcpStream, text: &str) -> bool {
    let mut answer = vec![0; text.len()];
    socket.write_all(text.as_bytes()).is_ok()
        && socket.read_exact(&mut answer).is_ok()
        && answer == text.as_bytes()
}

/// The connection ended by a reset.
pub(crate) fn is_reset(socket: &mut TcpStream) -> bool {
    let mut byte = [0];
    loop {
        match socket.read(&mut byte) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}
