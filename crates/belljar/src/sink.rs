//! Where a report or a stream of events goes: a file that the jar cannot forge, or a descriptor of the caller.
//!
//! Opened before the program starts, so that a place that cannot be written stops the run; a report is written once, after
//! the whole tree has ended. The last part of the name is never followed as a symlink, folders only through symlinks that no jar
//! can have made, and the file must belong to the supervisor.

mod stream;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags};

use crate::Report;
use crate::error::shown;
use crate::walk::Walker;

pub use stream::Stream;

/// The place named by `--report` or `--events`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A file, made with mode 0600 or emptied.
    File(PathBuf),
    /// An open descriptor of the caller (`fd:N`).
    Descriptor(i32),
}

impl Target {
    /// Reads `FILE` or `fd:N`. A file whose name starts with `fd:` is written `./fd:...`.
    ///
    /// # Errors
    /// The text after `fd:` is not a descriptor number, or the name is empty.
    ///
    /// ```
    /// use belljar::sink::Target;
    /// assert_eq!(Target::parse("fd:3".as_ref()).unwrap(), Target::Descriptor(3));
    /// ```
    pub fn parse(text: &OsStr) -> Result<Self, SinkError> {
        let Some(number) = text.to_str().and_then(|text| text.strip_prefix("fd:")) else {
            let path = PathBuf::from(text);
            return if path.file_name().is_some() {
                Ok(Self::File(path))
            } else {
                Err(SinkError::NoFile(path))
            };
        };
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        match number.parse() {
            Ok(number) if plain => Ok(Self::Descriptor(number)),
            _ => Err(SinkError::Number(number.to_owned())),
        }
    }
}

/// It cannot be written there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// `fd:` is not followed by a number.
    #[error("descriptor `{0}` is not a number")]
    Number(String),
    /// The descriptor is not open, or not for writing.
    #[error("descriptor {number} cannot be written")]
    Descriptor {
        /// As it was named.
        number: i32,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The path has no last part.
    #[error("file `{}` has no file name", shown(.0))]
    NoFile(PathBuf),
    /// The file cannot be opened.
    #[error("file `{}` cannot be opened", shown(path))]
    Open {
        /// As it was named.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Something else than a file of this user with a single name is there.
    #[error("file `{}` is {what}", shown(path))]
    Unfit {
        /// As it was named.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The file was replaced while the program ran.
    #[error("file `{}` was replaced during the run", shown(.0))]
    Replaced(PathBuf),
    /// Writing failed.
    #[error("cannot be written")]
    Write(#[source] io::Error),
    /// The reader is too slow.
    #[error("has no room")]
    Full,
}

impl SinkError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Number(_) => "write fd:3, or ./fd:NAME for a file",
            Self::Descriptor { .. } => "open it for writing in the calling shell: belljar ... N> FILE",
            Self::NoFile(_) => "name a file, or fd:N",
            Self::Open { .. } => "name a file in a folder that you may write; a symlink is not followed",
            Self::Unfit { .. } => "name a new file by its real path in a folder of your own, or use fd:N",
            Self::Replaced(_) => "name a file outside the folders that the program may write",
            Self::Write(_) | Self::Full => "see that the disk has room and the reader stays",
        }
    }
}

/// An open place for a report or for events.
#[derive(Debug)]
pub struct Sink {
    file: File,
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    path: PathBuf,
    folder: OwnedFd,
    name: OsString,
}

impl Sink {
    /// Opens the place; a file of an earlier run is emptied now, so that it cannot be taken for this one's.
    ///
    /// # Errors
    /// See [`SinkError`].
    pub fn open(target: &Target) -> Result<Self, SinkError> {
        match target {
            Target::File(path) => {
                let new = Self::open_file(path, OFlags::empty())?;
                new.file.set_len(0).map_err(|source| SinkError::Open { path: path.into(), source })?;
                Ok(new)
            }
            Target::Descriptor(number) => Self::open_descriptor(*number),
        }
    }

    /// Opens the place to add to what is there.
    pub(crate) fn open_to_add(target: &Target) -> Result<Self, SinkError> {
        match target {
            Target::File(path) => Self::open_file(path, OFlags::APPEND),
            Target::Descriptor(number) => Self::open_descriptor(*number),
        }
    }

    /// A copy of the open descriptor.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.file.try_clone().map(OwnedFd::from)
    }

    fn open_file(path: &Path, further: OFlags) -> Result<Self, SinkError> {
        let failed = |error: Errno| SinkError::Open { path: path.into(), source: error.into() };
        let name = path.file_name().ok_or_else(|| SinkError::NoFile(path.into()))?;
        let folder = folder_of(path).map_err(failed)?.ok_or_else(|| SinkError::Unfit {
            path: path.into(),
            what: "reached through a symlink that a jar may have made",
        })?;
        // NONBLOCK: a FIFO there must be refused, not waited for.
        let how = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::NOCTTY
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC
            | further;
        let file = rustix::fs::openat(&folder, name, how, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        if let Some(what) = unfit(&file).map_err(failed)? {
            return Err(SinkError::Unfit { path: path.into(), what });
        }
        Ok(Self { file: file.into(), place: Some(Place { path: path.into(), folder, name: name.into() }) })
    }

    fn open_descriptor(number: i32) -> Result<Self, SinkError> {
        let failed = |source: io::Error| SinkError::Descriptor { number, source };
        let own = own_copy(number).map_err(|error| failed(error.into()))?;
        let mode = rustix::fs::fcntl_getfl(&own).map_err(|error| failed(error.into()))? & OFlags::RWMODE;
        if mode != OFlags::WRONLY && mode != OFlags::RDWR {
            return Err(failed(io::Error::from(Errno::BADF)));
        }
        Ok(Self { file: own.into(), place: None })
    }

    /// Writes the report as one JSON document with a final newline.
    ///
    /// # Errors
    /// It cannot be written, or the file's name no longer leads to the file that was opened.
    pub fn write(mut self, report: &Report) -> Result<(), SinkError> {
        self.restart()?;
        let mut text =
            serde_json::to_string_pretty(report).map_err(|error| SinkError::Write(error.into()))?;
        text.push('\n');
        self.put(text.as_bytes())?;
        self.check()
    }

    /// Empties a file; says whether it is one.
    pub(crate) fn restart(&mut self) -> Result<bool, SinkError> {
        if self.place.is_some() {
            self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(SinkError::Write)?;
        }
        Ok(self.place.is_some())
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.file.write_all(bytes).map_err(SinkError::Write)
    }

    /// A write of a page would not wait for a reader.
    pub(crate) fn has_room(&self) -> bool {
        let mut asked = [PollFd::new(&self.file, PollFlags::OUT)];
        let now = Timespec::default();
        matches!(poll(&mut asked, Some(&now)), Ok(1)) && asked[0].revents() == PollFlags::OUT
    }

    /// The file's name still leads to it.
    pub(crate) fn check(&self) -> Result<(), SinkError> {
        match &self.place {
            Some(place) if !place.leads_to(&self.file) => Err(SinkError::Replaced(place.path.clone())),
            _ => Ok(()),
        }
    }
}

impl Place {
    fn leads_to(&self, file: &File) -> bool {
        let there = rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        match (there, rustix::fs::fstat(file)) {
            (Ok(there), Ok(ours)) => (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino),
            _ => false,
        }
    }
}

/// Opens the folder that a file is in. None when an earlier jar may have made a symlink on the way: what a jar makes belongs to its caller, so
/// root can trust none, and others those of root.
pub(crate) fn folder_of(path: &Path) -> Result<Option<OwnedFd>, Errno> {
    let path = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let plain = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let path = std::path::absolute(path).map_err(plain)?;
    let real = Walker::new(&[]).real(&path).map_err(plain)?;
    let is_root = rustix::process::geteuid().is_root();
    for (link, _) in &real.links {
        if is_root || rustix::fs::lstat(link)?.st_uid != 0 {
            return Ok(None);
        }
    }
    let how = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(CWD, &real.path, how, Mode::empty(), ResolveFlags::NO_SYMLINKS).map(Some)
}

/// Says why this is no file to write to for the user.
pub(crate) fn unfit(file: impl AsFd) -> rustix::io::Result<Option<&'static str>> {
    let stat = rustix::fs::fstat(file)?;
    let mine = stat.st_uid == rustix::process::geteuid().as_raw();
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if !mine => Some("a file of another user"),
        FileType::RegularFile if stat.st_nlink > 1 => Some("a file with several names"),
        FileType::RegularFile => None,
        _ => Some("not a plain file"),
    })
}

/// A descriptor of our own for an open number. A pidfd of ourselves asks the kernel without trusting that it is open;
/// container filters refuse that, and there `/proc` opens everything but sockets.
fn own_copy(number: i32) -> rustix::io::Result<OwnedFd> {
    let me = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    match me.and_then(|me| rustix::process::pidfd_getfd(me, number, PidfdGetfdFlags::empty())) {
        Err(Errno::PERM | Errno::NOSYS) => {
            let again = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
            rustix::fs::open(format!("/proc/self/fd/{number}"), again, Mode::empty())
        }
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_needs_a_plain_number() {
        for text in ["fd:", "fd:x", "fd:-1", "fd:+3", "fd:99999999999"] {
            assert!(matches!(Target::parse(text.as_ref()), Err(SinkError::Number(_))), "{text}");
        }
    }

    #[test]
    fn a_closed_descriptor_is_refused() {
        assert!(matches!(
            Sink::open(&Target::Descriptor(873)),
            Err(SinkError::Descriptor { number: 873, .. })
        ));
    }

    #[test]
    fn a_device_is_refused() {
        let opened = Sink::open(&Target::File("/dev/null".into()));
        assert!(matches!(opened, Err(SinkError::Unfit { what: "not a plain file", .. })), "{opened:?}");
    }
}
