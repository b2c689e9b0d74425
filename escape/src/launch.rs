//! Runs one prepared stage: starts the shell around the box, collects output, keeps the time limit, ends what is left.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::outcome::Outcome;
use crate::processes;
use crate::stage::Stage;
use crate::terminal::Terminal;

/// How long output is collected after the box has ended, while somebody still holds the other end.
const DRAIN: Duration = Duration::from_millis(300);
/// How long a process that nothing has killed may stay after its box has ended, and how long one that only waits for a
/// processor to die on.
const GRACE: Duration = Duration::from_secs(1);
const DYING: Duration = Duration::from_secs(60);
/// Bytes kept of each stream.
pub(crate) const OUTPUT_LIMIT: usize = 1 << 20;

/// Where bytes of a run come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Error,
    Shell,
}

/// Runs `line` and reports what was seen.
pub(crate) fn run(stage: &mut Stage, line: &[OsString]) -> io::Result<Outcome> {
    let terminal = if stage.terminal { Some(Terminal::open()?) } else { None };
    let began = Instant::now();
    let mut child = spawn(stage, line, terminal.as_ref())?;
    stage.close_inherited()?;
    let mut sources = sources(&mut child, terminal)?;
    let mut outcome = Outcome::default();
    outcome.status = follow(stage, &mut child, &mut sources, &mut outcome)?;
    outcome.wall = began.elapsed();
    outcome.survivors = survivors(stage)?;
    drain(&mut sources, &mut outcome, DRAIN)?;
    Ok(outcome)
}

fn spawn(stage: &mut Stage, line: &[OsString], terminal: Option<&Terminal>) -> io::Result<Child> {
    let mut command = Command::new(stage.program());
    command.arg("start");
    match terminal {
        Some(terminal) => command.arg(&terminal.path),
        None => command.arg("-"),
    };
    command.args(line).current_dir(stage.cwd.as_ref().unwrap_or(&stage.work)).env_clear();
    let home = std::env::var_os("HOME").unwrap_or_else(|| "/".into());
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", home).env("TERM", "xterm");
    command.env("LANG", "C.UTF-8").envs(stage.env.iter().map(|(key, value)| (key, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A box that reads nothing may already be gone.
        drop(stdin.write_all(&stage.stdin));
    }
    Ok(child)
}

fn sources(child: &mut Child, terminal: Option<Terminal>) -> io::Result<Vec<(Stream, File)>> {
    let out = child.stdout.take().map(OwnedFd::from);
    let error = child.stderr.take().map(OwnedFd::from);
    let first = if terminal.is_some() { Stream::Shell } else { Stream::Out };
    let mut found = Vec::new();
    for (stream, fd) in
        [(first, out), (Stream::Error, error), (Stream::Out, terminal.map(|terminal| terminal.master))]
    {
        if let Some(fd) = fd {
            rustix::fs::fcntl_setfl(&fd, rustix::fs::fcntl_getfl(&fd)? | OFlags::NONBLOCK)?;
            found.push((stream, File::from(fd)));
        }
    }
    Ok(found)
}

/// Follows the box to its end or the time limit.
fn follow(
    stage: &mut Stage,
    child: &mut Child,
    sources: &mut Vec<(Stream, File)>,
    outcome: &mut Outcome,
) -> io::Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let deadline = Instant::now() + stage.time;
    while Instant::now() < deadline {
        wait(sources, Some(pidfd.as_fd()), Duration::from_millis(20))?;
        take(sources, outcome, false);
        stage.hear(outcome);
        for watch in &mut stage.watches {
            watch(child.id());
        }
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn drain(sources: &mut Vec<(Stream, File)>, outcome: &mut Outcome, time: Duration) -> io::Result<()> {
    let deadline = Instant::now() + time;
    while !sources.is_empty() && Instant::now() < deadline {
        wait(sources, None, Duration::from_millis(20))?;
        take(sources, outcome, true);
    }
    Ok(())
}

fn wait(sources: &[(Stream, File)], also: Option<BorrowedFd<'_>>, time: Duration) -> io::Result<()> {
    let mut fds: Vec<PollFd<'_>> = sources.iter().map(|(_, file)| PollFd::new(file, PollFlags::IN)).collect();
    fds.extend(also.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    match poll(&mut fds, Some(&Timespec::try_from(time).map_err(io::Error::other)?)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Reads what is there; a source that has ended is dropped.
fn take(sources: &mut Vec<(Stream, File)>, outcome: &mut Outcome, is_over: bool) {
    sources.retain_mut(|(stream, file)| {
        let into = match stream {
            Stream::Out => &mut outcome.stdout,
            Stream::Error => &mut outcome.stderr,
            Stream::Shell => &mut outcome.shell,
        };
        read_once(file, into, is_over)
    });
}

/// False when the source has ended.
fn read_once(file: &mut File, into: &mut Vec<u8>, is_over: bool) -> bool {
    let mut block = [0u8; 65536];
    match file.read(&mut block) {
        Ok(0) => false,
        Ok(got) => {
            let room = OUTPUT_LIMIT.saturating_sub(into.len()).min(got);
            into.extend_from_slice(block.get(..room).unwrap_or_default());
            true
        }
        // A terminal answers EIO while nobody has its other end open; that may be before the shell has started.
        Err(error) => {
            matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
                || !is_over && error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
        }
    }
}

/// Waits until everything the box started is gone; whatever stays is named and ended.
fn survivors(stage: &Stage) -> io::Result<Vec<String>> {
    left(&stage.helper_pids())
}

/// Names of processes below the runner that are still there a second later, except the helpers and their own. While all that
/// is left is dying, that second has not begun.
pub(crate) fn left(helpers: &[u32]) -> io::Result<Vec<String>> {
    let last = Instant::now() + DYING;
    let mut deadline = Instant::now() + GRACE;
    loop {
        processes::collect_orphans(helpers);
        let theirs =
            helpers.iter().flat_map(|helper| processes::descendants(*helper)).map(|process| process.pid);
        let theirs: Vec<u32> = helpers.iter().copied().chain(theirs).collect();
        let mut left = processes::descendants(std::process::id());
        left.retain(|process| !theirs.contains(&process.pid));
        if left.is_empty() {
            return Ok(Vec::new());
        }
        if are_dying(&left) {
            deadline = last.min(Instant::now() + GRACE);
        }
        if Instant::now() >= deadline {
            return end_all(left, helpers);
        }
        wait(&[], None, Duration::from_millis(10))?;
    }
}

/// Whether each of these, or one of these above it, dies: the first process of a box takes the others with it.
fn are_dying(left: &[processes::Process]) -> bool {
    let above = |pid| left.iter().find(|process| process.pid == pid).map(|process| process.parent);
    let mut lines = left.iter().map(|process| std::iter::successors(Some(process.pid), |pid| above(*pid)));
    lines.all(|mut line| line.any(processes::is_dying))
}

fn end_all(left: Vec<processes::Process>, helpers: &[u32]) -> io::Result<Vec<String>> {
    for process in &left {
        processes::end(process.pid)?;
    }
    wait(&[], None, Duration::from_millis(20))?;
    processes::collect_orphans(helpers);
    Ok(left.into_iter().map(|process| format!("{} ({})", process.name, process.state)).collect())
}

/// Lets time pass.
pub(crate) fn wait_a_little(time: Duration) -> io::Result<()> {
    wait(&[], None, time)
}

/// Words for a status.
pub(crate) fn words(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        None => "time limit".to_owned(),
        Some((Some(code), _)) => format!("exit {code}"),
        Some((None, signal)) => format!("signal {}", signal.unwrap_or(0)),
    }
}
