//! Where the lines go: a file or a descriptor of the caller, or the host's log. Opened before the start.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use belljar_policy::LogTarget;
use rustix::net::{SendFlags, send};

use super::PATH;
use crate::service::line::{stamp, whole};
use crate::service::log::Level;
use crate::sink::{Sink, SinkError, Target};
use crate::supervise::{self, Patience};

/// Facility of programs of users, whatever a program says.
const USER: u8 = 1 << 3;

/// Where the lines go.
#[derive(Debug)]
pub(super) enum Outlet {
    /// A file or a descriptor, and the place that has to lead to it at the end.
    Lines(supervise::Outlet, Sink),
    /// The host's log.
    Host(OwnedFd),
}

/// A line before it has the form of its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Seconds since 1970.
    pub(super) now: u64,
    /// What the jar is called.
    pub(super) jar: &'a str,
    /// Who said it: a process id of the host, as the kernel knows it.
    pub(super) who: &'a str,
    pub(super) level: Level,
    pub(super) text: &'a str,
}

impl Outlet {
    /// Opens it; a reason and a remedy when it cannot be opened.
    pub(super) fn open(to: &LogTarget) -> Result<Self, (String, &'static str)> {
        let lines = |target| {
            let sink = Sink::open_to_add(&target)?;
            let copy = sink.descriptor().map_err(SinkError::Write)?;
            Ok(Self::Lines(supervise::Outlet::new(copy), sink))
        };
        let opened = match to {
            LogTarget::File(path) => lines(Target::File(path.clone())),
            LogTarget::Descriptor(number) => lines(Target::Descriptor(*number)),
            _ => return host().map_err(|error| (format!("{PATH}: {error}"), "name a file, or fd:N")),
        };
        opened.map_err(|error: SinkError| (chain(&error), error.hint()))
    }

    /// Takes a line and writes what can be written now; an error when that line is lost.
    pub(super) fn put(&mut self, line: Line<'_>) -> io::Result<()> {
        let Line { now, jar, who, level, text } = line;
        match self {
            Self::Lines(outlet, _) => {
                let head = format!("{} {jar}[{who}] {}: ", stamp(now), level.word());
                outlet.put(whole(&head, text).as_bytes())
            }
            Self::Host(socket) => {
                let head = format!("<{}>belljar: {jar}[{who}]: ", USER | level.severity());
                let line = whole(&head, text);
                send(socket, line.trim_end().as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
                Ok(())
            }
        }
    }

    /// What has to be written before another line is taken.
    pub(super) fn waits(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Lines(outlet, _) if !outlet.is_free() => Some(outlet.as_fd()),
            _ => None,
        }
    }

    /// Writes what can be written now.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Lines(outlet, _) => outlet.flush(),
            Self::Host(_) => Ok(()),
        }
    }

    /// Writes what is left, as far as patience goes.
    pub(super) fn finish(&mut self, patience: Patience<'_>) -> io::Result<()> {
        match self {
            Self::Lines(outlet, _) => outlet.finish(patience),
            Self::Host(_) => Ok(()),
        }
    }

    /// The file is still where it was opened.
    pub(super) fn check(&self) -> Result<(), SinkError> {
        match self {
            Self::Lines(_, sink) => sink.check(),
            Self::Host(_) => Ok(()),
        }
    }
}

fn host() -> io::Result<Outlet> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(PATH)?;
    Ok(Outlet::Host(socket.into()))
}

/// An error with its cause.
fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
