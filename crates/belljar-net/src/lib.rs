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

mod observe;
mod rules;
mod service;
mod sockets;

pub use observe::{Connected, Denial, Door, Observer, Reason};
pub use rules::Rules;
pub use service::Service;
pub use sockets::Sockets;
