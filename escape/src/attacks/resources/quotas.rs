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

/// Tries the same outside while the box runs; `refused` must stay false.
fn denied(stage: &mut Stage, evidence: &'static str, refused: fn() -> bool) -> io::Result<Judge> {
    if refused() {
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

fn tiny_pipe() -> bool {
    let mut ends = [0i32; 2];
    let size = sys!(SYS_pipe2, &mut ends, 0).and_then(|_| sys!(SYS_fcntl, ends[0], libc::F_GETPIPE_SZ));
    size.is_ok_and(|size| size < 65536)
}

fn no_timer() -> bool {
    let mut id = [0i32; 1];
    sys!(SYS_timer_create, libc::CLOCK_MONOTONIC, 0, &mut id).is_err()
}
