//! R5: more processor time than allowed.

use std::io;
use std::time::Duration;

use super::measure;
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, in_child, nap, sys, wait};
use crate::stage::Stage;

/// One second and room for the start and a coarse clock, in ticks of 10 ms.
const ALLOWED: u64 = 220;

const ROW: Attack = Attack { id: "R5", prepare, ..Attack::ROW };

pub(super) const ALONE: Attack = Attack {
    name: "cpu-alone",
    what: "computes longer than it may, deaf to the signal that says so",
    attack: |_| {
        sys!(SYS_rt_sigaction, libc::SIGXCPU, &[libc::SIG_IGN, 0, 0, 0], 0, 8)?;
        drop(sys!(SYS_prlimit64, 0, libc::RLIMIT_CPU, &[u64::MAX, u64::MAX], 0));
        burn(3500)
    },
    ..ROW
};

pub(super) const IN_TURN: Attack = Attack {
    name: "cpu-in-turn",
    what: "computes longer than it may by starting a fresh child before each limit",
    attack: |_| (0..5).try_for_each(|_| in_child(|| burn(800))),
    ..ROW
};

pub(super) const TOGETHER: Attack = Attack {
    name: "cpu-together",
    what: "computes longer than it may in several children at once",
    attack: |_| {
        let pids: io::Result<Vec<i32>> = (0..5).map(|_| child(|| burn(800))).collect();
        pids?.into_iter().try_for_each(|pid| wait(pid).map(drop))?;
        nap(100);
        Ok(())
    },
    ..ROW
};

pub(super) const UNCOLLECTED: Attack = Attack {
    name: "cpu-uncollected",
    what: "computes longer than it may in children whose time the kernel drops, because nobody waits for them",
    prepare: |stage| {
        stage.belljar_flags(&["--cpu", "1s"]);
        stage.time = Duration::from_secs(60);
        Ok(measure::seen_ticks(stage, ALLOWED))
    },
    attack: |_| {
        sys!(SYS_rt_sigaction, libc::SIGCHLD, &[libc::SIG_IGN, 0, 0, 0], 0, 8)?;
        for _ in 0..5 {
            let pid = child(|| burn(700))?;
            // Fails when the child is gone.
            drop(wait(pid));
        }
        Ok(())
    },
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["--cpu", "1s"]);
    // Four seconds of a processor, which a busy machine gives in many more.
    stage.time = Duration::from_secs(60);
    Ok(measure::at_most(stage, ALLOWED, |tree| tree.ticks, "ticks of processor time"))
}

/// Computes until this process has used so much time.
fn burn(milliseconds: u64) -> io::Result<()> {
    let mut word = 1u64;
    let mut used = [0u64; 2];
    while used[0] * 1000 + used[1] / 1_000_000 < milliseconds {
        for _ in 0..100_000 {
            word = std::hint::black_box(word.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word >> 7);
        }
        sys!(SYS_clock_gettime, libc::CLOCK_PROCESS_CPUTIME_ID, &mut used)?;
    }
    Ok(())
}
