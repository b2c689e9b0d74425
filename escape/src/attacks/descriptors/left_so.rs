//! D5: how an open file is waited for belongs to all who share it, also to those who use it when the box is over.

use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const ROW: Attack = Attack {
    id: "D5",
    name: "left-not-waiting",
    what: "leaves the shared input so that the caller's next program is told to come again in place of waiting",
    prepare,
    attack: |_| sys!(SYS_fcntl, 0, libc::F_SETFL, libc::O_NONBLOCK).map(drop),
    ..Attack::ROW
};

pub(super) const OWNER: Attack = Attack {
    name: "left-with-another-owner",
    what: "takes the signals of the shared input from the caller, who waits for one when the box is over",
    prepare: |stage| {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let own = sys!(SYS_getpid)?;
        sys!(SYS_fcntl, read.as_raw_fd(), libc::F_SETOWN, own)?;
        let number = stage.inherit(read.try_clone()?)?;
        stage.through = ["bash", "-c", &format!("\"$@\" <&{number}"), "bash"].map(str::to_owned).into();
        Ok(Box::new(move |_| {
            let owner = sys!(SYS_fcntl, read.as_raw_fd(), libc::F_GETOWN)?;
            drop(write);
            Ok(Judgement::escaped_if(owner != own, "signals of the caller's pipe are not the caller's"))
        }))
    },
    attack: |_| sys!(SYS_fcntl, 0, libc::F_SETOWN, 0).map(drop),
    ..ROW
};

/// The next program is a shell that looks at its input: of the flags, in octal, this one is a 4 at the fourth place.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    let words = format!("\"$@\"; grep -q '^flags:.*4...$' /proc/self/fdinfo/0 && echo {canary}");
    stage.through = ["sh", "-c", &words, "sh"].map(str::to_owned).into();
    Ok(files::not_printed(canary))
}
