//! B11: a right of one jar is used by another: the channel of its requests, found and opened from there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::requests::{SAVE_AS, argument, frame};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::nap;
use crate::attacks::proof;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "B11",
    name: "channel-of-another-jar",
    what: "has a file saved by the supervisor of another jar, whose channel for requests it finds among its processes",
    prepare,
    attack,
    ..Attack::ROW
};

/// In a jar that may save.
const CHANNEL: &str = "run/belljar/channel/requests";

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let saved = stage.host.join("saved");
    fs::create_dir(&saved)?;
    let other = stage.other_jar(&["--action", &format!("save-as={}", saved.display())])?;
    let channel = ways(Path::new("/proc").join(other.to_string()))
        .find_map(|way| fs::metadata(way).ok())
        .ok_or_else(|| io::Error::other("the other jar has no channel"))?;
    stage.arg(other);
    stage.arg(channel.dev());
    stage.arg(channel.ino());
    Ok(files::absent(saved.join("stolen")))
}

/// The other jar's processes may have other numbers in a box, so all are tried. Its channel is known by its inode: jars of
/// attacks that run beside this one may save as well.
fn attack(args: &[String]) -> io::Result<()> {
    let frames = [frame(1, SAVE_AS, 1, &argument("stolen")), frame(2, 0, 1, b"text"), frame(3, 0, 1, b"")];
    let (device, inode) = (proof::number(args, 1)?, proof::number(args, 2)?);
    let of_the_other = |way: &PathBuf| {
        fs::metadata(way).is_ok_and(|channel| (channel.dev(), channel.ino()) == (device, inode))
    };
    let mut last = Err(io::Error::other("no channel"));
    for way in fs::read_dir("/proc")?.flatten().flat_map(|entry| ways(entry.path())).filter(of_the_other) {
        let opened = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(way);
        last = opened
            .and_then(|mut channel| frames.iter().try_for_each(|frame| channel.write_all(frame)))
            .or(last);
    }
    nap(500);
    last
}

/// Paths that lead to a channel by way of one process.
fn ways(process: PathBuf) -> impl Iterator<Item = PathBuf> {
    let held = fs::read_dir(process.join("fd")).into_iter().flatten().flatten().map(|fd| fd.path());
    let held = held.filter(|way| fs::read_link(way).is_ok_and(|to| to.ends_with("requests")));
    [process.join("root").join(CHANNEL)].into_iter().chain(held)
}
