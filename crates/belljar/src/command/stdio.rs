//! Where standard descriptors come from.

use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdin, ChildStdout};

/// Where a standard descriptor of the program comes from: the shape of `std::process::Stdio`.
///
/// Anything that owns a descriptor converts into one, also the streams of another child, so that jars make pipelines. A folder
/// is refused at the start.
///
/// ```no_run
/// use belljar::{Command, Stdio, policy::Policy};
///
/// let strict = Policy::preset("@strict")?;
/// let mut left = Command::new("ls").policy(strict.clone()).stdout(Stdio::piped()).spawn()?;
/// let list = left.stdout.take().ok_or("a pipe")?;
/// let right = Command::new("wc").arg("-l").policy(strict).stdin(list).output()?;
/// assert!(left.wait()?.success() && right.report.success());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Stdio {
    /// The caller's own. A terminal is replaced by one of the jar's own, relayed until the jar's end; later changes of its size are
    /// the caller's to pass on: [`Child::terminal`](crate::Child::terminal).
    #[default]
    Inherit,
    /// Nothing to read, and writes vanish.
    Null,
    /// A pipe whose other end the [`Child`](crate::Child) holds.
    Piped,
    /// This descriptor. It stays open in the command, as with `std::process`: a reader of a pipe sees the end once the command
    /// is dropped too.
    From(OwnedFd),
}

impl Stdio {
    /// [`Stdio::Inherit`].
    #[must_use]
    pub fn inherit() -> Self {
        Self::Inherit
    }

    /// [`Stdio::Null`].
    #[must_use]
    pub fn null() -> Self {
        Self::Null
    }

    /// [`Stdio::Piped`].
    #[must_use]
    pub fn piped() -> Self {
        Self::Piped
    }
}

macro_rules! from_owners {
    ($($owner:ty),*) => {
        $(impl From<$owner> for Stdio {
            fn from(owner: $owner) -> Self {
                Self::From(owner.into())
            }
        })*
    };
}

from_owners!(
    OwnedFd,
    File,
    ChildStdin,
    ChildStdout,
    ChildStderr,
    PipeReader,
    PipeWriter,
    UnixStream,
    TcpStream
);
