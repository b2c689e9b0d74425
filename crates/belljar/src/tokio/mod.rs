//! The same for async code on tokio: feature `tokio`.
//!
//! A [`Command`] is built as ever; the functions here start it. Waiting and streams suspend the task, never a thread. Whatever is
//! dropped before its end, a [`Child`] or a future that runs one, ends the jar: cancelling is dropping.
//!
//! Starting itself blocks its thread for as long as the kernel needs to make a jar, one or two milliseconds, as starting a
//! process does in tokio. All of it needs a runtime with I/O enabled.
//!
//! ```no_run
//! use belljar::{Command, policy::Policy};
//!
//! # async fn work() -> Result<(), Box<dyn std::error::Error>> {
//! let output = belljar::tokio::output(Command::new("uname").policy(Policy::preset("@strict")?)).await?;
//! assert!(output.report.success());
//! # Ok(()) }
//! ```

mod stream;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use ::tokio::io::unix::AsyncFd;
use ::tokio::io::{AsyncRead, AsyncReadExt, Interest};
use ::tokio::runtime::Handle;

use crate::command::{Command, Output};
use crate::error::StartError;
use crate::jar::Killer;
use crate::report::Report;
use crate::spawn::supervisor;
pub use stream::{ChildStderr, ChildStdin, ChildStdout};

/// Starts the program and returns once its exec has succeeded.
///
/// # Errors
/// As [`Command::spawn`]; also where no runtime of tokio runs.
///
/// # Panics
/// The runtime has no I/O enabled, as with everything of tokio that waits for a descriptor.
pub fn spawn(command: &mut Command) -> Result<Child, StartError> {
    has_runtime()?;
    Child::new(command.spawn()?)
}

/// Runs the program to its end. Dropping the future ends the jar.
///
/// # Errors
/// As [`spawn`] and [`Child::wait`].
pub async fn status(command: &mut Command) -> Result<Report, StartError> {
    spawn(command)?.wait().await
}

/// Runs the program to its end and returns what it wrote, with the descriptors of [`Command::output`]. Dropping the future ends
/// the jar.
///
/// # Errors
/// As [`spawn`] and [`Child::wait_with_output`].
pub async fn output(command: &mut Command) -> Result<Output, StartError> {
    has_runtime()?;
    Child::new(command.spawn_for_output()?)?.wait_with_output().await
}

/// A running jar. Dropping it ends every process in it.
///
/// ```no_run
/// use belljar::{Command, Stdio, policy::Policy};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # async fn work() -> Result<(), Box<dyn std::error::Error>> {
/// let mut command = Command::new("cat");
/// command.policy(Policy::preset("@strict")?).stdin(Stdio::piped()).stdout(Stdio::piped());
/// let mut child = belljar::tokio::spawn(&mut command)?;
/// child.stdin.take().ok_or("a pipe")?.write_all(b"there and back").await?;
/// let mut text = String::new();
/// child.stdout.take().ok_or("a pipe")?.read_to_string(&mut text).await?;
/// assert!(child.wait().await?.success());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Child {
    inner: crate::Child,
    over: AsyncFd<OwnedFd>,
    /// Write end of the program's standard input, when it was piped.
    pub stdin: Option<ChildStdin>,
    /// Read end of its standard output.
    pub stdout: Option<ChildStdout>,
    /// Read end of its standard error.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    fn new(mut inner: crate::Child) -> Result<Self, StartError> {
        let failed = |source| supervisor("registering with the runtime", source);
        let over = inner.as_fd().try_clone_to_owned().map_err(failed)?;
        Ok(Self {
            over: register(over).map_err(failed)?,
            stdin: inner.stdin.take().map(ChildStdin::new).transpose().map_err(failed)?,
            stdout: inner.stdout.take().map(ChildStdout::new).transpose().map_err(failed)?,
            stderr: inner.stderr.take().map(ChildStderr::new).transpose().map_err(failed)?,
            inner,
        })
    }

    /// Pid of the jar's init on this host.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Waits for the end, after closing the program's standard input. Nothing of the jar lives when this returns; later calls
    /// give the same report. The future can be dropped and made again.
    ///
    /// # Errors
    /// As [`crate::Child::wait`].
    pub async fn wait(&mut self) -> Result<Report, StartError> {
        drop(self.stdin.take());
        loop {
            let over = self.over.readable().await;
            let mut over = over.map_err(|source| supervisor("waiting for the jar", source))?;
            match self.inner.try_wait()? {
                Some(report) => return Ok(report),
                None => over.clear_ready(),
            }
        }
    }

    /// The report, if the jar has ended.
    ///
    /// # Errors
    /// As [`crate::Child::wait`].
    pub fn try_wait(&mut self) -> Result<Option<Report>, StartError> {
        self.inner.try_wait()
    }

    /// Reads both piped streams to their ends, and waits. What is kept grows with what the program writes: a policy for hostile
    /// programs has a limit of output.
    ///
    /// # Errors
    /// As [`Child::wait`], or reading failed.
    pub async fn wait_with_output(mut self) -> Result<Output, StartError> {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (report, stdout, stderr) = ::tokio::try_join!(self.wait(), all(stdout), all(stderr))?;
        Ok(Output { report, stdout, stderr })
    }

    /// Ends every process of the jar; none lives when this has completed. [`Child::wait`] then gives the report.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn kill(&mut self) -> Result<(), StartError> {
        let killer = self.killer();
        let killed = ::tokio::task::spawn_blocking(move || killer.kill()).await;
        killed.map_err(|error| supervisor("ending the jar", io::Error::other(error)))?
    }

    /// Something that ends the jar from any thread or task.
    #[must_use]
    pub fn killer(&self) -> Killer {
        self.inner.killer()
    }

    /// As [`crate::Child::terminal`].
    #[must_use]
    pub fn terminal(&self) -> Option<crate::Terminal> {
        self.inner.terminal()
    }
}

#[expect(
    deprecated,
    reason = "unsound for types that may close what they register; this one owns it till the end"
)]
fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}

fn has_runtime() -> Result<(), StartError> {
    let found = Handle::try_current().map(drop);
    found.map_err(|error| supervisor("looking for a runtime", io::Error::other(error)))
}

/// Everything that a stream gives, where there is one.
async fn all(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, StartError> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let read = stream.read_to_end(&mut bytes).await;
        read.map_err(|source| supervisor("reading the program's output", source))?;
    }
    Ok(bytes)
}
