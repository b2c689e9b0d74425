//! B11: a right of one jar is used by another: the channel of its requests, found and opened from there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use super::requests::{SAVE_AS, argument, frame};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::nap;
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
    stage.arg(other);
    Ok(files::absent(saved.join("stolen")))
}

/// The other jar's processes are told; in a box they may have other numbers, so all are tried.
fn attack(_: &[String]) -> io::Result<()> {
    let frames = [frame(1, SAVE_AS, 1, &argument("stolen")), frame(2, 0, 1, b"text"), frame(3, 0, 1, b"")];
    let mut last = Err(io::Error::other("no channel"));
    for entry in fs::read_dir("/proc")?.flatten() {
        let process = entry.path();
        let mut ways = vec![process.join("root").join(CHANNEL)];
        ways.extend(fs::read_dir(process.join("fd")).into_iter().flatten().flatten().map(|fd| fd.path()));
        let fifo = |way: &std::path::PathBuf| {
            way.ends_with(CHANNEL) || fs::read_link(way).is_ok_and(|to| to.ends_with("requests"))
        };
        for way in ways.into_iter().filter(fifo) {
            let opened = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(way);
            last = opened
                .and_then(|mut channel| frames.iter().try_for_each(|frame| channel.write_all(frame)))
                .or(last);
        }
    }
    nap(500);
    last
}
