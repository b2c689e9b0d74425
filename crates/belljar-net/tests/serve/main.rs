//! The service on loopback sockets, judged from both ends: a client where the jar would be, a server where the host's
//! network would be. Stand-ins lie in `127.18.0.0/15` here, which is local on every machine.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod amounts;
mod appeals;
mod bytes;
mod names;
mod proxies;
mod published;
mod world;
