//! The broker (door 2): answers system calls that the kernel hands to the supervisor instead of carrying them out. It copies
//! the arguments once, opens what they mean within the jar's own root, decides on that, and acts on that.

mod absent;
mod address;
mod anew;
mod attributes;
mod caller;
mod clock;
mod confine;
mod connect;
mod decode;
mod entry;
#[cfg(feature = "test-hooks")]
mod fault;
mod fifo;
mod host;
mod judge;
mod look;
mod memory;
mod open;
mod outside;
mod own;
mod policy;
mod receive;
mod refused;
mod roster;
mod serve;
mod server;
mod shared;
mod table;
mod task;
mod walk;
mod watch;
mod xattr;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use belljar_sys::notify::Listener;
use rustix::event::{EventfdFlags, eventfd};

pub(crate) use caller::terminal;
pub(crate) use confine::thread_filter;
pub(crate) use connect::{Connections, Said};
#[cfg(any(test, feature = "test-hooks"))]
pub use decode::Reading;
pub use judge::{Judge, Late, Object, Observer, Request, Rule, Verdict, View, Wanted};
pub(crate) use outside::{HostNetwork, Outside};
pub(crate) use policy::{Elsewhere, Place, Table};
pub(crate) use refused::{Hearing, Refused};

use confine::Confinement;
use shared::{Parts, Shared};

/// First kernel that ends a wait for calls when nobody is left to make one.
const ENDING: (u16, u16) = (6, 11);

/// Readers of what a jar says, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub mod hostile {
    use std::path::PathBuf;

    use super::caller;

    /// Reads what `/proc` says of a process, whose name is its own choice; its file mode mask, where it has all numbers.
    #[must_use]
    pub fn process(text: &str) -> Option<u32> {
        let _: (Option<u32>, bool) = (caller::terminal(text), caller::is_interrupted(text));
        caller::Numbers::read(text).map(|numbers| numbers.umask)
    }

    /// Reads a socket address; the path, where it is one.
    #[must_use]
    pub fn socket_address(bytes: &[u8]) -> Option<PathBuf> {
        match super::address::read(bytes).ok()? {
            super::address::Meaning::Path(path) => Some(path),
            _ => None,
        }
    }
}

/// What a broker is started with.
pub(crate) struct Setup {
    pub(crate) listener: OwnedFd,
    pub(crate) judge: Arc<dyn Judge>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Who is asked about connections; none = nobody.
    pub(crate) connections: Option<Arc<dyn Connections>>,
    /// Hears what the filter refuses.
    pub(crate) hearing: Option<Arc<Hearing>>,
    /// The jar lives in the host's tree.
    pub(crate) host_tree: bool,
    /// Who connects for the jar, where the broker is to do that.
    pub(crate) outside: Option<Arc<dyn Outside>>,
    /// Whom the jar runs as, where that is not the supervisor's user.
    pub(crate) user: Option<(u32, u32)>,
}

/// A broker that answers. Its threads end with the jar.
#[derive(Debug)]
pub(crate) struct Broker {
    alarm: OwnedFd,
}

impl Broker {
    /// Becomes readable when calls may stay unanswered: the jar has to end.
    pub(crate) fn alarm(&self) -> BorrowedFd<'_> {
        self.alarm.as_fd()
    }
}

/// Starts answering.
pub(crate) fn start(setup: Setup) -> io::Result<Broker> {
    let listener = Listener::new(setup.listener).map_err(|errno| io::Error::from_raw_os_error(errno.0))?;
    let listener = listener.ending(crate::probe::kernel() >= ENDING);
    let alarm = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let parts = Parts {
        listener,
        judge: setup.judge,
        observer: setup.observer,
        connections: setup.connections,
        hearing: setup.hearing,
        hops: setup.host_tree,
        confinement: Confinement::new(setup.user, setup.outside.is_some()).map_err(io::Error::other)?,
        network: if setup.outside.is_some() { own_network()? } else { 0 },
        outside: setup.outside,
        alarm: alarm.try_clone()?,
    };
    serve::start(&Arc::new(Shared::new(parts)))?;
    Ok(Broker { alarm })
}

/// Names the network of this process.
fn own_network() -> io::Result<u64> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let look = belljar_sys::sockets::look(socket.as_fd());
    look.map(|look| look.network).map_err(|errno| io::Error::from_raw_os_error(errno.0))
}
