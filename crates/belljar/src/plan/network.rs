//! Networks: a namespace of the jar's own and the filter; without namespaces the filter alone, and Landlock's ports.

use belljar_policy::{Demand, NetMode, NetPolicy, NetRule, Origin, Publish, Requirement, Setting, Subject};

use super::Draft;
use super::step::Step;
use crate::error::PlanError;
use crate::report::Layer;

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let mode = &draft.policy.net.mode;
    let origin = mode.origin.clone();
    match mode.value {
        NetMode::Off => no_sockets(draft, origin),
        NetMode::None | NetMode::List if listed(draft) || asks(draft) => hosts_by_name(draft)?,
        NetMode::None | NetMode::List => nothing_outside(draft, origin),
        _ => host_network(draft, origin)?,
    }
    published(draft)?;
    unix_sockets(draft);
    Ok(())
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

/// The user is asked about hosts. Whoever wrote that there is no network has answered already.
pub(super) fn asks(draft: &Draft<'_>) -> bool {
    let mode = &draft.policy.net.mode;
    let nobody_wrote = matches!(mode.origin, Origin::Default | Origin::Preset { .. });
    let open = mode.value == NetMode::List || mode.value == NetMode::None && nobody_wrote;
    draft.call.asks && open && draft.namespaced() && super::broker::able(draft) && !demands_landlock(draft)
}

/// Most ports that can be served at once: their listeners travel in one message.
const MOST_PORTS: usize = 200;

/// The name service's own, and the proxies'.
pub(crate) const NAMES: u16 = 53;
/// The HTTP proxy, then the SOCKS5 proxy.
pub(crate) const PROXIES: [u16; 2] = [3128, 1080];

fn hosts_by_name(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let net = &draft.policy.net;
    let rows = rows(net);
    if !draft.namespaced() {
        let (rule, origin) = rows.into_iter().next().unwrap_or_default();
        return Err(PlanError::NeedsUserns { rule, origin });
    }
    let proxies = net.proxy.as_ref().is_some_and(|proxy| proxy.value);
    let ports = net.served_ports();
    refuse_ports(&ports, proxies)?;
    for step in [Step::Loopback, Step::OwnAddresses, Step::Serve { ports, proxies }] {
        draft.step(step);
    }
    for (rule, origin) in rows {
        let layers = with_landlock(draft, [Layer::Namespaces, Layer::Supervisor]);
        draft.holds(Subject::Net, rule, origin, &layers);
    }
    if asks(draft) {
        draft.step(Step::Errands);
        let layers = [Layer::Namespaces, Layer::Broker, Layer::Supervisor];
        draft.holds(Subject::Net, "hosts that the user grants when asked", "--ask", &layers);
    }
    let layers = with_landlock(draft, [Layer::Namespaces, Layer::Seccomp]);
    draft.holds(Subject::Net, "no other host, port or protocol", net.mode.origin.clone(), &layers);
    Ok(())
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

/// Landlock closes every TCP port but the served ones, also between programs of the jar: only when it is asked for.
pub(super) fn landlocked(draft: &Draft<'_>) -> bool {
    is_served(draft) && demands_landlock(draft)
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
        if !draft.namespaced() {
            return Err(PlanError::NeedsUserns { rule, origin: ports.origin.to_string() });
        }
        draft.holds(Subject::Net, rule, ports.origin.clone(), &[Layer::Namespaces, Layer::Supervisor]);
    }
    if !draft.policy.net.publish.is_empty() && !asks(draft) {
        draft.step(Step::Errands);
    }
    Ok(())
}

fn no_sockets(draft: &mut Draft<'_>, origin: Origin) {
    let mut layers = vec![Layer::Seccomp];
    if draft.host.landlock >= 4 {
        layers.push(Layer::Landlock);
    }
    draft.holds(Subject::Net, "no sockets at all", origin, &layers);
}

fn nothing_outside(draft: &mut Draft<'_>, origin: Origin) {
    if draft.namespaced() {
        draft.step(Step::Loopback);
        draft.holds(
            Subject::Net,
            "no network but an own loopback",
            origin,
            &[Layer::Namespaces, Layer::Seccomp],
        );
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
fn unix_sockets(draft: &mut Draft<'_>) {
    let granted = draft.policy.syscalls.allow.iter().find(|item| item.value == "@socket-unix");
    match granted {
        Some(item) => {
            let origin = item.origin.to_string();
            draft.notes.push(format!("unix sockets in granted folders reach their owners ({origin})"));
        }
        None => draft.holds(Subject::Ipc, "no unix sockets but pairs", Origin::Default, &[Layer::Seccomp]),
    }
}
