//! One folder of a control group file system, always reached by descriptor: a path could be moved meanwhile.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::LimitError;

/// An open folder. The path is for messages only.
#[derive(Debug)]
pub(super) struct Node {
    dir: OwnedFd,
    pub(super) path: PathBuf,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Node {
    /// Opens a folder of the host.
    pub(super) fn open(path: &Path) -> Result<Self, LimitError> {
        let dir =
            rustix::fs::open(path, FOLDER, Mode::empty()).map_err(|errno| failed("open", path, errno))?;
        Ok(Self { dir, path: path.to_owned() })
    }

    /// Opens a folder below this one.
    pub(super) fn child(&self, name: &str) -> Result<Self, LimitError> {
        let path = self.path.join(name);
        let opened = rustix::fs::openat(&self.dir, name, FOLDER, Mode::empty());
        Ok(Self { dir: opened.map_err(|errno| failed("open", &path, errno))?, path })
    }

    /// Makes a folder below this one; it must not exist.
    pub(super) fn make(&self, name: &str) -> Result<(), LimitError> {
        let made = rustix::fs::mkdirat(&self.dir, name, Mode::from_raw_mode(0o755));
        made.map_err(|errno| failed("make", &self.path.join(name), errno))
    }

    /// Opens a folder below this one, made if absent.
    pub(super) fn make_or_open(&self, name: &str) -> Result<Self, LimitError> {
        match self.make(name) {
            Ok(()) | Err(LimitError::Io { errno: Errno::EXIST, .. }) => self.child(name),
            Err(error) => Err(error),
        }
    }

    /// Removes an empty folder below this one.
    pub(super) fn remove(&self, name: &str) -> Result<(), Errno> {
        rustix::fs::unlinkat(&self.dir, name, AtFlags::REMOVEDIR)
    }

    /// Takes the lock that says "my supervisor lives"; false if another one holds it.
    pub(super) fn lock(&self) -> bool {
        rustix::fs::flock(&self.dir, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// `name` below this folder is still `child`.
    pub(super) fn holds(&self, name: &str, child: &Self) -> bool {
        let named = rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| stat.st_ino);
        named.is_ok() && named == rustix::fs::fstat(&child.dir).map(|stat| stat.st_ino)
    }

    /// Names of the folders below this one; what cannot be read is left out.
    pub(super) fn folders(&self) -> Vec<String> {
        let Ok(entries) = Dir::read_from(self.dir.as_fd()) else { return Vec::new() };
        let folders = entries.flatten().filter(|entry| entry.file_type() == rustix::fs::FileType::Directory);
        let names = folders.filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// Writes a control file in one call.
    pub(super) fn write(&self, file: &str, text: &str) -> Result<(), LimitError> {
        let fd = self.control(file, OFlags::WRONLY)?;
        let written = rustix::io::write(&fd, text.as_bytes());
        written.map(drop).map_err(|errno| failed("write", &self.path.join(file), errno))
    }

    /// Writes a control file that some kernels lack.
    pub(super) fn write_if_there(&self, file: &str, text: &str) -> Result<(), LimitError> {
        match self.write(file, text) {
            Err(LimitError::Io { errno: Errno::NOENT, .. }) => Ok(()),
            other => other,
        }
    }

    /// Text of a control file, up to a page; none if it is absent or unreadable.
    pub(super) fn read(&self, file: &str) -> Option<String> {
        let fd = self.control(file, OFlags::RDONLY).ok()?;
        let mut bytes = vec![0_u8; 4096];
        let length = rustix::io::read(&fd, &mut bytes).ok()?;
        bytes.truncate(length);
        String::from_utf8(bytes).ok()
    }

    /// A control file that is one number.
    pub(super) fn number(&self, file: &str) -> Option<u64> {
        self.read(file)?.trim().parse().ok()
    }

    /// The number after `key` in a control file of `key number` lines.
    pub(super) fn counter(&self, file: &str, key: &str) -> Option<u64> {
        let text = self.read(file)?;
        let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|pair| pair.0 == key)?.1.trim().parse().ok()
    }

    /// A control file has this word.
    pub(super) fn has_word(&self, file: &str, word: &str) -> bool {
        self.read(file).is_some_and(|text| text.split_whitespace().any(|found| found == word))
    }

    /// Opens a control file.
    pub(super) fn control(&self, file: &str, mode: OFlags) -> Result<OwnedFd, LimitError> {
        let flags = mode | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = rustix::fs::openat(&self.dir, file, flags, Mode::empty());
        opened.map_err(|errno| failed("open", &self.path.join(file), errno))
    }

    /// The folder's descriptor (`CLONE_INTO_CGROUP` takes it).
    pub(super) fn fd(&self) -> &OwnedFd {
        &self.dir
    }
}

fn failed(action: &'static str, path: &Path, errno: Errno) -> LimitError {
    LimitError::Io { action, path: path.to_owned(), errno }
}
