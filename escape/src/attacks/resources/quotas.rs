//! R9: what the kernel counts per user, inside and outside together.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, nap, sys};
use crate::attacks::reached;
use crate::needs;
use crate::stage::Stage;

const ROW: Attack = Attack { id: "R9", ..Attack::ROW };

pub(super) const INOTIFY: Attack = Attack {
    name: "inotify-quota",
    what: "takes all file watchers of the user, so that programs outside get none",
    prepare: |stage| {
        denied(stage, "a program of the same user outside gets no inotify instance", || {
            sys!(SYS_inotify_init1, 0).is_err()
        })
    },
    attack: |_| {
        // Other programs of the host give some back meanwhile.
        for _ in 0..30 {
            while sys!(SYS_inotify_init1, 0).is_ok() {}
            nap(10);
        }
        Ok(())
    },
    ..ROW
};

pub(super) const PIPES: Attack = Attack {
    name: "pipe-quota",
    what: "takes all pipe memory of the user, so that programs outside get the smallest pipes",
    prepare: |stage| denied(stage, "a program of the same user outside gets tiny pipes", tiny_pipe),
    attack: |_| {
        for _ in 0..4 {
            child(take_pipes)?;
        }
        take_pipes()
    },
    needs: &[&needs::ORDINARY_USER],
    ..ROW
};

pub(super) const SIGNALS: Attack = Attack {
    name: "signal-quota",
    what: "takes all queued signals of the user, so that timers of programs outside cannot start",
    prepare: |stage| denied(stage, "a program of the same user outside gets no timer", no_timer),
    attack: |_| {
        let me = sys!(SYS_getpid)?;
        let queued = 33u64;
        sys!(SYS_rt_sigprocmask, libc::SIG_BLOCK, &[1u64 << queued], 0, 8)?;
        drop(sys!(SYS_prlimit64, 0, libc::RLIMIT_SIGPENDING, &[u64::MAX, u64::MAX], 0));
        let notice = [u64::from(34u32), u64::from(u32::MAX), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        while sys!(SYS_rt_sigqueueinfo, me, 34, &notice).is_ok() {}
        nap(300);
        Ok(())
    },
    ..ROW
};

pub(super) const IN_FLIGHT: Attack = Attack {
    name: "flight-quota",
    what: "sends so many descriptors that nobody takes that programs of the user outside cannot send one",
    prepare: |stage| {
        denied(stage, "a program of the same user outside cannot send a descriptor", cannot_send)
    },
    attack: |_| send_all(),
    needs: &[&needs::ORDINARY_USER],
    ..ROW
};

pub(super) const FEWER_IN_FLIGHT: Attack = Attack {
    name: "flight-quota-under-files",
    what: "sends as many descriptors that nobody takes as a limit of 128 open files leaves it, for the same end",
    prepare: |stage| {
        stage.belljar_flags(&["--files", "128"]);
        (IN_FLIGHT.prepare)(stage)
    },
    ..IN_FLIGHT
};

/// More terminals than a jar gets, and what the attack stops at: other attacks need some meanwhile.
const TERMINALS: u64 = 350;
const MANY_TERMINALS: usize = 500;

pub(super) const PTYS: Attack = Attack {
    name: "terminal-quota",
    what: "takes all pseudo terminals that the kernel has for boxes, so that others get none",
    prepare: |stage| {
        let before = terminals();
        let hit = Rc::new(Cell::new(false));
        let judge = reached::unless(Rc::clone(&hit), "hundreds of terminals are taken");
        stage.watches.push(Box::new(move |_| hit.set(hit.get() || terminals() > before + TERMINALS)));
        Ok(judge)
    },
    attack: |_| {
        all_descriptors();
        for _ in 0..MANY_TERMINALS {
            drop(sys!(SYS_openat, libc::AT_FDCWD, c"/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY, 0));
        }
        nap(400);
        Ok(())
    },
    ..ROW
};

/// Tries the same outside while the box runs; `refused` must stay false.
pub(super) fn denied(stage: &mut Stage, evidence: &'static str, refused: fn() -> bool) -> io::Result<Judge> {
    if tried(refused) {
        return Err(io::Error::other("the quota is used up before the attack"));
    }
    let hit = Rc::new(Cell::new(false));
    let judge = reached::unless(Rc::clone(&hit), evidence);
    stage.watches.push(Box::new(move |_| hit.set(hit.get() || tried(refused))));
    Ok(judge)
}

/// In a child, so that what the attempt opens is closed again.
fn tried(refused: fn() -> bool) -> bool {
    let attempt = || if refused() { Err(io::Error::other("refused")) } else { Ok(()) };
    crate::attacks::kernel::in_child(attempt).is_err()
}

fn take_pipes() -> io::Result<()> {
    for _ in 0..400 {
        let mut ends = [0i32; 2];
        sys!(SYS_pipe2, &mut ends, 0)?;
        drop(sys!(SYS_fcntl, ends[0], libc::F_SETPIPE_SZ, 1 << 20));
    }
    nap(400);
    Ok(())
}

fn terminals() -> u64 {
    let text = std::fs::read_to_string("/proc/sys/kernel/pty/nr").unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// As many descriptors as it may have.
fn all_descriptors() {
    let mut limit = [0u64; 2];
    if sys!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, 0, &mut limit).is_ok() {
        limit[0] = limit[1];
        drop(sys!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, &limit, 0));
    }
}

/// Most descriptors in one message.
const MOST: usize = 253;

/// Messages that are enough for a sender with [`SENDER`], and too few for others who run meanwhile.
const MESSAGES: usize = 3;
const SENDER: u64 = 512;

fn send_all() -> io::Result<()> {
    all_descriptors();
    let pair = pair()?;
    for _ in 0..MESSAGES {
        drop(send(pair, MOST));
    }
    nap(600);
    Ok(())
}

/// The kernel compares what is on its way with the sender's own limit of descriptors.
fn cannot_send() -> bool {
    drop(sys!(SYS_prlimit64, 0, libc::RLIMIT_NOFILE, &[SENDER, SENDER], 0));
    pair().and_then(|pair| send(pair, 1)).is_err()
}

fn pair() -> io::Result<[i32; 2]> {
    let mut pair = [0i32; 2];
    sys!(SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, &mut pair)?;
    Ok(pair)
}

/// Sends so many copies of an end of the pair through it.
fn send(pair: [i32; 2], count: usize) -> io::Result<()> {
    let mut control = vec![0u8; 16 + (count * 4).next_multiple_of(8)];
    let length = 16 + count * 4;
    control[..8].copy_from_slice(&(length as u64).to_ne_bytes());
    control[8..12].copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
    control[12..16].copy_from_slice(&libc::SCM_RIGHTS.to_ne_bytes());
    control[16..length].chunks_exact_mut(4).for_each(|slot| slot.copy_from_slice(&pair[1].to_ne_bytes()));
    let byte = [1u8];
    let part = [byte.as_ptr().expose_provenance(), 1];
    let message =
        [0, 0, part.as_ptr().expose_provenance(), 1, control.as_ptr().expose_provenance(), control.len(), 0];
    sys!(SYS_sendmsg, pair[0], &message, libc::MSG_DONTWAIT).map(drop)
}

fn tiny_pipe() -> bool {
    let mut ends = [0i32; 2];
    let size = sys!(SYS_pipe2, &mut ends, 0).and_then(|_| sys!(SYS_fcntl, ends[0], libc::F_GETPIPE_SZ));
    size.is_ok_and(|size| size < 65536)
}

fn no_timer() -> bool {
    let mut id = [0i32; 1];
    sys!(SYS_timer_create, libc::CLOCK_MONOTONIC, 0, &mut id).is_err()
}
