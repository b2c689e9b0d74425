//! What the served jar may reach.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use belljar_policy::{
    Decision, NetMode, NetPolicy, NetRule, NetTarget, Origin, any_port, net_target, special_address,
    target_decision,
};

/// The most bytes that a name may have in front of a pattern's own name. What stands there reaches the pattern's name
/// servers, so it is kept short.
const BELOW: usize = 63;

/// What a connection is meant for: one name or one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// Reads `HOST` or `HOST:PORT`; none for patterns, ranges and what is no host.
    pub(crate) fn read(text: &str) -> Option<(Self, Option<u16>)> {
        let (target, port) = net_target(text).ok()?;
        let host = match target {
            NetTarget::Name(name) => Self::Name(name),
            NetTarget::Range { addr, prefix } if prefix == width(addr) => Self::Address(addr),
            _ => return None,
        };
        Some((host, port))
    }

    fn target(&self) -> NetTarget {
        match self {
            Self::Name(name) => NetTarget::Name(name.clone()),
            Self::Address(addr) => NetTarget::Range { addr: *addr, prefix: width(*addr) },
        }
    }
}

/// `HOST:PORT` as policies write it.
pub(crate) struct Object<'a>(pub(crate) &'a Host, pub(crate) u16);

impl fmt::Display for Object<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Host::Name(name) => write!(out, "{name}:{}", self.1),
            Host::Address(IpAddr::V4(addr)) => write!(out, "{addr}:{}", self.1),
            Host::Address(IpAddr::V6(addr)) => write!(out, "[{addr}]:{}", self.1),
        }
    }
}

fn width(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 32 } else { 128 }
}

/// What the rules say about a name before anyone connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// An entry of the list names it.
    Named,
    /// A pattern of the list holds it.
    Below,
    /// Not granted, but a granted name lies below it: it exists and has no address.
    Above,
    /// Nothing is known about it.
    Unknown,
}

/// Why datagrams go nowhere, and what there is in their place.
const NO_UDP: &str = "UDP is in no list of hosts and never asked about: only --net host has it";
const BY_TCP: &str = "UDP is in no list of hosts and never asked about: this host is reached by TCP, by UDP only with --net host";

/// How a granted connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A service of the host's own loopback.
    Reach,
    /// This address, which the rules name.
    Address(IpAddr),
    /// Whatever fit address the name has.
    Lookup { name: String, is_pattern: bool },
}

/// Names, addresses and services of the host that a jar may reach. Nothing else is reached.
#[derive(Clone, Debug)]
pub struct Rules {
    net: NetPolicy,
    /// The same denials beside everything: tells a denied address from one that no list names.
    denials: NetPolicy,
}

impl Rules {
    /// What `net` says in mode `list`: `allow`, `deny`, `hosts`, and `reach`, whose ports lead to the host's own loopback
    /// (`127.0.0.1`, then `::1`).
    #[must_use]
    pub fn new(net: NetPolicy) -> Self {
        let mut denials = net.clone();
        denials.mode.value = NetMode::Host;
        Self { net, denials }
    }

    /// One more host, by an answer. Denials win all the same.
    pub(crate) fn grant(&mut self, host: &Host, port: u16) {
        let origin = Origin::Flag("answer".to_owned());
        let rule = NetRule { target: host.target(), port: Some(port), origin };
        if !self.net.allow.contains(&rule) {
            self.net.allow.push(rule);
        }
    }

    /// Names that entries of the list write out, patterns not counted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.net.allow.iter().filter_map(|rule| match &rule.target {
            NetTarget::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// What the rules say about a name, whatever the port.
    pub(crate) fn standing(&self, name: &str) -> Standing {
        if any_port(&self.net, &NetTarget::Name(name.to_owned())) {
            return if self.names().any(|named| named == name) { Standing::Named } else { self.below(name) };
        }
        let is_above = |target: &NetTarget| match target {
            NetTarget::Name(low) | NetTarget::Below(low) => {
                low.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
                    || matches!(target, NetTarget::Below(top) if top == name)
            }
            _ => false,
        };
        let is_known = self.net.allow.iter().any(|rule| is_above(&rule.target));
        if is_known { Standing::Above } else { Standing::Unknown }
    }

    /// A name that only patterns hold; one that says too much in front of them is not known.
    fn below(&self, name: &str) -> Standing {
        let fits = self.net.allow.iter().any(|rule| match &rule.target {
            NetTarget::Below(top) => name
                .strip_suffix(top.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| rest.len() <= BELOW),
            _ => false,
        });
        if fits { Standing::Below } else { Standing::Unknown }
    }

    /// Whether a connection may be tried, and how it is made.
    pub(crate) fn route(&self, host: &Host, port: u16) -> Result<Route, Box<Decision>> {
        let decision = self.decision(host, port);
        if !decision.allowed {
            return Err(Box::new(decision));
        }
        if self.is_reached(host, port) {
            return Ok(Route::Reach);
        }
        match host {
            Host::Address(addr) => Ok(Route::Address(*addr)),
            Host::Name(name) if self.net.hosts.contains_key(name) => self.given(name, port),
            Host::Name(name) => match self.standing(name) {
                Standing::Named => Ok(Route::Lookup { name: name.clone(), is_pattern: false }),
                Standing::Below => Ok(Route::Lookup { name: name.clone(), is_pattern: true }),
                _ => Err(Box::new(too_long(decision))),
            },
        }
    }

    /// The address that the policy itself gives a name: whoever wrote it knows where it leads. Denials hold all the same.
    fn given(&self, name: &str, port: u16) -> Result<Route, Box<Decision>> {
        let addr = self.net.hosts.get(name).map(|given| given.value.to_canonical());
        let Some(addr) = addr else { return Err(Box::new(self.refusal(name))) };
        self.undenied(addr, port).map(|()| Route::Address(addr))
    }

    fn undenied(&self, addr: IpAddr, port: u16) -> Result<(), Box<Decision>> {
        let host = Host::Address(addr.to_canonical());
        let decision = target_decision(&self.denials, host.target(), Some(port));
        if decision.allowed { Ok(()) } else { Err(Box::new(decision)) }
    }

    /// A service of the host's own loopback.
    fn is_reached(&self, host: &Host, port: u16) -> bool {
        let is_local = match host {
            Host::Name(name) => is_localhost(name),
            Host::Address(IpAddr::V4(addr)) => *addr == Ipv4Addr::LOCALHOST,
            Host::Address(IpAddr::V6(addr)) => *addr == Ipv6Addr::LOCALHOST,
        };
        is_local && self.net.reach.iter().any(|reached| reached.value == port)
    }

    /// Whether a granted name may lead to this address. `is_own` tells whether it belongs to this very machine.
    pub(crate) fn fits(
        &self,
        addr: IpAddr,
        port: u16,
        is_own: impl FnOnce() -> bool,
    ) -> Result<(), Box<Decision>> {
        self.undenied(addr, port)?;
        let what = special_address(addr).or_else(|| is_own().then_some("an address of this machine"));
        let Some(what) = what else { return Ok(()) };
        let mut decision = self.decision(&Host::Address(addr.to_canonical()), port);
        if decision.allowed {
            return Ok(());
        }
        decision.note = Some(format!("the name leads to {addr}, which is {what}"));
        Err(Box::new(decision))
    }

    /// What the lists say.
    pub(crate) fn decision(&self, host: &Host, port: u16) -> Decision {
        target_decision(&self.net, host.target(), Some(port))
    }

    /// The refusal of a datagram, whoever it is for.
    pub(crate) fn datagram(&self, host: &Host, port: u16) -> Decision {
        let mut decision = self.decision(host, port);
        let rule = if decision.allowed { BY_TCP } else { NO_UDP };
        decision.allowed = false;
        rule.clone_into(&mut decision.rule);
        decision.origin = self.net.mode.origin.clone();
        (decision.flag, decision.note) = (None, None);
        decision
    }

    /// The refusal of a name that no rule holds on any port.
    pub(crate) fn refusal(&self, name: &str) -> Decision {
        target_decision(&self.net, NetTarget::Name(name.to_owned()), None)
    }
}

fn too_long(mut decision: Decision) -> Decision {
    decision.allowed = false;
    decision.note = Some(format!("at most {BELOW} bytes in front of a pattern's name are looked up"));
    decision
}

/// RFC 6761: these always mean the own loopback.
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use belljar_policy::{Policy, Setting};

    use super::*;

    fn rules(allow: &[&str], deny: &[&str]) -> Rules {
        let policy = allow.iter().fold(Policy::none(), |policy, text| policy.net(text).unwrap());
        let policy = deny.iter().fold(policy, |policy, text| policy.net_deny(text).unwrap());
        let mut net = policy.net;
        net.reach.push(Setting::new(8080, Origin::Api));
        net.hosts.insert("given.org".into(), Setting::new("10.9.9.9".parse().unwrap(), Origin::Api));
        Rules::new(net)
    }

    fn read(text: &str) -> (Host, u16) {
        let (host, port) = Host::read(text).unwrap();
        (host, port.unwrap())
    }

    #[test]
    fn a_name_is_known_by_an_entry_a_pattern_or_what_lies_below_it() {
        let rules = rules(&["a.example.org:443", "*.example.net"], &["bad.example.net", "w.example.net:80"]);
        for (name, standing) in [
            ("a.example.org", Standing::Named),
            ("b.a.example.org", Standing::Unknown),
            ("example.org", Standing::Above),
            ("org", Standing::Above),
            ("xexample.org", Standing::Unknown),
            ("x.example.net", Standing::Below),
            ("w.example.net", Standing::Below),
            ("example.net", Standing::Above),
            ("bad.example.net", Standing::Unknown),
            ("example.com", Standing::Unknown),
        ] {
            assert_eq!(rules.standing(name), standing, "{name}");
        }
        let long = format!("{}.{}.example.net", "a".repeat(40), "b".repeat(40));
        assert_eq!(rules.standing(&long), Standing::Unknown);
    }

    #[test]
    fn routes() {
        let rules = rules(&["a.org:443", "10.0.0.0/8:5432", "*.b.org:1", "c.org"], &["x.b.org", "c.org:22"]);
        let granted = |text: &str| {
            let (host, port) = read(text);
            rules.route(&host, port).is_ok()
        };
        for text in [
            "a.org:443",
            "10.1.2.3:5432",
            "w.b.org:1",
            "c.org:80",
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
        ] {
            assert!(granted(text), "{text}");
        }
        for text in [
            "a.org:80",
            "10.1.2.3:80",
            "b.org:1",
            "x.b.org:1",
            "localhost:80",
            "[::1]:80",
            "127.0.0.2:8080",
            "1.1.1.1:443",
        ] {
            assert!(!granted(text), "{text}");
        }
        let long = format!("{}.{}.b.org:1", "a".repeat(40), "b".repeat(40));
        assert!(!granted(&long));
    }

    #[test]
    fn a_name_leads_to_special_addresses_only_where_a_rule_names_them() {
        let rules = rules(&["a.org:443", "10.0.0.5:443", "0.0.0.0/0:443"], &["93.184.216.0/24"]);
        let fits = |addr: &str| rules.fits(addr.parse().unwrap(), 443, || addr == "9.9.9.10").is_ok();
        assert!(fits("9.9.9.9"));
        assert!(fits("10.0.0.5"));
        assert!(fits("::ffff:10.0.0.5"));
        for addr in
            ["10.0.0.6", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "224.0.0.1", "93.184.216.34"]
        {
            assert!(!fits(addr), "{addr}");
        }
        assert!(fits("9.9.9.10"), "0.0.0.0/0 holds the machine's own address");
    }

    #[test]
    fn a_policy_may_say_where_a_granted_name_leads() {
        let name = Host::Name("given.org".into());
        let route = |allow: &[&str], deny: &[&str]| rules(allow, deny).route(&name, 443);
        let given = Ok(Route::Address("10.9.9.9".parse().unwrap()));
        assert_eq!(route(&["given.org"], &[]), given);
        assert!(route(&["a.org"], &[]).is_err());
        assert!(route(&["given.org"], &["10.9.0.0/16"]).is_err());
    }

    #[test]
    fn the_machines_own_address_needs_a_rule() {
        let rules = rules(&["a.org:443"], &[]);
        assert!(rules.fits("9.9.9.9".parse().unwrap(), 443, || false).is_ok());
        let refused = rules.fits("9.9.9.9".parse().unwrap(), 443, || true).unwrap_err();
        assert_eq!(refused.flag.as_deref(), Some("--net 9.9.9.9:443"));
    }

    #[test]
    fn a_datagram_is_refused_whatever_is_granted_and_told_what_there_is_instead() {
        let rules = rules(&["a.org:443"], &[]);
        for (port, rule) in [(443, BY_TCP), (53, NO_UDP)] {
            let decision = rules.datagram(&Host::Name("a.org".into()), port);
            assert_eq!((decision.allowed, decision.flag, decision.rule.as_str()), (false, None, rule));
        }
    }

    #[test]
    fn only_single_hosts_are_read() {
        for text in ["10.0.0.0/8:80", "*.a.org:80", "a b:80", "a:0", "", "[::1", "127.1:80", "fc00::/7"] {
            assert_eq!(Host::read(text), None, "{text}");
        }
        assert_eq!(read("A.org.:1"), (Host::Name("a.org".into()), 1));
        assert_eq!(Object(&read("[::1]:1").0, 1).to_string(), "[::1]:1");
    }
}
