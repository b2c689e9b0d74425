//! R5, R6, N3: goes on after the time is up, after the program's end, after the supervisor's end.

use std::io;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, leave, nap, ready, sys};
use crate::attacks::proof;
use crate::files;
use crate::outcome::Judgement;
use crate::processes;
use crate::stage::Stage;

const ROW: Attack = Attack { id: "R5", prepare: with_limit, ..Attack::ROW };

pub(super) const DEAF: Attack = Attack {
    name: "time-deaf",
    what: "goes on after its time is up because it ignores every signal that it can",
    attack: |args| {
        deaf();
        write_late(args)
    },
    ..ROW
};

pub(super) const STOPPED: Attack = Attack {
    name: "time-stopped",
    what: "stops itself, so that a polite end never arrives, and is woken by a child after its time is up",
    attack: |args| {
        let me = sys!(SYS_getpid)?;
        child(|| {
            deaf();
            nap(proof::number(args, 1)?);
            sys!(SYS_kill, me, libc::SIGCONT).map(drop)
        })?;
        sys!(SYS_kill, me, libc::SIGSTOP)?;
        write_late(args)
    },
    ..ROW
};

pub(super) const DAEMON: Attack = Attack {
    name: "time-daemon",
    what: "leaves a process in a session of its own that goes on after the time is up",
    attack: |args| {
        daemon(|| write_late(args))?;
        nap(proof::number::<u64>(args, 1)? + 500);
        Ok(())
    },
    ..ROW
};

const LEFT: Attack = Attack { id: "R6", prepare: survivors, ..Attack::ROW };

pub(super) const ORPHAN: Attack = Attack {
    name: "orphan-after-end",
    what: "leaves a process behind when the program ends",
    attack: |_| daemon(linger),
    ..LEFT
};

pub(super) const SIBLING: Attack = Attack {
    name: "sibling-after-end",
    what: "leaves a process behind that counts as a child of its parent",
    attack: |_| match sys!(SYS_clone, libc::CLONE_PARENT | libc::SIGCHLD, 0, 0, 0, 0)? {
        0 => {
            drop(linger());
            leave(0)
        }
        _ => Ok(()),
    },
    ..LEFT
};

const KILLED: Attack = Attack { id: "N3", prepare: supervisor_killed, ..Attack::ROW };

pub(super) const MAIN_SURVIVES: Attack = Attack {
    name: "supervisor-killed",
    what: "goes on without supervision after the supervisor was killed",
    attack: |_| {
        child(linger)?;
        linger_ready()
    },
    ..KILLED
};

pub(super) const DAEMON_SURVIVES: Attack = Attack {
    name: "supervisor-killed-daemon",
    what: "leaves a process in a session of its own that survives the supervisor",
    attack: |_| {
        daemon(linger)?;
        linger_ready()
    },
    ..KILLED
};

pub(super) const STOPPED_SURVIVES: Attack = Attack {
    name: "supervisor-killed-stopped",
    what: "leaves stopped processes that survive the supervisor",
    attack: |_| {
        daemon(|| {
            sys!(SYS_kill, sys!(SYS_getpid)?, libc::SIGSTOP)?;
            linger()
        })?;
        linger_ready()
    },
    ..KILLED
};

pub(super) const FIRST_STOPPED: Attack = Attack {
    name: "supervisor-killed-first-stopped",
    what: "survives the supervisor: the box's first process is stopped when the supervisor is killed",
    prepare: |stage| {
        killed_after(stage, |pid| {
            for process in processes::descendants(pid).iter().filter(|process| process.parent == pid) {
                drop(sys!(SYS_kill, process.pid, libc::SIGSTOP));
            }
        })
    },
    ..MAIN_SURVIVES
};

pub(super) const STARTER_KILLED: Attack = Attack {
    name: "starter-stopped",
    what: "stops or kills the box's own first process, so that nobody is left to end it",
    attack: |_| {
        for pid in crate::attacks::target::started_by()? {
            for signal in [libc::SIGSTOP, libc::SIGKILL, libc::SIGHUP, libc::SIGTERM] {
                drop(sys!(SYS_kill, pid, signal));
            }
        }
        daemon(linger)
    },
    ..LEFT
};

fn with_limit(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["-t", "1s"]);
    let path = stage.work.join("late");
    stage.path_arg(&path);
    stage.late();
    Ok(files::absent(path))
}

fn survivors(_: &mut Stage) -> io::Result<Judge> {
    Ok(Box::new(|outcome| {
        Ok(Judgement::escaped_if(
            !outcome.survivors.is_empty(),
            "a process of the box was still there a second later",
        ))
    }))
}

fn supervisor_killed(stage: &mut Stage) -> io::Result<Judge> {
    killed_after(stage, |_| ())
}

/// Something is done to the box beforehand.
fn killed_after(stage: &mut Stage, before: fn(u32)) -> io::Result<Judge> {
    let ready = stage.is_ready();
    stage.watches.push(Box::new(move |pid| {
        if ready.get() {
            before(pid);
            // It may be gone already, which is the same to the judge.
            drop(processes::end(pid));
        }
    }));
    survivors(stage)
}

fn write_late(args: &[String]) -> io::Result<()> {
    nap(proof::number(args, 1)?);
    std::fs::write(Path::new(proof::arg(args, 0)?), "late")
}

/// Lives on for a while, deaf, and not bound to anybody's death.
fn linger() -> io::Result<()> {
    deaf();
    drop(sys!(SYS_prctl, libc::PR_SET_PDEATHSIG, 0));
    nap(20_000);
    Ok(())
}

/// The same, and says so when those started before had their time to become so.
fn linger_ready() -> io::Result<()> {
    nap(100);
    ready()?;
    linger()
}

/// A grandchild in its own session whose parent is gone.
fn daemon(work: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let between = child(|| {
        drop(sys!(SYS_setsid));
        child(&work).map(drop)
    })?;
    crate::attacks::kernel::wait(between).map(drop)
}

fn deaf() {
    for signal in 1..=64 {
        drop(sys!(SYS_rt_sigaction, signal, &[libc::SIG_IGN, 0, 0, 0], 0, 8));
    }
}
