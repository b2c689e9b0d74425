//! The supervisor's end of a filter that hands calls over (`seccomp_unotify(2)`), and the memory of those who made them.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use syscalls::Sysno;

use crate::call::{self, Errno, Fd, Result, int, raw};

/// A call that waits for its answer, as the kernel describes it (`struct seccomp_notif`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// Names the call in answers; never reused while the listener lives.
    pub id: u64,
    /// Thread that made it, numbered as the caller of [`Listener::receive`] sees it; 0 = not visible.
    pub pid: u32,
    /// None defined.
    pub flags: u32,
    /// Number of the call.
    pub nr: i32,
    /// `AUDIT_ARCH_*`.
    pub arch: u32,
    /// Address behind the instruction that entered the kernel.
    pub ip: u64,
    /// Argument registers.
    pub args: [u64; 6],
}
const _: () = assert!(size_of::<Notification>() == Notification::SIZE);

impl Notification {
    /// Bytes of a record.
    pub const SIZE: usize = 80;

    /// Reads a record. Every one has a reading.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::SIZE]) -> Self {
        let four =
            |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        let eight =
            |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        Self {
            id: u64::from_ne_bytes(eight(0)),
            pid: u32::from_ne_bytes(four(8)),
            flags: u32::from_ne_bytes(four(12)),
            nr: i32::from_ne_bytes(four(16)),
            arch: u32::from_ne_bytes(four(20)),
            ip: u64::from_ne_bytes(eight(24)),
            args: [32, 40, 48, 56, 64, 72].map(|at| u64::from_ne_bytes(eight(at))),
        }
    }
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}
const _: () = assert!(size_of::<Response>() == 24);

/// `struct seccomp_notif_addfd`.
#[repr(C)]
struct AddFd {
    id: u64,
    flags: u32,
    source: u32,
    at: u32,
    at_flags: u32,
}
const _: () = assert!(size_of::<AddFd>() == 24);

/// `struct seccomp_notif_sizes`.
#[repr(C)]
struct Sizes {
    notification: u16,
    response: u16,
    data: u16,
}

const RECEIVE: u32 = 0xC050_2100;
const SEND: u32 = 0xC018_2101;
const ID_VALID: u32 = 0x4008_2102;
const ADD_FD: u32 = 0x4018_2103;
const SET_FLAGS: u32 = 0x4008_2104;
const GET_NOTIF_SIZES: usize = 3;
const SYNC_WAKE_UP: usize = 1;
const ADDFD_SETFD: u32 = 1;
const ADDFD_SEND: u32 = 2;

const READABLE: i16 = 1;
const HANG_UP: i16 = 0x10;

/// What [`Listener::arrived`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A call that waits for its answer.
    Call(Notification),
    /// No call waits.
    Nothing,
    /// Nobody is left who could make one.
    Over,
}

/// What a call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This value.
    Value(i64),
    /// This error.
    Error(Errno),
}

/// The supervisor's end of a notifying filter.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
    /// The kernel itself ends a wait for calls when nobody is left who could make one.
    ends: bool,
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Listener {
    /// Takes a listener over.
    ///
    /// # Errors
    /// `EOPNOTSUPP` when this kernel's records are longer than those known here.
    pub fn new(fd: OwnedFd) -> Result<Self> {
        let mut sizes = Sizes { notification: 0, response: 0, data: 0 };
        let at = (&raw mut sizes).expose_provenance();
        // SAFETY: the kernel writes one `Sizes`, which lives until the call returns.
        unsafe { raw(Sysno::seccomp, [GET_NOTIF_SIZES, 0, at, 0, 0, 0]) }?;
        let fits = usize::from(sizes.notification) <= size_of::<Notification>()
            && usize::from(sizes.response) <= size_of::<Response>();
        if !fits {
            return Err(Errno(95));
        }
        // Kernels before 6.6 do not know it; it only saves time.
        call::unheard(call::ioctl(fd.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP));
        Ok(Self { fd, ends: false })
    }

    /// Says whether the kernel ends a wait for calls when nobody is left to make one, as it does from Linux 6.11 on. One
    /// thread then waits with one system call for each call of the jar; without it each takes a poll as well.
    #[must_use]
    pub fn ending(self, ends: bool) -> Self {
        Self { ends, ..self }
    }

    /// Whether a call waits that nobody has received.
    ///
    /// # Errors
    /// The kernel's.
    pub fn is_pending(&self) -> Result<bool> {
        Ok(self.look(0)? & READABLE != 0)
    }

    /// The next call, without waiting for one.
    ///
    /// # Errors
    /// The kernel's, other than interruptions.
    pub fn arrived(&self) -> Result<Arrived> {
        let ready = self.look(0)?;
        if ready & HANG_UP != 0 {
            return Ok(Arrived::Over);
        }
        if ready & READABLE == 0 {
            return Ok(Arrived::Nothing);
        }
        let mut record = [0_u8; Notification::SIZE];
        match call::ioctl_with(self.fd.as_raw_fd(), RECEIVE, &mut record) {
            Ok(_) => Ok(Arrived::Call(Notification::decode(&record))),
            // The kernel counts a call for each that was readable: this fails at once and does not wait for another.
            Err(Errno::INTR | Errno::NOENT) => Ok(Arrived::Nothing),
            Err(errno) => Err(errno),
        }
    }

    /// Waits for the next call; none when nobody is left who could make one.
    ///
    /// # Errors
    /// The kernel's, other than interruptions.
    pub fn receive(&self) -> Result<Option<Notification>> {
        let mut at_once = self.ends;
        loop {
            if !at_once && self.look(if self.ends { 0 } else { -1 })? & HANG_UP != 0 {
                return Ok(None);
            }
            let mut record = [0_u8; Notification::SIZE];
            match call::ioctl_with(self.fd.as_raw_fd(), RECEIVE, &mut record) {
                Ok(_) => return Ok(Some(Notification::decode(&record))),
                // ENOENT: the caller died between its call and now, or the last one did.
                Err(Errno::INTR | Errno::NOENT) => at_once = false,
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Waits that many milliseconds (-1 = for ever) until there is a call or nobody is left.
    fn look(&self, wait: i32) -> Result<i16> {
        #[repr(C)]
        struct PollFd {
            fd: Fd,
            events: i16,
            revents: i16,
        }
        let mut set = PollFd { fd: self.fd.as_raw_fd(), events: READABLE, revents: 0 };
        let at = (&raw mut set).expose_provenance();
        // SAFETY: one `PollFd`, which lives until the call returns.
        match unsafe { raw(Sysno::poll, [at, 1, int(wait), 0, 0, 0]) } {
            Ok(_) => Ok(set.revents),
            Err(Errno::INTR) => Ok(0),
            Err(errno) => Err(errno),
        }
    }

    /// Whether the call still waits. Asked after each look at its maker's memory: a thread's number can be given to another
    /// once it is dead.
    #[must_use]
    pub fn is_valid(&self, id: u64) -> bool {
        let mut id = id;
        call::ioctl_with(self.fd.as_raw_fd(), ID_VALID, &mut id).is_ok()
    }

    /// Ends the wait of a call with a value or an error.
    ///
    /// # Errors
    /// `ENOENT` when it does not wait any more.
    pub fn answer(&self, id: u64, answer: Answer) -> Result<()> {
        let (value, error) = match answer {
            Answer::Value(value) => (value, 0),
            // 0 would be a success that nobody decided on.
            Answer::Error(Errno(errno)) => (0, if (1..4096).contains(&errno) { errno } else { 13 }),
        };
        let mut response = Response { id, value, error: error.wrapping_neg(), flags: 0 };
        call::ioctl_with(self.fd.as_raw_fd(), SEND, &mut response).map(drop)
    }

    /// Lets the kernel carry the call out as its maker's memory says by then. Only for calls that are their maker's to make
    /// whatever that says: nothing about them is decided. Tests build a broker that does so with others, and show that their
    /// attacks get out of it.
    ///
    /// # Errors
    /// `ENOENT` when it does not wait any more.
    pub fn let_through(&self, id: u64) -> Result<()> {
        const CONTINUE: u32 = 1;
        let mut response = Response { id, value: 0, error: 0, flags: CONTINUE };
        call::ioctl_with(self.fd.as_raw_fd(), SEND, &mut response).map(drop)
    }

    /// Gives the caller a copy of `fd` under the lowest free number, which its call returns.
    ///
    /// # Errors
    /// `ENOENT` when the call does not wait any more, `EMFILE` when its maker may have no more descriptors.
    pub fn answer_fd(&self, id: u64, fd: BorrowedFd<'_>, close_on_exec: bool) -> Result<()> {
        let at_flags = if close_on_exec { linux_raw_sys::general::O_CLOEXEC } else { 0 };
        let source = fd.as_raw_fd().unsigned_abs();
        let mut add = AddFd { id, flags: ADDFD_SEND, source, at: 0, at_flags };
        call::ioctl_with(self.fd.as_raw_fd(), ADD_FD, &mut add).map(drop)
    }

    /// Gives the caller `fd` and closes it here before its call returns: a file that somebody else has open for writing
    /// cannot be run. Nothing comes between the steps but the caller's end, since a call that was received waits for fatal
    /// signals alone.
    ///
    /// # Errors
    /// As for [`answer_fd`](Self::answer_fd).
    pub fn hand_fd(&self, id: u64, fd: OwnedFd, close_on_exec: bool) -> Result<()> {
        let at_flags = if close_on_exec { linux_raw_sys::general::O_CLOEXEC } else { 0 };
        let mut add = AddFd { id, flags: 0, source: fd.as_raw_fd().unsigned_abs(), at: 0, at_flags };
        let number = call::ioctl_with(self.fd.as_raw_fd(), ADD_FD, &mut add)?;
        drop(fd);
        self.answer(id, Answer::Value(i64::try_from(number).map_err(|_| Errno::INVAL)?))
    }

    /// Puts a copy of `fd` in the place of what the caller has under number `at`. Its call still waits.
    ///
    /// # Errors
    /// `ENOENT` when the call does not wait any more.
    pub fn replace_fd(&self, id: u64, fd: BorrowedFd<'_>, at: i32, close_on_exec: bool) -> Result<()> {
        let at_flags = if close_on_exec { linux_raw_sys::general::O_CLOEXEC } else { 0 };
        let (source, at) = (fd.as_raw_fd().unsigned_abs(), at.unsigned_abs());
        let mut add = AddFd { id, flags: ADDFD_SETFD, source, at, at_flags };
        call::ioctl_with(self.fd.as_raw_fd(), ADD_FD, &mut add).map(drop)
    }
}

/// Reads from the memory of another process; stops short where nothing is mapped. The caller asks afterwards whether the
/// call [is still valid](Listener::is_valid).
///
/// # Errors
/// `EFAULT` when not even the first byte can be read, `EPERM` without power over the process, `ESRCH` when it is gone.
pub fn read_memory(pid: u32, address: u64, into: &mut [u8]) -> Result<usize> {
    #[repr(C)]
    struct Piece {
        base: u64,
        len: u64,
    }
    let length = u64::try_from(into.len()).unwrap_or(0);
    let base = u64::try_from(into.as_mut_ptr().expose_provenance()).unwrap_or(0);
    let local = Piece { base, len: length };
    let remote = Piece { base: address, len: length };
    let pid = usize::try_from(pid).map_err(|_| Errno::INVAL)?;
    let args =
        [pid, (&raw const local).expose_provenance(), 1, (&raw const remote).expose_provenance(), 1, 0];
    // SAFETY: the kernel writes at most `length` bytes to `into`, which is borrowed for the call; the remote address is a
    // number to it, which it checks.
    unsafe { raw(Sysno::process_vm_readv, args) }
}

/// The memory of one process, for writing answers into it: bound to that memory, not to a number that can be reused.
#[derive(Debug)]
pub struct Memory {
    file: File,
}

impl Memory {
    /// Opens the memory of a thread's process. The caller asks afterwards whether the call is still valid.
    ///
    /// # Errors
    /// `EACCES` without power over the process, `ENOENT` when it is gone.
    pub fn open(pid: u32) -> std::io::Result<Self> {
        let file = File::options().read(true).write(true).open(std::format!("/proc/{pid}/mem"))?;
        Ok(Self { file })
    }

    /// Writes all of `bytes` at `address`.
    ///
    /// # Errors
    /// `EFAULT` or `EIO` where nothing is mapped.
    pub fn write(&self, address: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all_at(bytes, address)
    }
}

/// Gives this thread a current folder and a file mode mask of its own.
///
/// # Errors
/// The kernel's.
pub fn own_mask() -> Result<()> {
    const CLONE_FS: usize = 0x200;
    // SAFETY: no pointer.
    unsafe { raw(Sysno::unshare, [CLONE_FS, 0, 0, 0, 0, 0]) }.map(drop)
}

/// From now on this thread uses files as this user, without a capability but the one to look at processes of other user
/// namespaces. The process keeps its own user: the jar, which may have the same one, cannot reach it.
///
/// # Errors
/// `EPERM` without the power to change users.
pub fn files_as(uid: u32, gid: u32) -> Result<()> {
    const SYS_PTRACE: u32 = 1 << 19;
    call::drop_groups()?;
    // Both answer with the former id and fail silently: a second call tells.
    for (number, id) in [(Sysno::setfsgid, gid), (Sysno::setfsuid, uid)] {
        let args = [call::word(id), 0, 0, 0, 0, 0];
        // SAFETY: no pointer.
        unsafe { raw(number, args) }?;
        // SAFETY: no pointer.
        let now = unsafe { raw(number, args) }?;
        if now != call::word(id) {
            return Err(Errno::PERM);
        }
    }
    call::keep_capabilities(SYS_PTRACE)
}
