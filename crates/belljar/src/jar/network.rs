//! The supervisor's part of a jar's network: whoever serves the sockets that init made.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use belljar_net::{Appeal, Connected, Denial, Door, Inside, Rules, Service, Settings, Sockets};
use belljar_policy::{NetMode, NetPolicy, Publish};
use belljar_sys::Fd;
use belljar_sys::child::Serve;
use belljar_sys::wire::{self, Command};
use rustix::net::sockopt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::ask::HostAsker;
use crate::error::StartError;
use crate::event::{Access, Event, Events, Observer};
use crate::plan::{NAMES, PROXIES, Plan, Step};
use crate::spawn::{self, Started, raw, supervisor};

/// What is had of the host before the jar starts: ports that it publishes on, and the socket for errands.
#[derive(Debug, Default)]
pub(super) struct Network {
    published: Vec<(u16, OwnedFd)>,
    errands: Option<(OwnedFd, OwnedFd)>,
    /// This process has no other job than the jar.
    foreground: bool,
}

impl Network {
    /// Takes the host's ports; nothing where the policy publishes none.
    pub(super) fn open(plan: &Plan, net: &NetPolicy, foreground: bool) -> Result<Self, StartError> {
        if !plan.init.contains(&Step::Errands) {
            return Ok(Self { foreground, ..Self::default() });
        }
        let published = net.publish.iter().map(|ports| listen(ports.value)).collect::<Result<_, _>>()?;
        Ok(Self { published, errands: Some(spawn::status_pair()?), foreground })
    }

    /// Init's end of the socket for errands.
    pub(super) fn errands(&self) -> Option<Fd> {
        self.errands.as_ref().map(|(_, theirs)| raw(theirs))
    }

    /// Serves what the plan says with the sockets that init sent; none where it says nothing.
    pub(super) fn serve(
        self,
        plan: &Plan,
        net: &NetPolicy,
        started: &mut Started,
        events: &Arc<Events>,
        asker: Option<HostAsker>,
    ) -> Result<Option<Service>, StartError> {
        let served = plan.served();
        if served.is_none() && self.errands.is_none() {
            return Ok(None);
        }
        let failed = |source| supervisor("serving the network", source);
        if self.foreground {
            raise_descriptors().map_err(failed)?;
        }
        let inside = self.errands.map(|(ours, _)| Errands::over(ours)).transpose().map_err(failed)?;
        let mut sorted = Sockets { published: self.published, inside, ..Sockets::default() };
        let (served, sockets) = (served.unwrap_or_default(), std::mem::take(&mut started.sockets));
        if served.len() != sockets.len() {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        for (kind, socket) in served.into_iter().zip(sockets) {
            sort(&mut sorted, kind, socket);
        }
        let told = Arc::new(Told(events.clone()));
        let appeal = asker.map(|asker| Arc::new(asker) as Arc<dyn Appeal>);
        let settings = Settings { appeal, ..Settings::default() };
        Service::start_with(sorted, rules(net), told, settings).map(Some).map_err(failed)
    }
}

/// The rules of a network that is served. Where the policy has none, only answers list hosts.
fn rules(net: &NetPolicy) -> Rules {
    let mut net = net.clone();
    if net.mode.value == NetMode::None {
        net.mode.value = NetMode::List;
    }
    Rules::new(net)
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
        spawn::command(&self.0, Command::Socket)?;
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
        Serve::Local(_) => {}
    }
}

/// Refusals become events of the run.
#[derive(Debug)]
struct Told(Arc<Events>);

impl belljar_net::Observer for Told {
    fn denied(&self, denial: Denial) {
        let (call, access) = match denial.door {
            Door::Dns => ("resolve", Access::Resolve),
            _ => ("connect", Access::Connect),
        };
        self.0.event(Event::decided(call, &denial.decision).access(access));
    }

    fn connected(&self, connected: Connected) {
        tracing::debug!(object = connected.object, address = %connected.address, "a connection was made");
    }
}
