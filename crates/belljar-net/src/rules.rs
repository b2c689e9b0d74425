//! What the served jar may reach.

use belljar_policy::NetPolicy;

/// Names, addresses and services of the host that a jar may reach. Nothing else is reached.
#[derive(Clone, Debug)]
pub struct Rules {
    net: NetPolicy,
    reach: Vec<u16>,
}

impl Rules {
    /// The lists of `net`, and ports of the host's own `127.0.0.1` that stand behind the same port inside.
    #[must_use]
    pub fn new(net: NetPolicy, reach: impl IntoIterator<Item = u16>) -> Self {
        Self { net, reach: reach.into_iter().collect() }
    }

    /// The lists.
    #[must_use]
    pub fn net(&self) -> &NetPolicy {
        &self.net
    }

    /// Ports of the host's own loopback.
    #[must_use]
    pub fn reach(&self) -> &[u16] {
        &self.reach
    }
}
