//! A running jar, as `std::process::Child` shows a process.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use rustix::event::{PollFd, PollFlags, poll};

use crate::error::StartError;
use crate::jar::{Attended, Killer, Running};
use crate::report::Report;
use crate::spawn::supervisor;
use crate::supervise::Terminal;

/// A running jar. Dropping it ends every process in it, and waits for that.
///
/// What the supervisor watches (time, memory and processor time without a control group, output, the broker, told refusals,
/// questions, a terminal, a network by name) is watched from the start to the end, whatever the caller does meanwhile: by one
/// thread of this library, started only where there is something to watch. It blocks all signals.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use belljar::{Command, Stdio, policy::Policy};
///
/// let mut command = Command::new("tr");
/// command.args(["a-z", "A-Z"]).policy(Policy::preset("@strict")?);
/// let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// child.stdin.take().ok_or("a pipe")?.write_all(b"quiet")?; // dropped here: the program reads its end
/// let mut loud = String::new();
/// child.stdout.take().ok_or("a pipe")?.read_to_string(&mut loud)?;
/// assert_eq!((loud.as_str(), child.wait()?.success()), ("QUIET", true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Child {
    jar: Attended,
    /// Write end of the program's standard input, when it was [`Stdio::Piped`](crate::Stdio::Piped).
    pub stdin: Option<ChildStdin>,
    /// Read end of its standard output.
    pub stdout: Option<ChildStdout>,
    /// Read end of its standard error.
    pub stderr: Option<ChildStderr>,
}

/// How a run ended and what it wrote.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// How it ended.
    pub report: Report,
    /// What it wrote to a piped standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to a piped standard error.
    pub stderr: Vec<u8>,
}

impl Child {
    pub(super) fn attended(running: Running, pipes: [Option<OwnedFd>; 3]) -> Result<Self, StartError> {
        let [stdin, stdout, stderr] = pipes;
        Ok(Self {
            jar: running.attended()?,
            stdin: stdin.map(Into::into),
            stdout: stdout.map(Into::into),
            stderr: stderr.map(Into::into),
        })
    }

    /// Pid of the jar's init on this host.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.jar.id()
    }

    /// Waits for the end, after closing the program's standard input. Nothing of the jar runs when this returns; the kernel may
    /// still be taking its mounts apart, and its entry in the process table goes when this is dropped. Later
    /// calls give the same report.
    ///
    /// A program that writes more than its pipes hold waits for a reader: see [`Child::wait_with_output`].
    ///
    /// # Errors
    /// The supervisor's own calls failed; the jar is ended then.
    pub fn wait(&mut self) -> Result<Report, StartError> {
        drop(self.stdin.take());
        self.jar.wait()
    }

    /// The report, if the jar has ended; never waits for a program. Standard input stays open.
    ///
    /// # Errors
    /// As [`Child::wait`].
    pub fn try_wait(&mut self) -> Result<Option<Report>, StartError> {
        self.jar.try_wait()
    }

    /// Reads both piped streams to their ends, and waits. What is kept grows with what the program writes: a policy for hostile
    /// programs has a limit of output.
    ///
    /// # Errors
    /// As [`Child::wait`], or reading failed.
    pub fn wait_with_output(mut self) -> Result<Output, StartError> {
        drop(self.stdin.take());
        let streams = [self.stdout.take().map(OwnedFd::from), self.stderr.take().map(OwnedFd::from)];
        let [stdout, stderr] =
            read_all(streams).map_err(|source| supervisor("reading the program's output", source))?;
        Ok(Output { report: self.wait()?, stdout, stderr })
    }

    /// Ends every process of the jar; none lives when this returns. [`Child::wait`] then gives the report. Nothing happens when
    /// it has ended before.
    ///
    /// # Errors
    /// The kernel's.
    pub fn kill(&mut self) -> Result<(), StartError> {
        self.jar.killer().kill()
    }

    /// Something that ends the jar from another thread, also while this one waits.
    ///
    /// ```no_run
    /// # let mut child = belljar::Command::new("sleep").arg("60").spawn()?;
    /// let killer = child.killer();
    /// std::thread::spawn(move || killer.kill());
    /// child.wait()?;
    /// # Ok::<(), belljar::error::StartError>(())
    /// ```
    #[must_use]
    pub fn killer(&self) -> Killer {
        self.jar.killer().clone()
    }

    /// The jar's own terminal, whose size the caller may change also while another thread waits; none where no standard descriptor
    /// of the program is the caller's terminal.
    #[must_use]
    pub fn terminal(&self) -> Option<Terminal> {
        self.jar.terminal().cloned()
    }
}

/// Readable once [`Child::try_wait`] has a report: for the caller's own `poll` or `epoll`. Nothing is to be read from it.
impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.jar.ready()
    }
}

const CHUNK: usize = 16 * 1024;

/// Reads each to its end, whichever has something.
fn read_all(mut streams: [Option<OwnedFd>; 2]) -> io::Result<[Vec<u8>; 2]> {
    let mut texts = [Vec::new(), Vec::new()];
    while streams.iter().any(Option::is_some) {
        let ready = readable(&streams)?;
        for ((stream, text), _) in streams.iter_mut().zip(&mut texts).zip(ready).filter(|(_, ready)| *ready) {
            if let Some(fd) = stream.as_ref()
                && !read_some(fd, text)?
            {
                *stream = None;
            }
        }
    }
    Ok(texts)
}

/// False at the end.
fn read_some(fd: &OwnedFd, text: &mut Vec<u8>) -> io::Result<bool> {
    let mut bytes = [0_u8; CHUNK];
    match rustix::io::read(fd, &mut bytes) {
        Ok(count) => {
            text.extend_from_slice(bytes.get(..count).unwrap_or_default());
            Ok(count > 0)
        }
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

fn readable(streams: &[Option<OwnedFd>; 2]) -> io::Result<[bool; 2]> {
    let mut set: Vec<_> = streams.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    match poll(&mut set, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut found = set.iter().map(|fd| !fd.revents().is_empty());
    Ok(streams.each_ref().map(|stream| stream.is_some() && found.next().unwrap_or(false)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn two_streams_are_read_to_their_ends_whoever_writes_first() {
        let (out, mut to_out) = io::pipe().unwrap();
        let (err, mut to_err) = io::pipe().unwrap();
        let writer = std::thread::spawn(move || {
            to_err.write_all(&vec![b'e'; 300_000]).unwrap();
            to_out.write_all(&vec![b'o'; 300_000]).unwrap();
        });
        let [out, err] = read_all([Some(out.into()), Some(err.into())]).unwrap();
        writer.join().unwrap();
        assert_eq!((out.len(), err.len()), (300_000, 300_000));
        assert_eq!(read_all([None, None]).unwrap(), [Vec::<u8>::new(), Vec::new()]);
    }
}
