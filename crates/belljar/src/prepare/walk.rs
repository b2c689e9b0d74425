//! From a path of the policy to the real one on this host, with the symlinks met on the way.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2, readlink};
use rustix::io::Errno;

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

/// Follows symlinks as the kernel would for the caller.
pub(crate) fn real(path: &Path) -> io::Result<Real> {
    match plain(path) {
        Ok(dir) => Ok(Real { path: path.to_path_buf(), dir, links: Vec::new() }),
        Err(Errno::LOOP) => through_links(path),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether a path without symlinks is a folder.
pub(crate) fn plain(path: &Path) -> rustix::io::Result<bool> {
    match open_plain(path, OFlags::DIRECTORY) {
        Ok(()) => Ok(true),
        Err(Errno::NOTDIR) => open_plain(path, OFlags::empty()).map(|()| false),
        Err(errno) => Err(errno),
    }
}

fn open_plain(path: &Path, more: OFlags) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::CLOEXEC | more;
    openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).map(drop)
}

fn through_links(path: &Path) -> io::Result<Real> {
    let mut left: VecDeque<OsString> = names(path);
    let mut real = PathBuf::from("/");
    let mut links = Vec::new();
    while let Some(name) = left.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        let here = real.join(&name);
        match readlink(&here, Vec::new()) {
            Ok(target) => {
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                follow(&mut real, &mut left, &target);
                links.push((here, target));
            }
            Err(Errno::INVAL) => real = here,
            Err(errno) => return Err(errno.into()),
        }
        if links.len() > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
    }
    let dir = plain(&real)?;
    Ok(Real { path: real, dir, links })
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
        let base = real(folder.path()).unwrap().path;
        std::fs::create_dir_all(base.join("a/b")).unwrap();
        std::fs::write(base.join("a/b/file"), "").unwrap();
        std::os::unix::fs::symlink("a", base.join("one")).unwrap();
        std::os::unix::fs::symlink(base.join("one/b/../b"), base.join("two")).unwrap();
        let found = real(&base.join("two/file")).unwrap();
        assert_eq!(found.path, base.join("a/b/file"));
        assert!(!found.dir);
        let links: Vec<_> = found.links.iter().map(|(at, _)| at.clone()).collect();
        assert_eq!(links, [base.join("two"), base.join("one")]);
    }

    #[test]
    fn a_ring_of_links_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("ring", folder.path().join("ring")).unwrap();
        assert!(real(&folder.path().join("ring")).is_err());
    }
}
