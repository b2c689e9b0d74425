//! Hosts and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Decision;
use crate::error::PolicyError;
use crate::model::{NetMode, NetPolicy, NetRule, NetTarget, Origin, Policy};
use crate::value::Written as _;
use crate::value::host::{host, host_text, masked, width};

/// Address ranges that no list reaches unless it names them: what they lead to trusts its neighbours.
const SPECIAL: &[(&str, u8, &str)] = &[
    ("0.0.0.0", 8, "this host"),
    ("10.0.0.0", 8, "private"),
    ("100.64.0.0", 10, "shared by a provider (metadata of some clouds)"),
    ("127.0.0.0", 8, "loopback"),
    ("168.63.129.16", 32, "machine metadata"),
    ("169.254.0.0", 16, "link-local (machine metadata)"),
    ("172.16.0.0", 12, "private"),
    ("192.0.0.0", 24, "protocol assignments (metadata of some clouds)"),
    ("192.168.0.0", 16, "private"),
    ("198.18.0.0", 15, "network tests"),
    ("224.0.0.0", 4, "multicast"),
    ("240.0.0.0", 4, "reserved"),
    ("::", 96, "this host or an embedded IPv4 address"),
    ("::ffff:0:0:0", 96, "an embedded IPv4 address"),
    ("64:ff9b::", 96, "an embedded IPv4 address"),
    ("64:ff9b:1::", 48, "an embedded IPv4 address"),
    ("2001::", 32, "an embedded IPv4 address"),
    ("2002::", 16, "an embedded IPv4 address"),
    ("fc00::", 7, "private"),
    ("fe80::", 10, "link-local"),
    ("fec0::", 10, "private"),
    ("ff00::", 8, "multicast"),
];

fn special(addr: IpAddr) -> Option<(NetTarget, &'static str)> {
    SPECIAL.iter().find_map(|(first, prefix, what)| {
        let range = NetTarget::Range { addr: first.parse().ok()?, prefix: *prefix };
        within(&NetTarget::Range { addr, prefix: width(addr) }, &range).then_some((range, *what))
    })
}

/// What an address is, when it is not an ordinary public one: `private`, `link-local (machine metadata)`, ... An IPv4 address
/// written in IPv6 is that IPv4 address.
///
/// ```
/// assert!(belljar_policy::special_address("169.254.169.254".parse().unwrap()).is_some());
/// assert!(belljar_policy::special_address("::ffff:10.0.0.1".parse().unwrap()).is_some());
/// assert!(belljar_policy::special_address("93.184.216.34".parse().unwrap()).is_none());
/// ```
#[must_use]
pub fn special_address(addr: IpAddr) -> Option<&'static str> {
    special(addr.to_canonical()).map(|(_, what)| what)
}

/// Names of what lies near this machine, not of public hosts: a name, or all below a name.
const NEAR: &[(&str, &str)] = &[
    ("localhost", "this host"),
    ("metadata.google.internal", "machine metadata"),
    ("metadata.goog", "machine metadata"),
    ("instance-data.ec2.internal", "machine metadata"),
    ("internal", "a private network"),
    ("local", "the local network"),
    ("localdomain", "the local network"),
    ("lan", "the local network"),
    ("home.arpa", "the local network"),
    ("home", "the local network"),
    ("intranet", "a private network"),
    ("corp", "a private network"),
    ("private", "a private network"),
    ("arpa", "the name of an address"),
    ("onion", "a hidden service"),
];

/// What a name is, when it is not that of an ordinary public host: machine metadata, a name of the local network, a name
/// without a dot, which means something else on each network.
///
/// ```
/// assert!(belljar_policy::special_name("metadata.google.internal").is_some());
/// assert!(belljar_policy::special_name("printer").is_some());
/// assert!(belljar_policy::special_name("example.org").is_none());
/// ```
#[must_use]
pub fn special_name(name: &str) -> Option<&'static str> {
    let is_in = |top: &str| name.strip_suffix(top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let near = NEAR.iter().find(|(top, _)| is_in(top)).map(|(_, what)| *what);
    near.or_else(|| (!name.contains('.')).then_some("a name of the local network"))
}

/// Everything that `inner` names is named by `outer`.
pub(crate) fn within(inner: &NetTarget, outer: &NetTarget) -> bool {
    let under = |name: &str, top: &str| name.strip_suffix(top).is_some_and(|rest| rest.ends_with('.'));
    match (inner, outer) {
        (NetTarget::Name(name), NetTarget::Name(other)) => name == other,
        (NetTarget::Name(name), NetTarget::Below(top)) => under(name, top),
        (NetTarget::Below(name), NetTarget::Below(top)) => name == top || under(name, top),
        (NetTarget::Range { addr, prefix }, NetTarget::Range { addr: first, prefix: short }) => {
            addr.is_ipv4() == first.is_ipv4() && prefix >= short && masked(*addr, *short) == *first
        }
        _ => false,
    }
}

/// What was asked about.
struct Question {
    target: NetTarget,
    port: Option<u16>,
    object: String,
}

impl Question {
    /// The rule holds for all of the question.
    fn is_in(&self, rule: &NetRule) -> bool {
        within(&self.target, &rule.target) && (rule.port.is_none() || rule.port == self.port)
    }

    /// The rule, as an entry of the allow list, opens all of the question.
    fn is_opened_by(&self, rule: &NetRule) -> bool {
        let port = self.port.map_or(rule.port.is_none(), |port| rule.ports().contains(&port));
        within(&self.target, &rule.target) && port
    }

    /// It is about a service of the host itself.
    fn is_local(&self) -> bool {
        match &self.target {
            NetTarget::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            NetTarget::Range { addr, prefix } => {
                *prefix == width(*addr)
                    && [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(addr)
            }
            NetTarget::Below(_) => false,
        }
    }

    /// A list may reach the target through this rule, although it is special.
    fn names(&self, rule: &NetRule) -> bool {
        let NetTarget::Range { addr, .. } = &self.target else { return true };
        special(*addr).is_none_or(|(range, _)| within(&rule.target, &range))
    }
}

/// What the policy says about `HOST` or `HOST:PORT`. Without a port the answer is about the ports of a rule without one.
///
/// ```
/// use belljar_policy::{Policy, net_decision};
/// let policy = Policy::none().net("*.example.org:443")?;
/// assert!(net_decision(&policy, "api.example.org:443")?.allowed);
/// assert!(!net_decision(&policy, "example.org:443")?.allowed);
/// assert!(!net_decision(&policy, "10.0.0.1:443")?.allowed);
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
///
/// # Errors
/// The text is no host.
pub fn net_decision(policy: &Policy, object: &str) -> Result<Decision, PolicyError> {
    let (target, port) = host(object)?;
    Ok(target_decision(&policy.net, target, port))
}

/// The target of `HOST` or `HOST:PORT`, as an entry of a list would be read, and the port.
///
/// ```
/// use belljar_policy::{NetTarget, net_target};
/// assert_eq!(net_target("Example.ORG.:443")?, (NetTarget::Name("example.org".to_owned()), Some(443)));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
///
/// # Errors
/// The text is no host.
pub fn net_target(text: &str) -> Result<(NetTarget, Option<u16>), PolicyError> {
    host(text)
}

/// What [`net_decision`] says, for those who have no text.
#[must_use]
pub fn target_decision(net: &NetPolicy, target: NetTarget, port: Option<u16>) -> Decision {
    let question = Question { object: host_text(&target, port), target, port };
    let allow = || match question.port.filter(|_| question.is_local()) {
        Some(port) => format!("--reach localhost:{port}"),
        None => format!("--net {}", question.object),
    };
    let mode = &net.mode;
    let by_mode = |allowed| {
        let rule = format!("net.mode = \"{}\"", mode.value.written());
        Decision::new(question.object.clone(), allowed, rule, &mode.origin)
    };
    match mode.value {
        NetMode::Off | NetMode::None => by_mode(false).flag(allow),
        _ if net.deny.iter().any(|rule| question.is_in(rule)) => denied(net, &question),
        NetMode::Host => by_mode(true),
        NetMode::List => listed(net, &question).flag(allow),
    }
}

/// Some port of the target may be reached: an entry of the list holds it, and no denial takes every port of that entry.
///
/// ```
/// use belljar_policy::{NetTarget, Policy, any_port};
/// let policy = Policy::none().net("*.example.org:443")?;
/// assert!(any_port(&policy.net, &NetTarget::Name("api.example.org".to_owned())));
/// assert!(!any_port(&policy.net, &NetTarget::Name("example.org".to_owned())));
/// # Ok::<(), belljar_policy::PolicyError>(())
/// ```
#[must_use]
pub fn any_port(net: &NetPolicy, target: &NetTarget) -> bool {
    let denied = |port: Option<u16>| {
        let mut holding = net.deny.iter().filter(|rule| within(target, &rule.target));
        holding.any(|rule| rule.port.is_none() || rule.port == port)
    };
    match net.mode.value {
        NetMode::Off | NetMode::None => false,
        NetMode::Host => !denied(None),
        NetMode::List => net
            .allow
            .iter()
            .any(|rule| within(target, &rule.target) && rule.ports().iter().any(|port| !denied(Some(*port)))),
    }
}

/// Deny wins, so no flag helps: the rule itself has to go.
fn denied(net: &NetPolicy, question: &Question) -> Decision {
    let rule = net.deny.iter().find(|rule| question.is_in(rule));
    let (text, origin) =
        rule.map_or((String::new(), &Origin::Default), |rule| (entry("deny", rule), &rule.origin));
    Decision::new(question.object.clone(), false, text, origin)
        .note("deny wins: only removing this rule allows it")
}

fn listed(net: &NetPolicy, question: &Question) -> Decision {
    let reached = net.reach.iter().find(|port| question.is_local() && question.port == Some(port.value));
    if let Some(port) = reached {
        let rule = format!("net.reach \"localhost:{}\"", port.value);
        return Decision::new(question.object.clone(), true, rule, &port.origin);
    }
    let holding: Vec<&NetRule> = net.allow.iter().filter(|rule| question.is_opened_by(rule)).collect();
    let object = question.object.clone();
    if let Some(rule) = holding.iter().find(|rule| question.names(rule)) {
        let decision = Decision::new(object, true, entry("allow", rule), &rule.origin);
        return match &question.target {
            NetTarget::Range { .. } => decision,
            NetTarget::Name(name) if net.hosts.contains_key(name) => decision.note(
                net.hosts.get(name).map_or(String::new(), |addr| format!("it leads to {}", addr.value)),
            ),
            _ => decision
                .note("as long as the name does not lead to a private, link-local or metadata address"),
        };
    }
    let what = if let NetTarget::Range { addr, .. } = &question.target { special(*addr) } else { None };
    match (what, holding.first()) {
        (Some((_, what)), Some(rule)) => Decision::new(object, false, entry("allow", rule), &rule.origin)
            .note(format!("the address is {what}: a list must name it or a part of that range")),
        _ => Decision::new(object, false, "net.allow has no entry for it", &net.mode.origin),
    }
}

fn entry(list: &str, rule: &NetRule) -> String {
    format!("net.{list} \"{}\"", host_text(&rule.target, rule.port))
}
