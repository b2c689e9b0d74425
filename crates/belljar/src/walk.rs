//! From a path of the policy to the real one on this host, with the symlinks met on the way.

pub(crate) mod within;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, lstat, openat2, readlink};
use rustix::io::Errno;

use within::{is_same, is_within};

/// As many as the kernel follows.
const MAX_LINKS: usize = 40;

/// A path without symlinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Real {
    /// No component of it is a symlink.
    pub(crate) path: PathBuf,
    /// It is a folder.
    pub(crate) dir: bool,
    /// Symlinks on the way: where they are (no symlink above) and what they say.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
}

/// Follows symlinks as the kernel would for the caller. Remembers real folders, where a path needs one look, and what is
/// not there, below which nothing needs any.
#[derive(Clone, Debug)]
pub(crate) struct Walker<'a> {
    known: Vec<PathBuf>,
    absent: Vec<PathBuf>,
    /// Entries of `/` that are known to be symlinks.
    root_links: &'a [(String, PathBuf)],
}

impl<'a> Walker<'a> {
    pub(crate) fn new(root_links: &'a [(String, PathBuf)]) -> Self {
        Self { known: vec![PathBuf::from("/")], absent: Vec::new(), root_links }
    }

    /// The real path of an absolute one.
    pub(crate) fn real(&mut self, path: &Path) -> io::Result<Real> {
        self.real_plain(&within::plain(path))
    }

    fn real_plain(&mut self, path: &Path) -> io::Result<Real> {
        if self.root_link(path).is_some() {
            return self.through_links(path);
        }
        if self.knows(path) {
            return Ok(Real { path: path.to_path_buf(), dir: true, links: Vec::new() });
        }
        if self.absent.iter().any(|absent| is_within(path, absent)) {
            return Err(Errno::NOENT.into());
        }
        let dir = match self.shallow(path) {
            Some(Err(Errno::LOOP)) => return self.through_links(path),
            Some(found) => found?,
            None => match plain(path) {
                Err(Errno::LOOP) => return self.through_links(path),
                found => found?,
            },
        };
        if dir {
            self.known.push(path.to_path_buf());
        }
        Ok(Real { path: path.to_path_buf(), dir, links: Vec::new() })
    }

    /// The real path, opened: to be looked at and cloned, not read. None when it is not there.
    pub(crate) fn opened(&mut self, path: &Path) -> Option<(PathBuf, OwnedFd)> {
        let path = within::plain(path);
        if self.absent.iter().any(|absent| is_within(&path, absent)) {
            return None;
        }
        match open_plain(&path, OFlags::empty()) {
            Ok(opened) => Some((path, opened)),
            Err(Errno::NOENT) => {
                self.absent.push(path);
                None
            }
            Err(_) => {
                let real = self.path(&path)?;
                let opened = open_plain(&real, OFlags::empty()).ok()?;
                Some((real, opened))
            }
        }
    }

    /// Remembers a real folder.
    pub(crate) fn know(&mut self, folder: &Path) {
        if !self.knows(folder) {
            self.known.push(folder.to_path_buf());
        }
    }

    /// The same without its kind; none when it is not there.
    pub(crate) fn path(&mut self, path: &Path) -> Option<PathBuf> {
        self.real(path).ok().map(|real| real.path)
    }

    fn root_link(&self, path: &Path) -> Option<&'a Path> {
        let name = path.strip_prefix("/").ok()?.to_str()?;
        self.root_links.iter().find(|(link, _)| link == name).map(|(_, target)| target.as_path())
    }

    /// One look at an entry of a folder that is known to be real; none when the folder is not.
    fn shallow(&mut self, path: &Path) -> Option<rustix::io::Result<bool>> {
        let parent = path.parent()?;
        if parent.parent() == Some(Path::new("/")) && !self.knows(parent) && self.root_link(parent).is_none()
        {
            match self.real_plain(parent) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Err(Errno::NOENT)),
                found => found.ok()?,
            };
        }
        let found = self.knows(parent).then(|| entry(path))?;
        if found == Err(Errno::NOENT) {
            self.absent.push(path.to_path_buf());
        }
        Some(found)
    }

    fn knows(&self, path: &Path) -> bool {
        self.known.iter().any(|known| is_same(known, path))
    }

    fn through_links(&mut self, path: &Path) -> io::Result<Real> {
        let mut left: VecDeque<OsString> = names(path);
        let mut real = PathBuf::from("/");
        let mut links = Vec::new();
        while let Some(name) = left.pop_front() {
            if name == ".." {
                real.pop();
                continue;
            }
            let here = real.join(&name);
            match self.target(&here)? {
                Some(target) => {
                    follow(&mut real, &mut left, &target);
                    links.push((here, target));
                }
                None => real = here,
            }
            if links.len() > MAX_LINKS {
                return Err(Errno::LOOP.into());
            }
        }
        let dir =
            if self.knows(&real) { true } else { self.shallow(&real).unwrap_or_else(|| plain(&real))? };
        Ok(Real { path: real, dir, links })
    }

    /// What a symlink says; none for anything else.
    fn target(&mut self, here: &Path) -> io::Result<Option<PathBuf>> {
        if self.knows(here) {
            return Ok(None);
        }
        if let Some(target) = self.root_link(here) {
            return Ok(Some(target.to_path_buf()));
        }
        if let Some(Ok(dir)) = here.parent().filter(|parent| self.knows(parent)).map(|_| entry(here)) {
            if dir {
                self.known.push(here.to_path_buf());
            }
            return Ok(None);
        }
        match readlink(here, Vec::new()) {
            Ok(target) => Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes())))),
            Err(Errno::INVAL) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Whether an entry is a folder; a symlink is `ELOOP`.
fn entry(path: &Path) -> rustix::io::Result<bool> {
    match FileType::from_raw_mode(lstat(path)?.st_mode) {
        FileType::Symlink => Err(Errno::LOOP),
        kind => Ok(kind == FileType::Directory),
    }
}

/// Whether a path without symlinks is a folder.
pub(crate) fn plain(path: &Path) -> rustix::io::Result<bool> {
    match open_plain(path, OFlags::DIRECTORY) {
        Ok(_) => Ok(true),
        Err(Errno::NOTDIR) => open_plain(path, OFlags::empty()).map(|_| false),
        Err(errno) => Err(errno),
    }
}

fn open_plain(path: &Path, more: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | more;
    openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_os_string()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

fn follow(real: &mut PathBuf, left: &mut VecDeque<OsString>, target: &Path) {
    if target.is_absolute() {
        *real = PathBuf::from("/");
    }
    for name in names(target).into_iter().rev() {
        left.push_front(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_absolute_and_upward_links_are_followed_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        let base = Walker::new(&[]).real(folder.path()).unwrap().path;
        std::fs::create_dir_all(base.join("a/b")).unwrap();
        std::fs::write(base.join("a/b/file"), "").unwrap();
        std::os::unix::fs::symlink("a", base.join("one")).unwrap();
        std::os::unix::fs::symlink(base.join("one/b/../b"), base.join("two")).unwrap();
        let found = Walker::new(&[]).real(&base.join("two/file")).unwrap();
        assert_eq!(found.path, base.join("a/b/file"));
        assert!(!found.dir);
        let links: Vec<_> = found.links.iter().map(|(at, _)| at.clone()).collect();
        assert_eq!(links, [base.join("two"), base.join("one")]);
    }

    #[test]
    fn a_ring_of_links_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("ring", folder.path().join("ring")).unwrap();
        assert!(Walker::new(&[]).real(&folder.path().join("ring")).is_err());
    }
}
