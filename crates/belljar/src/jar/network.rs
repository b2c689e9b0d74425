//! The supervisor's part of a jar's network: whoever serves the sockets that init made.

use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use belljar_net::{
    Adopted, Adopter, Answer, Appeal, Connected, Denial, Door, Failed, Inside, Rules, Service, Settings,
    Sockets, Who,
};
use belljar_policy::{
    Decision, NetMode, NetPolicy, NetTarget, Policy, Publish, fs_decision, special_name, target_decision,
};
use belljar_sys::Fd;
use belljar_sys::child::Serve;
use belljar_sys::wire::{self, Command as Order};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::servers::Servers;
use super::services;
use super::whose::Whose;
use crate::ask::HostAsker;
use crate::broker::{HostNetwork, Outside};
use crate::command::Command;
use crate::error::StartError;
use crate::event::{Access, Event, Events, Observer, Verdict};
use crate::plan::{BrokerPlan, NAMES, PROXIES, Plan, Step};
use crate::service::syslog::{self, Intake};
use crate::spawn::{self, Started, raw, supervisor};

/// What is had of the host before the jar starts: ports that it publishes on, and the socket for errands.
#[derive(Debug, Default)]
pub(super) struct Network {
    published: Vec<(u16, OwnedFd)>,
    errands: Option<(OwnedFd, OwnedFd)>,
    services: Vec<services::Service>,
    servers: Option<Servers>,
    /// This process has no other job than the jar.
    foreground: bool,
}

impl Network {
    /// Takes the host's ports; nothing where the policy publishes none.
    pub(super) fn open(plan: &Plan, command: &Command, foreground: bool) -> Result<Self, StartError> {
        let (net, home) = (&command.policy.net, command.home.as_deref());
        let services = if connects(plan) { services::open(net, home)? } else { Vec::new() };
        let errands = plan.init.contains(&Step::Errands).then(spawn::status_pair).transpose()?;
        let serves = plan.broker.as_ref().is_some_and(BrokerPlan::serves);
        let servers = serves.then(|| Servers::choose(&net.publish)).transpose()?;
        let publish = net.publish.iter().filter(|_| serves || errands.is_some());
        let published = publish.map(|ports| listen(ports.value)).collect::<Result<_, _>>()?;
        Ok(Self { published, errands, services, servers, foreground })
    }

    /// Init's end of the socket for errands.
    pub(super) fn errands(&self) -> Option<Fd> {
        self.errands.as_ref().map(|(_, theirs)| raw(theirs))
    }

    /// Serves what the plan says with the sockets that init sent; none where it says nothing.
    pub(super) fn serve(
        self,
        plan: &Plan,
        policy: &Policy,
        started: &mut Started,
        events: &Arc<Events>,
        (asker, log): (Option<HostAsker>, Option<Intake>),
    ) -> Result<Serving, StartError> {
        let (net, served) = (&policy.net, plan.served());
        if served.is_none() && self.errands.is_none() && !connects(plan) {
            return Ok((None, None));
        }
        let failed = |source| supervisor("serving the network", source);
        if self.foreground {
            raise_descriptors().map_err(failed)?;
        }
        let inside = self.errands.map(|(ours, _)| Errands::over(ours)).transpose().map_err(failed)?;
        let inside = inside.or_else(|| Some(Box::new(self.servers.clone()?) as Box<dyn Inside>));
        let mut sorted = Sockets { published: self.published, inside, ..Sockets::default() };
        let (served, sockets) = (served.unwrap_or_default(), std::mem::take(&mut started.sockets));
        if served.len() != sockets.len() {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut owners = None;
        for (kind, socket) in served.into_iter().zip(sockets) {
            match kind {
                Serve::Owners => owners = Some(socket),
                kind => sort(&mut sorted, kind, socket),
            }
        }
        let whose = Arc::new(Whose::new(owners, started.child.pid.unsigned_abs()));
        let told = Arc::new(Told { events: events.clone(), whose: whose.clone() });
        let appeals = |asker| Arc::new(Appeals { asker, whose: whose.clone() }) as Arc<dyn Appeal>;
        let appeal = asker.map(appeals);
        let network = network(plan, net);
        let settings = Settings { appeal, brought: network == HostNetwork::Relayed, ..Settings::default() };
        let service = Service::start_with(sorted, rules(net), told, settings).map_err(failed)?;
        let beyond = Beyond {
            adopter: service.adopter(),
            network,
            ports: net.served_ports(),
            services: self.services,
            servers: self.servers,
            log,
            net: net.clone(),
            events: events.clone(),
            whose,
            resolvers: resolvers(policy),
        };
        Ok((Some(service), connects(plan).then_some(beyond)))
    }
}

/// Whom programs in the host's tree ask: the C library's choice where they may not read that file.
fn resolvers(policy: &Policy) -> Vec<IpAddr> {
    let file = Path::new("/etc/resolv.conf");
    let may_read = fs_decision(policy, file).allowed;
    let text = if may_read { std::fs::read_to_string(file).unwrap_or_default() } else { String::new() };
    crate::service::resolvers(&text).iter().map(SocketAddr::ip).collect()
}

/// The rules of a network that is served. Where the policy has none, only answers list hosts.
fn rules(net: &NetPolicy) -> Rules {
    let mut net = net.clone();
    if net.mode.value == NetMode::None {
        net.mode.value = NetMode::List;
    }
    Rules::new(net)
}

/// Whoever serves, and how the broker brings connections.
pub(super) type Serving = (Option<Service>, Option<Beyond>);

/// The broker connects for the jar.
fn connects(plan: &Plan) -> bool {
    plan.broker.as_ref().is_some_and(BrokerPlan::connects)
}

fn network(plan: &Plan, net: &NetPolicy) -> HostNetwork {
    match net.mode.value {
        NetMode::Host => HostNetwork::Granted,
        _ if plan.broker.as_ref().is_some_and(BrokerPlan::relays) => HostNetwork::Relayed,
        _ => HostNetwork::Closed,
    }
}

/// Takes what the broker connects for the jar.
#[derive(Debug)]
pub(super) struct Beyond {
    adopter: Adopter,
    network: HostNetwork,
    ports: Vec<u16>,
    services: Vec<services::Service>,
    servers: Option<Servers>,
    /// Who writes down what programs log.
    log: Option<Intake>,
    net: NetPolicy,
    events: Arc<Events>,
    whose: Arc<Whose>,
    resolvers: Vec<IpAddr>,
}

impl Beyond {
    /// Paths of the jar behind which listed services stand.
    pub(super) fn services(&self) -> impl Iterator<Item = &Path> {
        self.services.iter().map(|service| service.path.as_path())
    }

    /// The path at which programs log.
    pub(super) fn log(&self) -> Option<&'static Path> {
        self.log.as_ref().map(|_| Path::new(syslog::PATH))
    }

    /// What is behind an address of the jar's loopback beside the listed hosts.
    fn own(&self, to: SocketAddr) -> Option<Door> {
        let proxies = self.net.proxy.as_ref().is_some_and(|proxy| proxy.value);
        let local = to.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
        match to.port() {
            NAMES => Some(Door::Dns),
            port if proxies && local && port == PROXIES[0] => Some(Door::Http),
            port if proxies && local && port == PROXIES[1] => Some(Door::Socks),
            _ => None,
        }
    }

    fn take(&self, adopted: Adopted) -> Result<(), Errno> {
        self.adopter.adopt(adopted).map_err(|_| Errno::CONNREFUSED)
    }
}

impl Outside for Beyond {
    fn network(&self) -> HostNetwork {
        self.network
    }

    fn tries(&self, pid: u32, to: SocketAddr) {
        self.whose.tries(pid, to);
    }

    fn is_own(&self, to: SocketAddr) -> bool {
        self.own(to).is_some()
    }

    fn serves(&self, pid: u32, to: SocketAddr) -> bool {
        if self.ports.contains(&to.port()) {
            return true;
        }
        let decision = address_decision(&self.net, to);
        self.events.event(Event::decided("connect", &decision).access(Access::Connect).by(pid));
        false
    }

    fn place(&self, at: SocketAddr, only_v6: bool) -> Option<SocketAddrV4> {
        self.servers.as_ref().and_then(|servers| servers.place(at, only_v6))
    }

    fn placed(&self, at: SocketAddr, only_v6: bool) {
        if let Some(servers) = &self.servers {
            servers.placed(at, only_v6);
        }
    }

    fn server(&self, to: SocketAddr) -> Option<SocketAddrV4> {
        // Where a rule serves the port of every address, as in a network of the jar's own, no server can wait at it.
        let servers = self.servers.as_ref().filter(|_| !self.ports.contains(&to.port()));
        servers.and_then(|servers| servers.found(to))
    }

    fn stream(&self, pid: u32, socket: OwnedFd, to: SocketAddr) -> Result<(), Errno> {
        self.take(Adopted::Stream(socket, self.own(to).unwrap_or(Door::Tcp), to, pid))
    }

    fn resolvers(&self) -> Vec<IpAddr> {
        self.resolvers.clone()
    }

    fn names(&self, pid: u32, socket: OwnedFd) -> Result<(), Errno> {
        self.take(Adopted::Names(socket, pid))
    }

    fn is_service(&self, path: &Path) -> bool {
        self.services.iter().any(|service| service.path == path)
    }

    fn service(&self, path: &Path, socket: OwnedFd) -> Result<(), Errno> {
        let service = self.services.iter().find(|service| service.path == path);
        let at = service.map(|service| Arc::clone(&service.at)).ok_or(Errno::CONNREFUSED)?;
        self.take(Adopted::Service(socket, at))
    }

    fn is_log(&self, path: &Path) -> bool {
        self.log() == Some(path)
    }

    fn log(&self, socket: OwnedFd, packets: bool) -> Result<(), Errno> {
        self.log.as_ref().ok_or(Errno::CONNREFUSED)?.take(socket, packets)
    }
}

/// What the rules say about a literal address.
fn address_decision(net: &NetPolicy, to: SocketAddr) -> Decision {
    let prefix = if to.is_ipv4() { 32 } else { 128 };
    target_decision(net, NetTarget::Range { addr: to.ip(), prefix }, Some(to.port()))
}

/// Every connection takes descriptors of this process, which has no other job. The program was started with its own limits.
fn raise_descriptors() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}

/// A port of the host's loopback.
fn listen(ports: Publish) -> Result<(u16, OwnedFd), StartError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.host_port));
    let taken = |source| StartError::PortOfHost { port: ports.host_port, source };
    Ok((ports.port, listener.map_err(taken)?.into()))
}

/// Init makes sockets of the jar's network, one for each request.
#[derive(Debug)]
struct Errands(OwnedFd);

/// Init answers at once; a stopped one must not stop the supervisor for ever.
const PATIENCE: Duration = Duration::from_secs(5);

impl Errands {
    fn over(ours: OwnedFd) -> io::Result<Box<dyn Inside>> {
        sockopt::set_socket_timeout(&ours, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Box::new(Self(ours)))
    }
}

impl Inside for Errands {
    fn socket(&self) -> io::Result<OwnedFd> {
        self.made(Order::Socket)
    }

    fn socket_of_both(&self) -> io::Result<OwnedFd> {
        self.made(Order::SocketOfBoth)
    }
}

impl Errands {
    fn made(&self, order: Order) -> io::Result<OwnedFd> {
        spawn::command(&self.0, order)?;
        match spawn::receive(&self.0)? {
            (Some(wire::Event::Sockets), mut sockets) => {
                sockets.pop().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn sort(sockets: &mut Sockets, kind: Serve, socket: OwnedFd) {
    let [http, socks] = PROXIES;
    match kind {
        Serve::Everywhere(port) => sockets.tcp.push((port, socket)),
        Serve::LocalDatagrams(_) => sockets.dns_udp.push(socket),
        Serve::Local(NAMES) => sockets.dns_tcp.push(socket),
        Serve::Local(port) if port == http => sockets.http_proxy.push(socket),
        Serve::Local(port) if port == socks => sockets.socks.push(socket),
        Serve::Local(_) | Serve::Owners => {}
        Serve::Refused(_) => sockets.refused.push(socket),
    }
}

/// Refusals become events of the run.
#[derive(Debug)]
struct Told {
    events: Arc<Events>,
    whose: Arc<Whose>,
}

impl belljar_net::Observer for Told {
    fn denied(&self, denial: Denial) {
        let (call, access) = match denial.door {
            Door::Dns => ("resolve", Access::Resolve),
            Door::Datagram => ("sendto", Access::Connect),
            _ => ("connect", Access::Connect),
        };
        self.tell(Event::decided(call, &denial.decision).access(access), denial.who);
    }

    fn connected(&self, connected: Connected) {
        tracing::debug!(object = connected.object, address = %connected.address, "a connection was made");
    }

    fn failed(&self, failed: Failed) {
        let said = failed.said.map(|said| format!(": {said}")).unwrap_or_default();
        let why = format!("{}{said}", failed.failure.words());
        let event = Event::new(Verdict::Failed, "connect", OsStr::new(&failed.object));
        self.tell(event.access(Access::Connect).rule(&why, "outside the jar"), failed.who);
    }
}

impl Told {
    fn tell(&self, event: Event, who: Option<Who>) {
        self.events.refusal(event, |event| match self.whose.process(who) {
            Some(pid) => event.by(pid),
            None => event,
        });
    }
}

/// What the rules refuse may be granted by the user.
#[derive(Debug)]
struct Appeals {
    asker: HostAsker,
    whose: Arc<Whose>,
}

impl Appeal for Appeals {
    fn can_ask(&self, name: &str) -> bool {
        special_name(name).is_none()
    }

    fn ask(&self, door: Door, who: Option<Who>, decision: &Decision, answer: Answer) {
        self.asker.appeal(door, || self.whose.process(who), decision, answer);
    }
}
