//! S14: puts its own listener under its children.

use std::io;

use super::filter::{LISTENER, Rule, install};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, say, sys, wait};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S14",
    name: "own-notify-listener",
    what: "owns the notification listener of its filters, where a broker's would have to be",
    prepare,
    attack,
    ..Attack::ROW
};

const RECEIVE: u64 = 0xc050_2100;
const SEND: u64 = 0xc018_2101;
/// What the forged call answers.
const FORGED: u64 = 4242;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let listener =
        install(Rule { number: libc::SYS_getppid, verdict: libc::SECCOMP_RET_USER_NOTIF }, LISTENER)?;
    let pid = child(|| match sys!(SYS_getppid)? as u64 {
        FORGED => say(&proof::of(proof::arg(args, 0)?)),
        _ => Err(io::Error::other("the answer was not ours")),
    })?;
    let mut notice = [0u64; 10];
    sys!(SYS_ioctl, listener, RECEIVE, &mut notice)?;
    sys!(SYS_ioctl, listener, SEND, &mut [notice[0], FORGED, 0])?;
    wait(pid).map(|_| ())
}
