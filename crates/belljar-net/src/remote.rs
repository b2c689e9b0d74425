//! How other threads reach a service that runs: what a connection would be meant for, and grants that came after the start.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use belljar_policy::Decision;

use crate::appeal::Refusal;
use crate::rules::Host;

/// What the loop is told by others.
pub(crate) enum Order {
    /// What does a connection to this address mean?
    Meant(SocketAddr, SyncSender<Option<Meaning>>),
    /// The stand-in is no longer asked about.
    Release(Ipv4Addr),
    /// A host may be reached from now on.
    Grant(Host, u16, SyncSender<io::Result<()>>),
    /// The answer to the appeal of a connection.
    Answered(u64, Result<(), Refusal>),
}

/// What a connection is meant for.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) decision: Decision,
    /// The stand-in that is held meanwhile: it must not mean another name when the answer comes.
    pub(crate) held: Option<Ipv4Addr>,
}

/// How another thread reaches the loop.
#[derive(Debug)]
pub(crate) struct Bell {
    event: OwnedFd,
    stop: AtomicBool,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, stop: AtomicBool::new(false) })
    }

    /// Something is there. A counter that is full already rings.
    pub(crate) fn ring(&self) {
        rustix::io::write(&self.event, &1_u64.to_ne_bytes()).ok();
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Takes the rings so far; that there were none is no failure.
    pub(crate) fn hear(&self) {
        rustix::io::read(&self.event, &mut [0; 8]).ok();
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// The loop's letter box.
#[derive(Clone)]
pub(crate) struct Post {
    sender: Sender<Order>,
    bell: Arc<Bell>,
}

impl Post {
    pub(crate) fn new(bell: Arc<Bell>) -> (Self, Receiver<Order>) {
        let (sender, orders) = channel();
        (Self { sender, bell }, orders)
    }

    /// False when nobody serves any more.
    pub(crate) fn put(&self, order: Order) -> bool {
        let sent = self.sender.send(order).is_ok();
        self.bell.ring();
        sent
    }
}

/// Reaches a running service from another thread.
#[derive(Clone)]
pub struct Remote(pub(crate) Post);

impl fmt::Debug for Remote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Remote")
    }
}

/// A host that a program of the jar is about to connect to. While this lives, its address means this host.
#[derive(Debug)]
pub struct Meant {
    meaning: Meaning,
    remote: Remote,
}

impl Remote {
    /// What a TCP connection to this address would be meant for. None for what concerns the jar alone (its own loopback), for
    /// addresses that stand for nothing, and when nobody serves any more.
    #[must_use]
    pub fn meant(&self, address: SocketAddr) -> Option<Meant> {
        let (sender, wait) = sync_channel(1);
        self.0.put(Order::Meant(address, sender)).then_some(())?;
        let meaning = wait.recv().ok().flatten()?;
        Some(Meant { meaning, remote: self.clone() })
    }
}

impl Meant {
    /// What the rules say about it.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.meaning.decision
    }

    /// Lets the jar reach it until the service ends.
    ///
    /// # Errors
    /// No listener can be had for the port: a server of the jar has it, or there are too many.
    pub fn grant(&self) -> io::Result<()> {
        let (sender, wait) = sync_channel(1);
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let sent = self.remote.0.put(Order::Grant(self.meaning.host.clone(), self.meaning.port, sender));
        if !sent {
            return Err(gone());
        }
        wait.recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Meant {
    fn drop(&mut self) {
        if let Some(addr) = self.meaning.held {
            // Without a service nothing is held.
            self.remote.0.put(Order::Release(addr));
        }
    }
}
