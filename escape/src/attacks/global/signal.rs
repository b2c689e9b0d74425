use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::judges;
use crate::stage::Stage;

/// One way to reach a process by its number.
macro_rules! signal {
    ($name:literal, $what:literal, $attack:expr) => {
        Attack {
            id: "C8",
            name: $name,
            what: $what,
            prepare,
            attack: |args| $attack(raw::number(args, 0)?),
            ..Attack::ROW
        }
    };
}

pub(super) const KILL: Attack = signal!("kill-host-pid", "kills a host process by number", |pid: i32| {
    sys!(SYS_kill, pid, libc::SIGKILL).map(drop)
});
pub(super) const TGKILL: Attack =
    signal!("tgkill-host-pid", "kills a thread of a host process by number", |pid: i32| {
        sys!(SYS_tgkill, pid, pid, libc::SIGKILL).map(drop)
    });
pub(super) const QUEUE: Attack =
    signal!("sigqueue-host-pid", "kills a host process with a queued signal", |pid: i32| {
        // SAFETY: all zero is a valid siginfo.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        info.si_signo = libc::SIGKILL;
        info.si_code = -1;
        sys!(SYS_rt_sigqueueinfo, pid, libc::SIGKILL, &raw mut info).map(drop)
    });
pub(super) const PIDFD: Attack =
    signal!("pidfd-kill-host-pid", "opens a handle of a host process and kills it", |pid: i32| {
        let handle = sys!(SYS_pidfd_open, pid, 0)?;
        sys!(SYS_pidfd_send_signal, handle, libc::SIGKILL, 0, 0).map(drop)
    });
pub(super) const STOP: Attack =
    signal!("stop-host-pid", "stops a host process without killing it", |pid: i32| {
        sys!(SYS_kill, pid, libc::SIGSTOP).map(drop)
    });
pub(super) const GROUP: Attack =
    signal!("kill-host-group", "kills a whole process group of the host", |pid: i32| {
        sys!(SYS_kill, -pid, libc::SIGKILL).map(drop)
    });

pub(super) const OWNER: Attack = signal!(
    "socket-owner-host-pid",
    "makes a host process the owner of a socket that signals",
    |pid: i32| { signalled(|socket| sys!(SYS_fcntl, socket, libc::F_SETOWN, pid)) }
);
pub(super) const OWNER_IOCTL: Attack =
    signal!("socket-owner-ioctl-host-pid", "the same by the request of sockets", |pid: i32| {
        signalled(|socket| sys!(SYS_ioctl, socket, FIOSETOWN, &raw const pid))
    });

const FIOSETOWN: libc::c_ulong = 0x8901;

/// What comes in at one end of a pair is signalled to the owner of that end: SIGIO, which ends a process.
fn signalled(own: impl FnOnce(i32) -> io::Result<usize>) -> io::Result<()> {
    let (end, other) = UnixStream::pair()?;
    own(end.as_raw_fd())?;
    sys!(SYS_fcntl, end.as_raw_fd(), libc::F_SETFL, libc::O_ASYNC)?;
    (&other).write_all(b"x")
}

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let pid = stage.victim(&[])?;
    stage.arg(pid);
    Ok(judges::alive(pid))
}
