//! The supervisor's part of a jar's network: whoever serves the sockets that init made.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use belljar_net::{Connected, Denial, Door, Rules, Service, Sockets};
use belljar_policy::NetPolicy;
use belljar_sys::child::Serve;

use crate::error::StartError;
use crate::event::{Access, Event, Events, Observer};
use crate::plan::{NAMES, PROXIES, Plan};
use crate::spawn::{Started, supervisor};

/// Serves what the plan says with the sockets that init sent; none where it says nothing.
pub(super) fn serve(
    plan: &Plan,
    net: &NetPolicy,
    started: &mut Started,
    events: &Arc<Events>,
) -> Result<Option<Service>, StartError> {
    let Some(served) = plan.served() else { return Ok(None) };
    let sockets = std::mem::take(&mut started.sockets);
    let failed = |source| supervisor("serving the network", source);
    if served.len() != sockets.len() {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    let mut sorted = Sockets::default();
    for (kind, socket) in served.into_iter().zip(sockets) {
        sort(&mut sorted, kind, socket);
    }
    let rules = Rules::new(net.clone());
    Service::start(sorted, rules, Arc::new(Told(events.clone()))).map(Some).map_err(failed)
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
