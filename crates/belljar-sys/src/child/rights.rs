//! Descriptors beside messages between init and the supervisor.

use core::mem::MaybeUninit;

use crate::call::{self, Errno, Fd, Result, Ticket, int, raw};
use crate::wire::Event;

/// Most descriptors in one message (the kernel's `SCM_MAX_FD`).
pub const MOST: usize = 253;

#[repr(C)]
struct Io {
    base: *const u8,
    len: usize,
}

/// A message's descriptors as the kernel reads them. Filled one by one and never copied: what runs here has no `memcpy`.
#[repr(C, align(8))]
#[derive(Debug)]
pub(crate) struct Rights {
    len: usize,
    level: i32,
    kind: i32,
    fds: [MaybeUninit<Fd>; MOST + 1],
}

#[repr(C)]
struct MsgHdr {
    name: *const u8,
    name_len: u32,
    io: *const Io,
    io_len: usize,
    control: *const Rights,
    control_len: usize,
    flags: i32,
}
const _: () = assert!(size_of::<MsgHdr>() == 56);
const _: () = assert!(size_of::<Rights>() == HEAD + 4 * (MOST + 1));

/// Length, level and kind.
const HEAD: usize = 16;
const _: () = assert!(size_of::<Fd>() == 4);
const NO_SIGNAL: usize = 0x4000;
const CLOSE_ON_EXEC: usize = 0x4000_0000;
const TRUNCATED: i32 = 8;

/// Sends `event` with this descriptor, which is closed here then.
pub(super) fn hand_over(socket: Fd, fd: Fd, event: Event) -> Result<()> {
    show_by(Ticket::NONE, socket, fd, event)?;
    call::close(fd);
    Ok(())
}

/// Sends `event` with a copy of this descriptor, behind a filter that lets this be sent by a ticket only.
pub(super) fn show_by(ticket: Ticket, socket: Fd, fd: Fd, event: Event) -> Result<()> {
    let mut rights = Rights::none();
    rights.add(fd)?;
    rights.send_by(ticket, socket, event)
}

impl Rights {
    pub(crate) const fn none() -> Self {
        // SOL_SOCKET, SCM_RIGHTS
        Self { len: HEAD, level: 1, kind: 1, fds: [MaybeUninit::uninit(); MOST + 1] }
    }

    fn count(&self) -> usize {
        self.len.wrapping_sub(HEAD).wrapping_shr(2)
    }

    /// Adds a descriptor; `EINVAL` behind the last place.
    pub(super) fn add(&mut self, fd: Fd) -> Result<()> {
        let count = self.count();
        let place = self.fds.get_mut(count).filter(|_| count < MOST).ok_or(Errno::INVAL)?;
        place.write(fd);
        // Length covers header and descriptors, not the padding.
        self.len = self.len.wrapping_add(size_of::<Fd>());
        Ok(())
    }

    /// Sends `event` with copies of the descriptors.
    pub(super) fn send(&self, socket: Fd, event: Event) -> Result<()> {
        self.send_by(Ticket::NONE, socket, event)
    }

    fn send_by(&self, ticket: Ticket, socket: Fd, event: Event) -> Result<()> {
        let bytes = event.encode();
        let io = Io { base: bytes.as_ptr(), len: bytes.len() };
        let message = MsgHdr {
            name: core::ptr::null(),
            name_len: 0,
            io: &raw const io,
            io_len: 1,
            control: &raw const *self,
            control_len: self.len.wrapping_add(7) & !7,
            flags: 0,
        };
        let at = (&raw const message).expose_provenance();
        let (socket, flags) = ticket.stamp(int(socket), NO_SIGNAL);
        // SAFETY: `message` and everything it points at live on this stack frame or are borrowed until the call returns.
        // The kernel reads no descriptor behind `len`, up to which `add` has written.
        let sent = unsafe { raw(syscalls::Sysno::sendmsg, [socket, at, flags, 0, 0, 0]) }?;
        if sent == bytes.len() { Ok(()) } else { Err(Errno::PIPE) }
    }

    /// Reads a message; descriptors beside it take the place of these. Returns its length.
    pub(super) fn receive(&mut self, socket: Fd, bytes: &mut [u8]) -> Result<usize> {
        let io = Io { base: bytes.as_mut_ptr().cast_const(), len: bytes.len() };
        let mut message = MsgHdr {
            name: core::ptr::null(),
            name_len: 0,
            io: &raw const io,
            io_len: 1,
            control: (&raw mut *self).cast_const(),
            control_len: size_of::<Self>(),
            flags: 0,
        };
        let at = (&raw mut message).expose_provenance();
        // SAFETY: `message` and what it points at live on this stack frame or are borrowed until the call returns, mutably
        // where the kernel writes. It writes the head of `self` together with the descriptors that this counts.
        let got = unsafe { raw(syscalls::Sysno::recvmsg, [int(socket), at, CLOSE_ON_EXEC, 0, 0, 0]) }?;
        let is_whole = (self.level, self.kind) == (1, 1) && message.flags & TRUNCATED == 0;
        if is_whole && self.count() <= MOST { Ok(got) } else { Err(Errno::PIPE) }
    }

    /// The descriptor of this number.
    pub(super) fn get(&self, number: usize) -> Result<Fd> {
        let place = self.fds.get(number).filter(|_| number < self.count()).ok_or(Errno::INVAL)?;
        // SAFETY: `add`, or the kernel in `receive`, has written the first `count` places.
        Ok(unsafe { place.assume_init() })
    }

    /// Closes the sender's own.
    pub(super) fn close(&self) {
        for fd in self.fds.iter().take(self.count()) {
            // SAFETY: `add` has written the first `count` places.
            call::close(unsafe { fd.assume_init() });
        }
    }
}
