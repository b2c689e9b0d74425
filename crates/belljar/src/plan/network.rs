//! Networks: a namespace of the jar's own and the filter; without namespaces the filter alone, and Landlock's ports.

use std::path::PathBuf;

use belljar_policy::{
    Access, Demand, NetMode, NetPolicy, NetRule, Origin, Publish, Requirement, Service, ServiceRule, Setting,
    Subject, UnixService, UnixSocket,
};

use super::step::{Place, Placed, Step};
use super::{Draft, broker};
use crate::error::{PlanError, shown};
use crate::report::Layer;

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let mode = &draft.policy.net.mode;
    let origin = mode.origin.clone();
    match mode.value {
        NetMode::Off => no_sockets(draft, origin),
        NetMode::None | NetMode::List if listed(draft) || asks(draft) || serves(draft) => {
            hosts_by_name(draft)?
        }
        NetMode::None | NetMode::List => nothing_outside(draft, origin),
        _ => host_network(draft, origin)?,
    }
    published(draft)?;
    unix_sockets(draft)
}

/// The policy lists something that is reached.
fn listed(draft: &Draft<'_>) -> bool {
    let net = &draft.policy.net;
    net.mode.value == NetMode::List && !(net.allow.is_empty() && net.reach.is_empty())
}

/// The jar has a name service and listeners that the supervisor serves.
pub(super) fn is_served(draft: &Draft<'_>) -> bool {
    draft.namespaced() && (listed(draft) || asks(draft))
}

/// Connections are decided on one by one, by the user or for a lesson. Whoever wrote that there is no network has answered already.
pub(super) fn asks(draft: &Draft<'_>) -> bool {
    let mode = &draft.policy.net.mode;
    let nobody_wrote = matches!(mode.origin, Origin::Default | Origin::Preset { .. });
    let open = mode.value == NetMode::List || mode.value == NetMode::None && nobody_wrote;
    let by_landlock = draft.namespaced() && demands_landlock(draft);
    (draft.call.asks || draft.call.learns) && open && broker::able(draft) && !by_landlock
}

/// The same on the host's network: the broker connects for the jar.
pub(super) fn is_relayed(draft: &Draft<'_>) -> bool {
    (listed(draft) || asks(draft)) && !draft.namespaced() && broker::able(draft) || serves(draft)
}

/// Servers of the jar wait on the host's loopback, at ports that the policy publishes.
pub(super) fn serves(draft: &Draft<'_>) -> bool {
    let net = &draft.policy.net;
    let own = matches!(net.mode.value, NetMode::None | NetMode::List);
    own && !net.publish.is_empty() && !draft.namespaced() && broker::able(draft)
}

/// The broker connects: it has to decide, or is to tell who tried what the jar's own network refuses at once.
pub(super) fn brokered(draft: &Draft<'_>) -> bool {
    let told = draft.policy.trace.value && is_served(draft) && !landlocked(draft);
    asks(draft) || tells_peers(draft) || is_relayed(draft) || told
}

/// The jar is in the host's network.
pub(super) fn is_hosts(draft: &Draft<'_>) -> bool {
    !draft.namespaced() || matches!(draft.policy.net.mode.value, NetMode::Off | NetMode::Host)
}

/// Some unix sockets of the host may be reached, or the log, and no others: the broker looks at each address.
pub(super) fn tells_peers(draft: &Draft<'_>) -> bool {
    (lists_peers(draft) || learns_peers(draft)) && !all_peers(draft)
}

/// Some may be reached.
pub(super) fn lists_peers(draft: &Draft<'_>) -> bool {
    let some = !draft.policy.net.sockets.is_empty() || logs(draft).is_some();
    some && !all_peers(draft)
}

/// Which unix sockets of the host a program lacks shows where it connects, so it gets that far: there the broker refuses, and
/// where such a socket is to take a name.
pub(super) fn learns_peers(draft: &Draft<'_>) -> bool {
    let open = draft.policy.net.mode.value != NetMode::Off && !all_peers(draft);
    draft.call.learns && open && super::broker::able(draft)
}

/// Programs have a log.
pub(super) fn logs<'a>(draft: &Draft<'a>) -> Option<&'a ServiceRule> {
    draft.policy.services.iter().find(|rule| rule.service == Service::Log)
}

fn all_peers(draft: &Draft<'_>) -> bool {
    draft.policy.syscalls.allow.iter().any(|item| item.value == "@socket-unix")
}

/// Most ports that can be served at once: their listeners travel in one message.
const MOST_PORTS: usize = 200;

/// The rule of a jar that has a network of its own with nothing in it.
pub(crate) const ALONE: &str = "no network but an own loopback";
/// The name service's own, and the proxies'.
pub(crate) const NAMES: u16 = 53;
/// The HTTP proxy, then the SOCKS5 proxy.
pub(crate) const PROXIES: [u16; 2] = [3128, 1080];

fn hosts_by_name(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let net = &draft.policy.net;
    let rows = rows(net);
    let relayed = is_relayed(draft);
    if !draft.namespaced() && !relayed {
        let (rule, origin) = rows.into_iter().next().unwrap_or_default();
        return Err(PlanError::NeedsUserns { rule, origin });
    }
    let proxies = net.proxy.as_ref().is_some_and(|proxy| proxy.value);
    let ports = net.served_ports();
    refuse_ports(&ports, proxies)?;
    if relayed {
        hosts_by_broker(draft, rows);
        return Ok(());
    }
    for step in [Step::Loopback, Step::OwnAddresses, Step::Serve { ports, proxies }] {
        draft.step(step);
    }
    for (rule, origin) in rows {
        let layers = with_landlock(draft, [Layer::Namespaces, Layer::Supervisor]);
        draft.holds(Subject::Net, rule, origin, &layers);
    }
    if asks(draft) {
        draft.step(Step::Errands);
        asked(draft, &[Layer::Namespaces, Layer::Broker, Layer::Supervisor]);
    }
    let layers = with_landlock(draft, [Layer::Namespaces, Layer::Seccomp]);
    draft.holds(Subject::Net, "no other host, port or protocol", net.mode.origin.clone(), &layers);
    Ok(())
}

/// What answers may add to the list.
fn asked(draft: &mut Draft<'_>, layers: &[Layer]) {
    if draft.call.asks && asks(draft) {
        draft.holds(Subject::Net, "hosts that the user grants when asked", "--ask", layers);
    }
}

/// No socket that the jar makes reaches anything by itself; the broker connects each to the supervisor, who decides by name.
fn hosts_by_broker(draft: &mut Draft<'_>, rows: Vec<(String, String)>) {
    for (rule, origin) in rows {
        draft.holds(Subject::Net, rule, origin, &[Layer::Broker, Layer::Supervisor]);
    }
    asked(draft, &[Layer::Broker, Layer::Supervisor]);
    let mut layers = vec![Layer::Seccomp, Layer::Broker];
    layers.extend((draft.host.landlock >= 4).then_some(Layer::Landlock));
    let origin = draft.policy.net.mode.origin.clone();
    draft.holds(Subject::Net, "no other host, port or protocol", origin, &layers);
    let servers = if serves(draft) { "servers wait at published ports only" } else { "servers are refused" };
    draft.notes.push(format!("no own loopback without user namespaces: {servers}"));
}

/// Each grant and denial in words, with its origin.
fn rows(net: &NetPolicy) -> Vec<(String, String)> {
    let host = |word: &'static str| move |rule: &NetRule| (format!("{word} {rule}"), rule.origin.to_string());
    let reach = |port: &Setting<u16>| (format!("reach localhost:{}", port.value), port.origin.to_string());
    let allow = net.allow.iter().map(host("net"));
    allow.chain(net.deny.iter().map(host("deny-net"))).chain(net.reach.iter().map(reach)).collect()
}

fn refuse_ports(ports: &[u16], proxies: bool) -> Result<(), PlanError> {
    if ports.len() > MOST_PORTS {
        return Err(PlanError::TooManyPorts { count: ports.len(), most: MOST_PORTS });
    }
    let own = [
        (NAMES, true, "name service"),
        (PROXIES[0], proxies, "HTTP proxy"),
        (PROXIES[1], proxies, "SOCKS5 proxy"),
    ];
    match own.iter().find(|(port, used, _)| *used && ports.contains(port)) {
        Some((port, _, what)) => Err(PlanError::PortTaken { port: *port, what }),
        None => Ok(()),
    }
}

fn with_landlock(draft: &Draft<'_>, layers: [Layer; 2]) -> Vec<Layer> {
    layers.into_iter().chain(landlocked(draft).then_some(Layer::Landlock)).collect()
}

/// Landlock closes every TCP port but the served ones, also between programs of the jar: only when it is asked for. It does not
/// hold where the broker, which is in no domain, connects for the jar.
pub(super) fn landlocked(draft: &Draft<'_>) -> bool {
    is_served(draft) && demands_landlock(draft) && !tells_peers(draft)
}

fn demands_landlock(draft: &Draft<'_>) -> bool {
    let asked = |requirement: &&Requirement| {
        requirement.subject == Subject::Net
            && matches!(&requirement.demand, Demand::Layer(layer) if layer == "landlock")
    };
    draft.host.landlock >= 4 && draft.policy.require.iter().any(|one| asked(&one))
}

/// Servers of the jar that the host reaches.
fn published(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    for ports in &draft.policy.net.publish {
        let Publish { port, host_port } = ports.value;
        let rule = format!("publish {port} at the host's 127.0.0.1:{host_port}");
        let layer = match (draft.namespaced(), serves(draft)) {
            (true, _) => Layer::Namespaces,
            (false, true) => Layer::Broker,
            _ => return Err(PlanError::NeedsUserns { rule, origin: ports.origin.to_string() }),
        };
        draft.holds(Subject::Net, rule, ports.origin.clone(), &[layer, Layer::Supervisor]);
    }
    if draft.namespaced() && !draft.policy.net.publish.is_empty() && !asks(draft) {
        draft.step(Step::Errands);
    }
    Ok(())
}

fn no_sockets(draft: &mut Draft<'_>, origin: Origin) {
    let mut layers = vec![Layer::Seccomp];
    if draft.host.landlock >= 4 {
        layers.push(Layer::Landlock);
    }
    let rule = if tells_peers(draft) { "no sockets but those of unix" } else { "no sockets at all" };
    draft.holds(Subject::Net, rule, origin, &layers);
}

fn nothing_outside(draft: &mut Draft<'_>, origin: Origin) {
    if draft.namespaced() {
        draft.step(Step::Loopback);
        draft.holds(Subject::Net, ALONE, origin, &[Layer::Namespaces, Layer::Seccomp]);
    } else {
        draft.notes.push("no own loopback without user namespaces: sockets are refused".to_owned());
        no_sockets(draft, origin);
    }
}

fn host_network(draft: &mut Draft<'_>, origin: Origin) -> Result<(), PlanError> {
    if let Some(rule) = draft.policy.net.deny.first() {
        let origin = rule.origin.to_string();
        return Err(PlanError::Unsupported { what: "net deny rules beside the host's network", origin });
    }
    draft.holds(
        Subject::Net,
        "the host's network: ordinary TCP and UDP sockets only",
        origin,
        &[Layer::Seccomp],
    );
    Ok(())
}

/// A path socket in a granted folder would be a channel to a process outside.
fn unix_sockets(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    log(draft)?;
    if let Some(item) = draft.policy.syscalls.allow.iter().find(|item| item.value == "@socket-unix") {
        let origin = item.origin.to_string();
        draft.notes.push(format!("unix sockets in granted folders reach their owners ({origin})"));
        return Ok(());
    }
    let sockets = &draft.policy.net.sockets;
    if !tells_peers(draft) {
        draft.holds(Subject::Ipc, "no unix sockets but pairs", Origin::Default, &[Layer::Seccomp]);
        return Ok(());
    }
    if let Some(first) = sockets.first().filter(|_| !broker::able(draft)) {
        return Err(PlanError::NeedsNotify { rule: "socket", origin: first.origin.to_string() });
    }
    for socket in sockets {
        let rule = format!("socket {}", path(socket).map_or_else(String::new, |path| shown(&path)));
        draft.holds(Subject::Ipc, rule, socket.origin.clone(), &[Layer::Broker, Layer::Supervisor]);
    }
    draft.holds(Subject::Ipc, "no other unix socket of the host", Origin::Default, &[Layer::Broker]);
    Ok(())
}

/// What programs say to `/dev/log`: the supervisor keeps it.
fn log(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let Some(rule) = logs(draft) else { return Ok(()) };
    let origin = rule.origin.to_string();
    if all_peers(draft) {
        return Err(PlanError::Unsupported { what: "the service log beside @socket-unix", origin });
    }
    if !broker::able(draft) {
        return Err(PlanError::NeedsNotify { rule: "service log", origin });
    }
    let (to, most) = (rule.names.first().map_or("", String::as_str), rule.log().map_or(0, |(_, most)| most));
    let text = format!("what is said to /dev/log, to {to}, at most {most} bytes");
    draft.holds(Subject::Ipc, text, origin, &[Layer::Broker, Layer::Supervisor]);
    Ok(())
}

/// Names have become paths before a plan is made; one that has not leads nowhere.
fn path(socket: &UnixSocket) -> Option<PathBuf> {
    match &socket.service {
        UnixService::Path(path) => Some(path.clone()),
        _ => None,
    }
}

/// The listed sockets, to be seen at their paths in a root of the jar's own.
pub(super) fn places(draft: &Draft<'_>) -> Vec<Place> {
    let place = |socket: &UnixSocket| {
        let what = Placed::Host {
            from: path(socket)?,
            access: Access::ReadNoexec,
            optional: false,
            dangerous: socket.dangerous,
            origin: socket.origin.to_string(),
        };
        Some(Place { at: None, what })
    };
    draft.policy.net.sockets.iter().filter_map(place).collect()
}
