//! The last look before exec: what must be refused is tried once. One success and nothing is run.

use core::ffi::CStr;

use linux_raw_sys::general as g;
use syscalls::Sysno;

use super::network;
use crate::abi;
use crate::call::{self, Errno, Result, raw};

/// Fourth argument of the probe's `socket`, which has three: tells a filter whose call it is. The kernel does not look at it.
pub const PROBE_MARK: u32 = 0x6A61_7221;

/// What a jar finds where the host has its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing is asked.
    Unasked,
    /// No route leaves the jar, or no socket can be made.
    NoRoute,
    /// Every address is the jar's own.
    OwnAddresses,
}

/// What must fail. The parent has made sure that the open succeeds outside and that the filter forbids the call.
#[derive(Clone, Copy, Debug)]
pub struct Forbidden<'a> {
    /// A file or folder of the host that the policy does not grant; none = the policy grants everything that exists.
    pub open: Option<&'a CStr>,
    /// What the jar must find of a network.
    pub network: Network,
    /// The filter forbids `io_uring_setup`.
    pub call: bool,
}

impl Forbidden<'_> {
    /// Tries each.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(path) = self.open {
            refused(call::open(path, g::O_RDONLY))?;
        }
        match self.network {
            Network::Unasked => {}
            Network::NoRoute => no_route()?,
            Network::OwnAddresses => own_addresses()?,
        }
        if self.call { call_is_filtered() } else { Ok(()) }
    }
}

fn refused(done: Result<i32>) -> Result<()> {
    match done {
        Err(_) => Ok(()),
        Ok(_) => Err(Errno::NOT_CONFINED),
    }
}

/// Connecting a datagram socket sends nothing; it only asks for a route to a documentation address.
fn no_route() -> Result<()> {
    let Ok(socket) = call::marked_socket(2, 2, PROBE_MARK) else { return Ok(()) };
    let nowhere = abi::SockAddrIn { family: 2, port: [0, 9], addr: [192, 0, 2, 1], zero: [0; 8] };
    // Exec closes the socket.
    refused(call::connect(socket, &nowhere).map(|()| 0))
}

fn own_addresses() -> Result<()> {
    if network::owns_every_address() { Ok(()) } else { Err(Errno::NOT_CONFINED) }
}

/// Unfiltered, this null pointer is `EFAULT`.
fn call_is_filtered() -> Result<()> {
    // SAFETY: the pointer is null: the kernel refuses it before it touches memory.
    match unsafe { raw(Sysno::io_uring_setup, [0; 6]) } {
        Err(Errno::PERM | Errno::NOSYS | Errno::ACCES) => Ok(()),
        _ => Err(Errno::NOT_CONFINED),
    }
}
