//! The shell around a box: own session, perhaps a controlling terminal, then the box.
//!
//! With a terminal it behaves like an interactive shell with job control: the box becomes the foreground job, and when
//! it is over the shell takes the terminal back and looks what it finds there.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, getpid, kill_process_group, setsid};
use rustix::termios::{tcgetattr, tcgetpgrp, tcgetwinsize, tcsetpgrp};

use crate::attacks::raw;

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

fn on_terminal(path: &str, program: &str, args: &[String]) -> io::Result<u8> {
    let notes = rustix::io::dup(io::stdout())?;
    rustix::io::fcntl_setfd(&notes, FdFlags::CLOEXEC)?;
    let tty = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::process::ioctl_tiocsctty(&tty)?;
    let before = look(&tty, path);
    let mut child = spawn(&tty, program, args)?;
    let job = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    // Only now: an ignored signal would stay ignored in the box.
    raw::ignore(libc::SIGTTOU)?;
    raw::ignore(libc::SIGHUP)?;
    tcsetpgrp(&tty, job)?;
    // The job may have touched the terminal before it was in the foreground.
    kill_process_group(job, Signal::CONT).or_else(gone)?;
    let status = child.wait()?;
    let foreground = tcgetpgrp(&tty).map_or(0, |pid| pid.as_raw_nonzero().get());
    tcsetpgrp(&tty, getpid()).or(Ok::<(), io::Error>(()))?;
    note(&mut File::from(notes), &tty, path, &before, foreground == job.as_raw_nonzero().get())?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(255))
}

fn spawn(tty: &OwnedFd, program: &str, args: &[String]) -> io::Result<Child> {
    let end = || -> io::Result<Stdio> { Ok(rustix::io::dup(tty)?.into()) };
    let mut command = Command::new(program);
    command.args(args).process_group(0).stdin(end()?).stdout(end()?).stderr(end()?).spawn()
}

fn gone(errno: rustix::io::Errno) -> io::Result<()> {
    if errno == rustix::io::Errno::SRCH { Ok(()) } else { Err(errno.into()) }
}

/// What the shell knows about its terminal; each line must be the same before and after the box.
fn look(tty: &OwnedFd, path: &str) -> Vec<(&'static str, String)> {
    let size = tcgetwinsize(tty).map(|size| (size.ws_row, size.ws_col));
    let again = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    vec![
        ("settings", format!("{:?}", tcgetattr(tty))),
        ("size", format!("{size:?}")),
        ("discipline", format!("{:?}", raw::terminal_number(tty, libc::TIOCGETD))),
        ("exclusive", format!("{:?}", raw::terminal_number(tty, libc::TIOCGEXCL as libc::Ioctl))),
        ("open", format!("{:?}", rustix::fs::open(path, again, Mode::empty()).is_ok())),
        ("own", format!("{:?}", rustix::fs::open("/dev/tty", flags, Mode::empty()).is_ok())),
    ]
}

fn note(
    notes: &mut File,
    tty: &OwnedFd,
    path: &str,
    before: &[(&'static str, String)],
    foreground: bool,
) -> io::Result<()> {
    let after = look(tty, path);
    for (name, _) in
        before.iter().zip(&after).filter(|(before, after)| before != after).map(|(before, _)| before)
    {
        writeln!(notes, "{name} changed")?;
    }
    if !foreground {
        writeln!(notes, "foreground changed")?;
    }
    note_stopped(notes, tty)?;
    note_typed(notes, tty)
}

/// A terminal whose output is stopped shows nothing that the shell writes.
fn note_stopped(notes: &mut File, tty: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(tty)?;
    rustix::fs::fcntl_setfl(tty, flags | OFlags::NONBLOCK)?;
    match rustix::io::write(tty, b"$ ") {
        Err(rustix::io::Errno::AGAIN) => writeln!(notes, "output stopped"),
        _ => Ok(()),
    }
}

/// What a shell would now read as the next command.
fn note_typed(notes: &mut File, tty: &OwnedFd) -> io::Result<()> {
    let mut line = [0u8; 4096];
    while let Ok(got @ 1..) = rustix::io::read(tty, &mut line) {
        notes.write_all(b"typed ")?;
        notes.write_all(line.get(..got).unwrap_or_default())?;
    }
    notes.flush()
}
