//! P1: races renames against its own walk upwards inside a grant.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::attacks::target::print_file;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "P1",
    name: "dot-dot-race",
    what: "renames folders while another thread walks upwards through them, until the walk leaves the grant",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (_, judge) = stage.secret("secret")?;
    stage.race();
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    fs::create_dir_all("deep/a/b/c")?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                drop(fs::rename("deep/a/b/c", "c"));
                drop(fs::rename("c", "deep/a/b/c"));
            }
        });
        let end = Instant::now() + Duration::from_millis(proof::number(args, 0)?);
        let mut last = Err(io::Error::other("never left"));
        while last.is_err() && Instant::now() < end {
            last = print_file(Path::new("deep/a/b/c/../../../../../host/secret"));
        }
        stop.store(true, Ordering::Relaxed);
        last
    })
}
