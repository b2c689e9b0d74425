//! The serving side of networks by name: what a jar reaches goes through here, and nothing else does.
//!
//! The jar has a network namespace in which every address is local. The sockets that listen there are made inside and
//! served here, outside: a DNS stub gives each granted name a stand-in address, an accepted connection tells by its own
//! address which name was meant, and the host dials an address that was checked.
//!
//! ```text
//! jar                          │ here
//! query "example.org" ────────►│ granted? ── no ──► NXDOMAIN, nobody is asked
//!                ◄─ 198.18.0.7 │ yes: a stand-in
//! connect 198.18.0.7:443 ─────►│ stand-in ─► name ─► granted with this port? ─► resolve ─► address fit? ─► dial it ─► relay
//! ```
#![forbid(unsafe_code)]

mod appeal;
mod budget;
mod dns;
mod engine;
mod http;
mod lookup;
mod observe;
mod refused;
mod remote;
mod rules;
mod service;
mod settings;
mod sockets;
mod socks;
mod standin;

pub use appeal::{Answer, Appeal, Refusal};
pub use budget::{Bucket, Budgets};
pub use engine::{Adopted, Adopter};
pub use lookup::{HostResolver, Resolver};
pub use observe::{Connected, Denial, Door, Failed, Failure, Flow, Observer, Reason, Who};
pub use remote::{Meant, Remote};
pub use rules::Rules;
pub use service::Service;
pub use settings::Settings;
pub use sockets::{Inside, Sockets};

/// Readers of what a jar sends, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub mod hostile {
    use std::net::{IpAddr, SocketAddr};

    /// Reads a DNS message; the reply.
    #[must_use]
    pub fn dns(message: &[u8]) -> Option<Vec<u8>> {
        crate::dns::exercise(message)
    }

    /// Reads the head of a request to the HTTP proxy; how many bytes it takes.
    #[must_use]
    pub fn http(bytes: &[u8]) -> usize {
        match crate::http::head(bytes) {
            crate::http::Head::Tunnel { used, .. } | crate::http::Head::Forward { used, .. } => used,
            crate::http::Head::More | crate::http::Head::Bad(_) => 0,
        }
    }

    /// Reads a packet as each of the sockets does that hear what the jar's network turns away: connections over IPv4 and
    /// IPv6, datagrams over both. `from` is the packet's sender. What was to be reached; where a datagram came from.
    #[must_use]
    pub fn refused(packet: &[u8], from: IpAddr) -> [Option<(SocketAddr, Option<SocketAddr>)>; 4] {
        use crate::refused::{Ear, read};
        let kinds = [Ear::Tcp4, Ear::Tcp6, Ear::Icmp4, Ear::Icmp6];
        kinds.map(|ear| read(ear, packet, from).map(|refused| (refused.to, refused.datagram_from)))
    }

    /// Reads a greeting and a request to the SOCKS5 proxy; whether they decide anything.
    #[must_use]
    pub fn socks(bytes: &[u8]) -> [bool; 2] {
        [crate::socks::greeting(bytes), crate::socks::request(bytes)]
            .map(|step| step != crate::socks::Step::More)
    }
}
