use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const ROW: Attack = Attack {
    id: "C8",
    name: "posix-mqueue",
    what: "takes a message out of a POSIX queue of host programs",
    prepare,
    attack,
    ..Attack::ROW
};

/// A queue name of the host, removed at the end.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        drop(sys!(SYS_mq_unlink, &c(&self.0)));
    }
}

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let name = Name(stage.word("queue"));
    let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC;
    let queue = raw::fd(sys!(SYS_mq_open, &c(&name.0), flags, 0o666, 0))?;
    let canary = canary::fresh()?;
    sys!(SYS_mq_timedsend, queue.as_raw_fd(), canary.as_bytes(), canary.len(), 0, 0)?;
    stage.arg(&name.0);
    let judge = files::not_printed(canary);
    Ok(Box::new(move |outcome| {
        let judgement = judge(outcome);
        drop((name, queue));
        judgement
    }))
}

fn attack(args: &[String]) -> io::Result<()> {
    let queue = raw::fd(sys!(SYS_mq_open, &c(raw::text(args, 0)?), libc::O_RDONLY | libc::O_NONBLOCK, 0, 0))?;
    let mut message = vec![0u8; 8192];
    let got = sys!(SYS_mq_timedreceive, queue.as_raw_fd(), message.as_mut_ptr(), message.len(), 0, 0)?;
    raw::print(message.get(..got).unwrap_or_default())
}
