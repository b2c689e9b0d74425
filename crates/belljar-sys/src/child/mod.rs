//! What runs between clone and exec. Two processes: *init*, which builds the jar and reaps, and the *program*.

mod action;
mod aside;
mod counts;
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
pub use op::{KEPT_MOUNTS, Mount, Op, PathRights, Step, Walk};
pub use refused::Refused;
pub use rights::MOST as MOST_DESCRIPTORS;
pub use selfprobe::{Forbidden, Network, PROBE_MARK};

use crate::call::Fd;

/// Everything a child does, prepared.
#[derive(Debug)]
pub struct Sequence<'a> {
    /// Ops of init.
    pub init: &'a [Op<'a>],
    /// Ops of the program's process; the last is [`Op::Exec`].
    pub program: &'a [Op<'a>],
    /// Namespaces to create (`CLONE_NEW*`).
    pub namespaces: u64,
    /// The child has a PID namespace of its own.
    pub own_pids: bool,
    /// Send [`crate::wire::Event::Started`] after the exec.
    pub announce: bool,
    /// Init's end of a socket pair over which the supervisor asks for sockets of the jar's network; -1 = none.
    pub errands: Fd,
    /// Init closes everything but the status socket once the program runs.
    pub close_after_start: bool,
}
