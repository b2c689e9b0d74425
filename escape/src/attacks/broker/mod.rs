//! Work against the broker: what it looks at changes, it is kept waiting, interrupted, killed.
//!
//! What namespaces hold anyway proves nothing about it: most rows run on a host that refuses them, where Landlock guards neither
//! attributes nor existence and the broker alone decides. These must get out of a broker that lets calls go on.

mod edges;
mod links;
mod orphan;
mod peer;
mod race;
mod reuse;
mod stall;
mod storm;

use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;

use crate::attack::{Attack, Family};
use crate::attacks::raw;
use crate::canary;
use crate::stage::Stage;

pub(super) const FAMILY: Family = Family {
    title: "N: work against the broker",
    rows: &[
        race::OPEN,
        race::SIZE,
        race::MODE,
        race::PROCESS,
        reuse::NAME,
        reuse::RESULT,
        reuse::DESCRIPTOR,
        peer::ROW,
        links::EXCHANGED,
        links::UPWARDS,
        links::FOLLOWED,
        orphan::PENDING,
        orphan::UNANSWERED,
        storm::ROW,
        stall::ROW,
        edges::ROW,
    ],
};

/// A row about every call by path going through the broker.
const ROW: Attack = Attack { id: "N1", boxes: &["none", "belljar"], ..Attack::ROW };

/// A host that refuses namespaces, where the broker alone answers what Landlock does not guard.
fn alone(stage: &mut Stage) {
    stage.sabotage("userns");
    stage.belljar_flags(&["--trace", "--allow-weaker", "fs", "--allow-weaker", "pids"]);
}

/// The runner's own words, in two files of one name: an empty one in the work folder, one of a size that only the judge knows in
/// the hidden folder. Both belong to whom the box runs as.
struct Bait {
    open: PathBuf,
    hidden: PathBuf,
    /// What it says.
    canary: String,
    size: u64,
}

const NAME: &str = "bait";

fn bait(stage: &Stage) -> io::Result<Bait> {
    let canary = canary::fresh()?;
    let padding = " ".repeat(usize::from(raw::random_port()?));
    let open = stage.work_file(NAME, "")?;
    let hidden = stage.host_file(NAME, &format!("{canary}{padding}"))?;
    if rustix::process::geteuid().is_root() {
        for path in [&open, &hidden] {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
    }
    let size = std::fs::metadata(&hidden)?.size();
    Ok(Bait { open, hidden, canary, size })
}

/// Whom a jar of root runs as.
const NOBODY: u32 = 65_534;

/// Prints a size that is not that of the empty file.
fn show_size(size: u64) -> io::Result<()> {
    if size == 0 { Err(io::Error::other("the empty file")) } else { raw::print(said(size).as_bytes()) }
}

/// A size as attacks print it.
fn said(size: u64) -> String {
    format!("size {size};")
}

/// The size of what a path leads to.
fn size_of(path: *const u8) -> io::Result<u64> {
    let mut words = [0u64; 18];
    raw::sys!(SYS_stat, path, words.as_mut_ptr())?;
    Ok(words[6])
}
