use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::canary;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "L4",
    name: "inotify-hidden",
    what: "watches a hidden folder and learns the names that host programs use in it",
    prepare,
    attack,
    control: Control::Landlock,
    ..Attack::ROW
};

/// While the box runs, the runner touches a file with a secret name.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let folder = stage.host.clone();
    stage.path_arg(&folder);
    let path = folder.join(&canary);
    stage.watches.push(Box::new(move |_| drop(fs::write(&path, "x"))));
    Ok(files::not_printed(canary))
}

fn attack(args: &[String]) -> io::Result<()> {
    let watch = raw::fd(sys!(SYS_inotify_init1, libc::IN_NONBLOCK))?;
    let events = libc::IN_CREATE | libc::IN_MODIFY | libc::IN_OPEN | libc::IN_CLOSE;
    sys!(SYS_inotify_add_watch, watch.as_raw_fd(), &c(raw::text(args, 0)?), events)?;
    raw::pause(200)?;
    let mut block = [0u8; 4096];
    let got = sys!(SYS_read, watch.as_raw_fd(), block.as_mut_ptr(), block.len())?;
    raw::print(block.get(..got).unwrap_or_default())
}
