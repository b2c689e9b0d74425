//! Descriptors: the standard ones, the passed ones, and what init must keep.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use belljar_policy::{FdMode, PassFd};
use belljar_sys::{Fd, owned};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags, Stat, fcntl_getfl, fstat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::isatty;

use crate::command::{Command, Stdio};
use crate::error::StartError;
use crate::prepare::Invocation;
use crate::spawn::{raw, supervisor};
use crate::supervise::Output;

/// Both ends of what stands in for standard descriptors.
#[derive(Debug, Default)]
pub(super) struct Streams {
    child: [Option<OwnedFd>; 3],
    caller: [Option<OwnedFd>; 3],
    output: Output,
    /// Write ends that take the place of passed append-only files, by number.
    logs: Vec<(Fd, OwnedFd)>,
}

impl Streams {
    /// What is a terminal (bit mask) is counted by its relay.
    pub(super) fn open(command: &Command, look: Look) -> Result<Self, StartError> {
        refuse_folder(look)?;
        let mut streams = Self::default();
        let limit = command.policy.limits.output.as_ref();
        if let Some(limit) = limit {
            streams.output = Output::limited(limit.value.0);
        }
        let counts = limit.is_some();
        for (at, stdio) in command.stdio.iter().enumerate() {
            let counted = counts && look.terminals & (1 << at) == 0;
            let log = look.logs & (1 << at) != 0;
            if at == 2 && look.shared && log && streams.share()? {
                continue;
            }
            streams.one(at, stdio, counted.then_some(true).or(log.then_some(false)))?;
        }
        for pass in &command.policy.pass_fds {
            streams.log(pass)?;
        }
        Ok(streams)
    }

    /// A file passed for appending can be truncated through its descriptor: the jar gets a pipe, the supervisor appends.
    fn log(&mut self, pass: &PassFd) -> Result<(), StartError> {
        let fd = Fd::from(pass.fd);
        if owned::with_inherited(fd, |fd| is_log(pass, fd)).unwrap_or(false) {
            let (read, write) = pipe(true)?;
            let to = owned::duplicate(fd).map_err(copying)?;
            self.output.add(read, to, false);
            self.logs.push((fd, high(write)?));
        }
        Ok(())
    }

    /// What takes the place of passed descriptors: number in the jar, descriptor here.
    pub(super) fn logs(&self) -> Vec<(Fd, Fd)> {
        self.logs.iter().map(|(fd, write)| (*fd, raw(write))).collect()
    }

    /// With `relayed` the supervisor passes on what is written, counted or not.
    fn one(&mut self, at: usize, stdio: &Stdio, relayed: Option<bool>) -> Result<(), StartError> {
        match (stdio, relayed.filter(|_| at > 0)) {
            (Stdio::Inherit, Some(counted)) => return self.relay(at, inherited(at)?, counted),
            (Stdio::From(fd), Some(counted)) => return self.relay(at, copy(fd)?, counted),
            (Stdio::Piped, Some(counted)) => {
                let (read, write) = pipe(false)?;
                self.caller[at] = Some(read);
                return self.relay(at, write, counted);
            }
            _ => {}
        }
        match stdio {
            Stdio::Inherit => {}
            Stdio::Null => self.child[at] = Some(high(null()?)?),
            Stdio::From(fd) => self.child[at] = Some(copy(fd)?),
            Stdio::Piped => {
                let (read, write) = pipe(false)?;
                let (mine, theirs) = if at == 0 { (write, read) } else { (read, write) };
                self.child[at] = Some(high(theirs)?);
                self.caller[at] = Some(mine);
            }
        }
        Ok(())
    }

    /// The jar writes to a pipe, the supervisor passes on what the limit allows.
    fn relay(&mut self, at: usize, to: OwnedFd, counted: bool) -> Result<(), StartError> {
        let (read, write) = pipe(true)?;
        self.output.add(read, to, counted);
        self.child[at] = Some(high(write)?);
        Ok(())
    }

    /// Both outputs go to one log: through one pipe, so that their lines stay in order. False where the first has none.
    fn share(&mut self) -> Result<bool, StartError> {
        let Some(write) = &self.child[1] else { return Ok(false) };
        self.child[2] = Some(copy(write)?);
        Ok(true)
    }

    /// Numbers of what becomes 0, 1, 2.
    pub(super) fn child(&self) -> [Option<Fd>; 3] {
        self.child.each_ref().map(|fd| fd.as_ref().map(raw))
    }

    pub(super) fn close_child(&mut self) {
        self.logs.clear();
        self.child = Default::default();
    }

    pub(super) fn take_output(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    pub(super) fn pipes(self) -> [Option<OwnedFd>; 3] {
        self.caller
    }
}

/// What the standard descriptors are (bit masks).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// The caller's terminal.
    pub(crate) terminals: u8,
    folders: u8,
    /// Open files of the caller's. Devices of memory have no state, a terminal is never the jar's.
    pub(super) lent: u8,
    /// Plain files open for appending: what stands in them already could be changed through the descriptor.
    logs: u8,
    /// Standard output and error are the same file.
    shared: bool,
}

/// Looks at what becomes the standard descriptors.
pub(crate) fn look(stdio: &[Stdio; 3]) -> Look {
    let mut look = Look::default();
    let mut first = None;
    for ((stream, inherited), bit) in stdio.iter().zip(standard()).zip([1, 2, 4]) {
        let (fd, own) = match stream {
            Stdio::Inherit => (inherited, false),
            Stdio::From(fd) => (fd.as_fd(), true),
            Stdio::Null | Stdio::Piped => continue,
        };
        let Ok(stat) = fstat(fd) else { continue };
        look.lent |= if own || is_memory(&stat) { 0 } else { bit };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => look.folders |= bit,
            FileType::RegularFile if bit > 1 && appends(fd) => {
                look.logs |= bit;
                look.shared = first == Some((stat.st_dev, stat.st_ino));
                first = Some((stat.st_dev, stat.st_ino));
            }
            FileType::CharacterDevice if !own && !is_memory(&stat) && isatty(fd) => {
                look.terminals |= bit;
                look.lent &= !bit;
            }
            _ => {}
        }
    }
    look
}

/// `/dev/null` and its like, which a start without a terminal is mostly given.
fn is_memory(stat: &Stat) -> bool {
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    is_device && rustix::fs::major(stat.st_rdev) == 1
}

pub(super) fn standard() -> [BorrowedFd<'static>; 3] {
    [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()]
}

/// Takes the numbers of standard descriptors that the caller has closed, until a jar is started: what the start opens must
/// not have a number that means something in the program. The program finds them closed.
pub(super) fn stand_ins() -> Result<Vec<OwnedFd>, StartError> {
    let mut held = Vec::new();
    while are_closed() {
        let next = null()?;
        // What is open for its path alone the kernel calls closed, too; its number is taken.
        if raw(&next) > 2 {
            break;
        }
        held.push(next);
    }
    Ok(held)
}

fn are_closed() -> bool {
    let mut set = standard().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::empty()));
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut set, Some(&now)).is_ok() && set.iter().any(|fd| fd.revents().contains(PollFlags::NVAL))
}

/// Above a folder of the host lies all of the host: attributes can be asked and changed there without opening anything.
fn refuse_folder(look: Look) -> Result<(), StartError> {
    let refused = |fd| StartError::Descriptor {
        fd,
        origin: "standard".to_owned(),
        why: "is a folder: grant it with -r or -w",
    };
    (0..3).find(|fd| look.folders & (1 << fd) != 0).map_or(Ok(()), |fd| Err(refused(fd)))
}

/// A plain file, open for appending only, passed for writing.
fn is_log(pass: &PassFd, fd: BorrowedFd<'_>) -> bool {
    let plain = fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    pass.mode == FdMode::Write && plain && appends(fd)
}

fn appends(fd: BorrowedFd<'_>) -> bool {
    fcntl_getfl(fd).is_ok_and(|flags| flags.contains(OFlags::APPEND))
}

pub(super) fn copying(errno: belljar_sys::Errno) -> StartError {
    supervisor("copying a descriptor", std::io::Error::from_raw_os_error(errno.0))
}

fn pipe(non_blocking_reader: bool) -> Result<(OwnedFd, OwnedFd), StartError> {
    let failed = |errno: rustix::io::Errno| supervisor("making a pipe", errno.into());
    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(failed)?;
    if non_blocking_reader {
        let flags = fcntl_getfl(&read).map_err(failed)?;
        rustix::fs::fcntl_setfl(&read, flags | OFlags::NONBLOCK).map_err(failed)?;
    }
    Ok((read, write))
}

fn null() -> Result<OwnedFd, StartError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty())
        .map_err(|errno| supervisor("opening /dev/null", errno.into()))
}

/// A copy above the standard descriptors, so that one command starts several jars.
fn copy(fd: &OwnedFd) -> Result<OwnedFd, StartError> {
    rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(|errno| supervisor("copying a descriptor", errno.into()))
}

/// A copy above the standard descriptors: moving a descriptor onto itself is an error.
fn high(fd: OwnedFd) -> Result<OwnedFd, StartError> {
    if raw(&fd) > 2 {
        return Ok(fd);
    }
    copy(&fd)
}

fn inherited(at: usize) -> Result<OwnedFd, StartError> {
    let fd = Fd::try_from(at).unwrap_or(1);
    owned::duplicate(fd).map_err(copying)
}

/// Everything that init must not close, ascending.
pub(super) fn kept(call: &Invocation<'_>, passed: &[PassFd]) -> Vec<Fd> {
    let mut kept: Vec<Fd> = vec![0, 1, 2];
    kept.extend(passed.iter().map(|pass| Fd::from(pass.fd)));
    kept.extend(call.stdio.into_iter().flatten());
    kept.extend(call.host_terminal);
    kept.extend(call.logs.iter().map(|(_, fd)| *fd));
    kept.extend(call.errands);
    kept.extend(call.cgroup);
    kept.sort_unstable();
    kept.dedup();
    kept
}
