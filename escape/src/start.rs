//! The shell around a box: own session, perhaps a controlling terminal, then the box.
//!
//! With a terminal it behaves like an interactive shell with job control: the box becomes the foreground job, and when
//! it is over the shell takes the terminal back and looks what it finds there.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, getpgid, setsid};
use rustix::termios::{tcgetattr, tcgetpgrp, tcsetpgrp};

/// `escape start - CMD...` runs without a terminal, `escape start TTY CMD...` on that terminal.
pub(crate) fn main(words: &[String]) -> io::Result<u8> {
    let [tty, program, args @ ..] = words else { return Err(io::Error::other("start: TTY|- CMD...")) };
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    setsid()?;
    if tty == "-" {
        return Err(Command::new(program).args(args).exec());
    }
    on_terminal(tty, program, args)
}

fn on_terminal(tty: &str, program: &str, args: &[String]) -> io::Result<u8> {
    let notes = rustix::io::dup(io::stdout())?;
    rustix::io::fcntl_setfd(&notes, FdFlags::CLOEXEC)?;
    let tty = rustix::fs::open(tty, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::process::ioctl_tiocsctty(&tty)?;
    let before = format!("{:?}", tcgetattr(&tty)?);
    let end = |fd: &OwnedFd| -> io::Result<Stdio> { Ok(rustix::io::dup(fd)?.into()) };
    let mut command = Command::new(program);
    command.args(args).process_group(0).stdin(end(&tty)?).stdout(end(&tty)?).stderr(end(&tty)?);
    let mut child = command.spawn()?;
    let job = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    tcsetpgrp(&tty, job)?;
    let status = child.wait()?;
    let mut notes = std::fs::File::from(notes);
    note_foreground(&mut notes, &tty, job)?;
    note_settings(&mut notes, &tty, &before)?;
    note_typed(&mut notes, tty.as_fd())?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(255))
}

fn note_foreground(notes: &mut impl Write, tty: &OwnedFd, job: Pid) -> io::Result<()> {
    let now = tcgetpgrp(tty).map_or(0, |pid| pid.as_raw_nonzero().get());
    if now != job.as_raw_nonzero().get() {
        writeln!(notes, "foreground changed to {now}")?;
    }
    // The shell's own group is orphaned, so this request fails instead of stopping the shell.
    getpgid(None).and_then(|own| tcsetpgrp(tty, own)).or(Ok(()))
}

fn note_settings(notes: &mut impl Write, tty: &OwnedFd, before: &str) -> io::Result<()> {
    let after = format!("{:?}", tcgetattr(tty)?);
    if after != before { writeln!(notes, "settings changed") } else { Ok(()) }
}

/// What a shell would now read as the next command.
fn note_typed(notes: &mut impl Write, tty: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(tty)?;
    rustix::fs::fcntl_setfl(tty, flags | OFlags::NONBLOCK)?;
    let mut line = [0u8; 4096];
    while let Ok(got @ 1..) = rustix::io::read(tty, &mut line) {
        notes.write_all(b"typed ")?;
        notes.write_all(line.get(..got).unwrap_or_default())?;
    }
    notes.flush()
}
