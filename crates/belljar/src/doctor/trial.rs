//! Runs prepared steps in a child and tells at which one it stopped.

use std::fmt;
use std::os::fd::OwnedFd;

use belljar_sys::abi::general as g;
use belljar_sys::owned::Child;
use belljar_sys::spawn::Sequence;
use belljar_sys::wire::{self, Event, Failure};
use belljar_sys::{Op, owned};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::Signal;

/// Namespaces of a trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spaces(u64);

impl Spaces {
    pub(super) const NONE: Self = Self(0);
    pub(super) const USER: Self = Self(g::CLONE_NEWUSER as u64);
    pub(super) const UTS: Self = Self(g::CLONE_NEWUTS as u64);
    pub(super) const MOUNT: Self = Self(g::CLONE_NEWNS as u64);
    pub(super) const PID: Self = Self(g::CLONE_NEWPID as u64);
    pub(super) const NET: Self = Self(g::CLONE_NEWNET as u64);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where a trial stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped {
    /// Name of the step; empty when the child was killed.
    pub(super) step: &'static str,
    /// The kernel's answer.
    pub(super) errno: i32,
}

impl Stopped {
    const KILLED: Self = Self { step: "", errno: 0 };
}

impl fmt::Display for Stopped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.step.is_empty() {
            return out.write_str("a filter or someone else killed it");
        }
        let answer = std::io::Error::from_raw_os_error(self.errno).to_string();
        write!(out, "{}: {}", self.step, answer.split(" (os error").next().unwrap_or_default())
    }
}

/// No trial takes longer on any machine that is alive.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Runs `init` in a child with these namespaces, then `program` in a child of it, and runs nothing after that.
pub(super) fn run(spaces: Spaces, init: &[Op<'_>], program: &[Op<'_>]) -> Result<(), Stopped> {
    match attempt(spaces, init, program)? {
        // The steps are at their end, and there is no program to become.
        Some(Failure { phase: 1, at: u64::MAX, .. }) => Ok(()),
        Some(failure) => Err(stopped(init, program, failure)),
        None => Err(Stopped::KILLED),
    }
}

/// How many of these steps succeed one after the other.
pub(super) fn reach(program: &[Op<'_>]) -> usize {
    match attempt(Spaces::NONE, &[], program) {
        Ok(Some(Failure { phase: 1, at, .. })) => {
            usize::try_from(at).unwrap_or(usize::MAX).min(program.len())
        }
        _ => 0,
    }
}

fn attempt(spaces: Spaces, init: &[Op<'_>], program: &[Op<'_>]) -> Result<Option<Failure>, Stopped> {
    let own_pids = spaces.0 & Spaces::PID.0 != 0;
    let sequence = Sequence {
        init,
        program,
        namespaces: spaces.0,
        own_pids,
        announce: false,
        errands: -1,
        close_after_start: true,
    };
    let (ours, theirs) = pair()?;
    let child =
        owned::spawn(&sequence, &theirs).map_err(|errno| Stopped { step: "clone", errno: errno.0 })?;
    drop(theirs);
    let failure = hear(&ours);
    end(&child);
    Ok(failure)
}

fn pair() -> Result<(OwnedFd, OwnedFd), Stopped> {
    let made =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
    made.map_err(|errno| Stopped { step: "descriptors", errno: errno.raw_os_error() })
}

/// Waits for the first failure; other messages are passed over.
fn hear(socket: &OwnedFd) -> Option<Failure> {
    loop {
        rustix::event::poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&PATIENCE))
            .ok()
            .filter(|n| *n > 0)?;
        let mut bytes = [0_u8; wire::SIZE];
        match rustix::io::read(socket, &mut bytes) {
            Ok(wire::SIZE) => {}
            _ => return None,
        }
        match Event::decode(&bytes)? {
            Event::Failed(failure) => return Some(failure),
            Event::Started
            | Event::Terminal
            | Event::Folder
            | Event::Sockets
            | Event::Channel
            | Event::Listener => {}
            Event::Ended(_) => return None,
        }
    }
}

fn stopped(init: &[Op<'_>], program: &[Op<'_>], failure: Failure) -> Stopped {
    let ops = if failure.phase == 0 { init } else { program };
    let op = usize::try_from(failure.at).ok().and_then(|at| ops.get(at));
    Stopped { step: op.map_or("program", |op| op.step().0), errno: failure.errno.0 }
}

/// Kills and reaps; the child has said what it had to say.
fn end(child: &Child) {
    if let Err(errno) = rustix::process::pidfd_send_signal(&child.pidfd, Signal::KILL) {
        tracing::trace!(%errno, "the trial has ended");
    }
    if let Err(errno) = owned::reap(&child.pidfd) {
        tracing::debug!(errno = errno.0, "the trial cannot be reaped");
    }
}
