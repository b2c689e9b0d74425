//! R2: more memory than allowed, of each kind.

use std::io;

use super::huge;
use super::measure::{self, MIB};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Page, child, nap, small, sys};
use crate::stage::Stage;

/// What the box is told.
const LIMIT: &str = "64M";
/// Twice that, for what the box itself and the program need.
const ALLOWED: u64 = 128 * MIB;
/// Where the attack stops by itself.
const ENOUGH: usize = 320 << 20;
const BOTH: i32 = libc::PROT_READ | libc::PROT_WRITE;
/// Makes the kernel provide the pages at once.
const FILLED: i32 = libc::MAP_POPULATE;

const ROW: Attack = Attack {
    id: "R2",
    what: "takes more memory than it may, until the host has none left",
    prepare,
    ..Attack::ROW
};

pub(super) const PRIVATE: Attack = Attack {
    name: "memory-private",
    attack: |_| hold(Page::new(ENOUGH, BOTH, libc::MAP_PRIVATE | FILLED)),
    ..ROW
};

pub(super) const PIECES: Attack = Attack {
    name: "memory-in-pieces",
    attack: |_| {
        hold(
            (0..ENOUGH >> 20)
                .try_for_each(|_| Page::new(1 << 20, BOTH, libc::MAP_PRIVATE | FILLED).map(drop)),
        )
    },
    ..ROW
};

pub(super) const SHARED: Attack = Attack {
    name: "memory-shared",
    attack: |_| hold(Page::new(ENOUGH, BOTH, libc::MAP_SHARED | FILLED)),
    ..ROW
};

pub(super) const CHILDREN: Attack = Attack {
    name: "memory-by-children",
    attack: |_| {
        for _ in 0..8 {
            child(|| hold(Page::new(ENOUGH / 8, BOTH, libc::MAP_PRIVATE | FILLED)))?;
        }
        nap(1200);
        Ok(())
    },
    ..ROW
};

pub(super) const MEMFD: Attack = Attack {
    name: "memory-by-memfd",
    attack: |_| {
        let fd = sys!(SYS_memfd_create, c"escape", 0)?;
        hold(fill(small(fd)?))
    },
    ..ROW
};

pub(super) const SEGMENT: Attack = Attack {
    name: "memory-by-shmget",
    attack: |_| {
        let id = sys!(SYS_shmget, libc::IPC_PRIVATE, ENOUGH, 0o600)?;
        let at = sys!(SYS_shmat, id, 0, 0)?;
        drop(sys!(SYS_shmctl, id, libc::IPC_RMID, 0));
        hold(sys!(SYS_madvise, at, ENOUGH, libc::MADV_POPULATE_WRITE))
    },
    ..ROW
};

pub(super) const SHM_FILE: Attack = Attack {
    name: "memory-by-dev-shm",
    attack: |_| {
        let fd = sys!(SYS_openat, libc::AT_FDCWD, c"/dev/shm", libc::O_TMPFILE | libc::O_RDWR, 0o600)?;
        hold(fill(small(fd)?))
    },
    ..ROW
};

pub(super) const HUGE: Attack = Attack {
    name: "memory-huge-pages",
    prepare: |stage| {
        let pool = huge::pool()?;
        let judge = prepare(stage)?;
        Ok(Box::new(move |outcome| {
            // The pool stays until the verdict.
            let _kept = &pool;
            judge(outcome)
        }))
    },
    attack: |_| {
        let page = || Page::new(2 << 20, BOTH, libc::MAP_SHARED | libc::MAP_HUGETLB | FILLED);
        hold((0..ENOUGH >> 21).try_for_each(|_| page().map(drop)))
    },
    needs: &[&huge::POOL],
    ..ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    stage.belljar_flags(&["-m", LIMIT]);
    Ok(measure::at_most(stage, ALLOWED, |tree| tree.memory, "bytes"))
}

/// Writes zeros until enough or refused.
pub(super) fn fill(fd: i32) -> io::Result<()> {
    let block = vec![0u8; 1 << 20];
    for _ in 0..ENOUGH >> 20 {
        sys!(SYS_write, fd, block.as_ptr(), block.len())?;
    }
    Ok(())
}

/// Keeps what it got for a while, all of it or not.
pub(super) fn hold<T>(taken: io::Result<T>) -> io::Result<()> {
    nap(600);
    taken.map(drop)
}
