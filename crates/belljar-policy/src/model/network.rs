//! Networks as data.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{NetTarget, Origin, Setting};
use crate::value::Written;
use crate::value::host::host_text;

/// The three different answers to "which network?", and one stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NetMode {
    /// No sockets at all, not even inside the jar.
    Off,
    /// A loopback of its own and nothing else.
    None,
    /// Only what the allow list names.
    List,
    /// The host's network.
    Host,
}

/// One entry of `net.allow` or `net.deny`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetRule {
    /// Name or addresses.
    pub target: NetTarget,
    /// Port; none = every port.
    pub port: Option<u16>,
    /// Who wrote it.
    pub origin: Origin,
}

/// Rules about networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetPolicy {
    /// Off, none, list or host.
    pub mode: Setting<NetMode>,
    /// Reachable when the mode is `list`.
    pub allow: Vec<NetRule>,
    /// Never reachable, in the modes `list` and `host`.
    pub deny: Vec<NetRule>,
    /// Ports of the host's own loopback that stand behind the same port of the jar's loopback, in mode `list`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<Setting<u16>>,
    /// Servers of the jar that the host reaches through its own loopback, in the modes `none` and `list`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Setting<Publish>>,
    /// Addresses that these names lead to, whatever the host's name service says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, Setting<IpAddr>>,
    /// Services of the host behind unix sockets, in the modes `none`, `list` and `host`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sockets: Vec<UnixSocket>,
    /// Proxies inside, and variables that name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Setting<bool>>,
}

/// A server of the jar that the host reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// Port of `127.0.0.1` in the jar.
    pub port: u16,
    /// Port of `127.0.0.1` on the host.
    pub host_port: u16,
}

impl Written for Publish {
    fn written(&self) -> String {
        if self.port == self.host_port {
            return self.port.to_string();
        }
        format!("{}:{}", self.port, self.host_port)
    }
}

/// A service of the host that listens on a unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnixService {
    /// What `SSH_AUTH_SOCK` names.
    SshAgent,
    /// The user's GnuPG agent.
    GpgAgent,
    /// Whoever listens at this path.
    Path(#[serde(with = "crate::value::path::form")] PathBuf),
}

/// A unix socket of the host that the jar may connect to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnixSocket {
    /// Which one.
    pub service: UnixService,
    /// Who answers in its place, a socket that grants less. Made by the library at the start, never by a document.
    #[serde(default, skip)]
    pub behind: Option<PathBuf>,
    /// The user wrote the long word: it may be a daemon that starts programs outside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dangerous: bool,
    /// Who wrote it.
    pub origin: Origin,
}

/// Ports of a rule that names none: ssh and the web.
const USUAL_PORTS: &[u16] = &[22, 80, 443];

impl std::fmt::Display for NetRule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&host_text(&self.target, self.port))
    }
}

impl NetRule {
    /// The ports that the rule opens as an entry of `net.allow`. As an entry of `net.deny` without a port it closes every one.
    ///
    /// ```
    /// let policy = belljar_policy::Policy::none().net("example.org")?.net("example.net:8443")?;
    /// assert_eq!(policy.net.allow[0].ports(), [22, 80, 443]);
    /// assert_eq!(policy.net.allow[1].ports(), [8443]);
    /// # Ok::<(), belljar_policy::PolicyError>(())
    /// ```
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        self.port.as_ref().map_or(USUAL_PORTS, std::slice::from_ref)
    }
}

impl NetPolicy {
    /// No sockets at all.
    pub(super) fn off() -> Self {
        Self {
            mode: Setting::new(NetMode::Off, Origin::Default),
            allow: Vec::new(),
            deny: Vec::new(),
            reach: Vec::new(),
            publish: Vec::new(),
            hosts: BTreeMap::new(),
            sockets: Vec::new(),
            proxy: None,
        }
    }

    /// Every port that something outside is reached at, ascending: those of `allow` and of `reach`.
    #[must_use]
    pub fn served_ports(&self) -> Vec<u16> {
        let listed = self.allow.iter().flat_map(|rule| rule.ports().iter().copied());
        let mut ports: Vec<u16> = listed.chain(self.reach.iter().map(|port| port.value)).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}
