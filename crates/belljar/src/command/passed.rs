//! Descriptors that a program gets by name.
//!
//! A number cannot be agreed on beforehand: those of a program with threads are taken and given back at any moment. So each
//! descriptor keeps the number it has, and a variable tells the program which.

use std::os::fd::{AsRawFd, OwnedFd};

use belljar_policy::{FdMode, Origin, PassFd};
use belljar_sys::Fd;
use rustix::fs::{OFlags, fcntl_getfl};

use crate::error::StartError;

/// What the name of a descriptor's variable starts with; the rest is the descriptor's name, the value its number.
const PREFIX: &str = "BELLJAR_FD_";

/// A descriptor and the name under which the program finds it.
#[derive(Debug)]
pub(crate) struct Named {
    name: String,
    fd: OwnedFd,
}

impl Named {
    /// In a process that has closed a standard descriptor, what it opens next has such a number; it is given another one.
    pub(super) fn new(name: &str, fd: OwnedFd) -> Self {
        let higher = (fd.as_raw_fd() < 3).then(|| rustix::io::fcntl_dupfd_cloexec(&fd, 3).ok()).flatten();
        Self { name: name.to_owned(), fd: higher.unwrap_or(fd) }
    }

    /// The variable that tells its number.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// What a policy says of a passed descriptor: it may be used for what it was opened for.
    pub(super) fn rule(&self) -> Result<PassFd, StartError> {
        let number = self.fd.as_raw_fd();
        let fd = u16::try_from(number).unwrap_or(u16::MAX);
        let refuse = |why| StartError::Descriptor { fd, origin: self.variable(), why };
        if !is_name(&self.name) {
            return Err(refuse("needs a name of letters, digits and underscores"));
        }
        if number < 3 || Fd::from(fd) != number {
            return Err(refuse("has a number that cannot be passed: copy it to one between 3 and 65535"));
        }
        let flags = fcntl_getfl(&self.fd).map_err(|_| refuse("has no flags"))?;
        let mode = match flags & OFlags::RWMODE {
            _ if flags.contains(OFlags::PATH) => FdMode::Any,
            OFlags::RDONLY => FdMode::Read,
            OFlags::WRONLY => FdMode::Write,
            _ => FdMode::Any,
        };
        Ok(PassFd { fd, mode, origin: Origin::Api })
    }

    pub(super) fn number(&self) -> String {
        self.fd.as_raw_fd().to_string()
    }
}

/// What a variable's name may be made of.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// In the program: a copy of the descriptor that was passed by this name ([`Command::pass`](crate::Command::pass)). None where
/// there is none, or it was closed.
///
/// ```
/// assert!(belljar::passed("log").is_none());
/// ```
#[must_use]
pub fn passed(name: &str) -> Option<OwnedFd> {
    let number = std::env::var(format!("{PREFIX}{name}")).ok()?;
    belljar_sys::owned::duplicate(number.parse().ok()?).ok()
}

/// In the program: whether it was told of a descriptor of this name, be it open or not.
pub(crate) fn is_passed(name: &str) -> bool {
    std::env::var_os(format!("{PREFIX}{name}")).is_some()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn names_are_words_and_modes_those_of_the_descriptor() {
        let named = |name: &str, file: File| Named::new(name, file.into()).rule();
        let null = |options: &mut std::fs::OpenOptions| options.open("/dev/null").unwrap();
        let read = named("config", null(File::options().read(true))).unwrap();
        assert_eq!(read.mode, FdMode::Read);
        assert_eq!(named("log_2", null(File::options().write(true))).unwrap().mode, FdMode::Write);
        assert_eq!(named("x", null(File::options().read(true).write(true))).unwrap().mode, FdMode::Any);
        for bad in ["", "a b", "a=b", "ä", "a\0"] {
            assert!(named(bad, null(File::options().read(true))).is_err(), "{bad:?}");
        }
    }
}
