//! What runs between clone and exec. Two processes: *init*, which builds the jar and reaps, and the *program*.

mod action;
mod aside;
mod init;
mod narrow;
mod network;
mod op;
mod pty;
mod refused;
mod rights;
mod selfprobe;
mod tree;
mod unrouted;

pub(crate) use init::{clone_waiting, run};
pub use network::Serve;
pub use op::{Op, PathRights, Step, Walk};
pub use refused::Refused;
pub use rights::MOST as MOST_SOCKETS;
pub use selfprobe::{Forbidden, Network, PROBE_MARK};
