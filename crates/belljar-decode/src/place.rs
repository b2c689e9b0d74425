//! Where results go: whole files in one folder, none overwritten unless asked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    Access, AtFlags, Mode, OFlags, RenameFlags, accessat, openat, renameat, renameat_with, unlinkat,
};

/// The folder.
#[derive(Debug)]
pub(crate) struct Place {
    folder: OwnedFd,
    overwrite: bool,
    next: AtomicU64,
}

impl Place {
    /// Opens the folder, and makes it first where it is not there.
    pub(crate) fn open(path: &Path, overwrite: bool) -> io::Result<Self> {
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty())?;
        // Told now, and not after each picture.
        accessat(&folder, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?;
        Ok(Self { folder, overwrite, next: AtomicU64::new(0) })
    }

    /// Puts a file there, whole or not at all.
    pub(crate) fn put(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let draft = format!(".belljar-{}-{number}.part", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, &draft, flags, Mode::from_raw_mode(0o666))?;
        let done = File::from(file).write_all(bytes).and_then(|()| self.name(&draft, name));
        if done.is_err() {
            // The first failure is the one to tell.
            unlinkat(&self.folder, &draft, AtFlags::empty()).unwrap_or(());
        }
        done
    }

    fn name(&self, draft: &str, name: &OsStr) -> io::Result<()> {
        if self.overwrite {
            return Ok(renameat(&self.folder, draft, &self.folder, name)?);
        }
        Ok(renameat_with(&self.folder, draft, &self.folder, name, RenameFlags::NOREPLACE)?)
    }
}

/// What the result of a file is called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// As the file, with `.png` behind.
    Own(OsString),
    /// As that of an earlier file, by its place: one of both would be lost.
    Taken(OsString, usize),
    /// The file has none, as `..`.
    Without,
}

/// The name for each file, whoever is done first.
pub(crate) fn names(files: &[PathBuf]) -> Vec<Name> {
    let mut first = HashMap::new();
    let name = |(at, file): (usize, &PathBuf)| {
        let Some(name) = file.file_name() else { return Name::Without };
        let mut name = name.to_owned();
        name.push(".png");
        match first.entry(name.clone()) {
            Entry::Occupied(taken) => Name::Taken(name, *taken.get()),
            Entry::Vacant(free) => {
                free.insert(at);
                Name::Own(name)
            }
        }
    };
    files.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_stays_unless_asked() {
        let at = tempfile::tempdir().unwrap();
        let out = at.path().join("out");
        let keeps = Place::open(&out, false).unwrap();
        keeps.put("a.png".as_ref(), b"first").unwrap();
        let taken = keeps.put("a.png".as_ref(), b"second").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        std::os::unix::fs::symlink(at.path().join("elsewhere"), out.join("b.png")).unwrap();
        assert!(keeps.put("b.png".as_ref(), b"second").is_err(), "a link is a name too");
        Place::open(&out, true).unwrap().put("a.png".as_ref(), b"second").unwrap();
        Place::open(&out, true).unwrap().put("b.png".as_ref(), b"plain").unwrap();
        assert_eq!(fs::read(out.join("a.png")).unwrap(), b"second");
        assert!(
            fs::symlink_metadata(out.join("b.png")).unwrap().is_file(),
            "the link was replaced, not followed"
        );
        assert!(!at.path().join("elsewhere").try_exists().unwrap());
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "no draft is left");
    }

    #[test]
    fn results_are_named_after_their_files() {
        let files = ["in/a.jpg", "b.jpg", "in/..", "a.jpg", "a.png"].map(PathBuf::from);
        let own = |name: &str| Name::Own(name.into());
        let names = names(&files);
        assert_eq!(names[..3], [own("a.jpg.png"), own("b.jpg.png"), Name::Without]);
        assert_eq!(names[3..], [Name::Taken("a.jpg.png".into(), 0), own("a.png.png")]);
    }
}
