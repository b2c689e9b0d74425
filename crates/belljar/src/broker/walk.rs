//! From a path as the jar said it to something that is open. Nothing is ever found outside of the jar's root, links of `/proc`
//! that are no text are followed only to what belongs to the caller itself, and `self` is the caller, not the supervisor.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2, readlinkat};
use rustix::io::Errno;

use super::own::{
    Held, descriptor_number, is_number, is_proc, is_proc_root, kind_of, own, process_target, root, start,
    text_of,
};
use super::task::{Name, Stop, Task};

/// As many as the kernel follows.
const MAX_LINKS: u32 = 40;
/// Tries of a walk that something renamed under it.
const MAX_TRIES: u32 = 8;

/// Where a walk ended.
#[derive(Debug)]
pub(super) enum Found {
    /// At something.
    Object(Held),
    /// At a descriptor of the caller's own, by its number, and what it refers to: the jar has no path to that.
    Elsewhere(Held, i32),
    /// At a folder that lacks the last name.
    Missing(Spot),
    /// Nowhere: this path, which has no symlinks, or something on the way is not there.
    Nothing(PathBuf),
}

impl Found {
    /// What is there.
    pub(super) fn object(self) -> Result<Held, Stop> {
        match self {
            Self::Object(held) => Ok(held),
            Self::Elsewhere(..) => Err(Errno::ACCESS.into()),
            Self::Missing(_) | Self::Nothing(_) => Err(Errno::NOENT.into()),
        }
    }
}

/// A name in an open folder.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) folder: OwnedFd,
    pub(super) name: OsString,
    /// Path of the folder with the name.
    pub(super) path: PathBuf,
    /// The path ended with a slash.
    pub(super) slash: bool,
}

/// What happens with a symlink at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// Finds what a path of the jar means.
pub(super) fn find(task: &Task<'_>, name: &Name, last: Last) -> Result<Found, Stop> {
    if name.text.as_os_str().is_empty() {
        return Err(Errno::NOENT.into());
    }
    let root = root(task)?;
    let from = match name.text.is_absolute() {
        true => None,
        false => Some(start(task, name.at)?),
    };
    if let Some(found) = quick(task, root, from.as_ref(), &name.text, last, OFlags::PATH)? {
        return Ok(found);
    }
    let mut tries = 0;
    loop {
        match Walk::new(task, root, from.as_ref(), &name.text, last)?.run() {
            Err(Stop::Fails(Errno::AGAIN)) if tries < MAX_TRIES => tries += 1,
            done => return done,
        }
    }
}

/// The same for who makes what is not there: the folder for it is found as well.
pub(super) fn find_place(task: &Task<'_>, name: &Name, last: Last) -> Result<Found, Stop> {
    match find(task, name, last)? {
        Found::Nothing(path) => place(task, path).map(Found::Missing),
        found => Ok(found),
    }
}

/// The folder of a path without symlinks.
fn place(task: &Task<'_>, path: PathBuf) -> Result<Spot, Stop> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::NOENT.into());
    };
    let bounds = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = openat2(root(task)?, folder, flags, Mode::empty(), bounds)?;
    Ok(Spot { folder: fd, name: name.to_owned(), slash: false, path })
}

/// The same, opened with rights at once; none where a slower way has to tell. Only for opens that change nothing and wait for
/// nobody, of what the jar itself could open: in its own root.
pub(super) fn open(task: &Task<'_>, name: &Name, last: Last, rights: OFlags) -> Result<Option<Found>, Stop> {
    // Devices are looked at before they are opened.
    if task.shared.hops || name.text.as_os_str().is_empty() || name.text.starts_with("/dev") {
        return Ok(None);
    }
    let root = root(task)?;
    let from = if name.text.is_absolute() { None } else { Some(start(task, name.at)?) };
    match quick(task, root, from.as_ref(), &name.text, last, rights) {
        Err(Stop::Fails(errno)) if errno != Errno::NOENT => Ok(None),
        done => done,
    }
}

/// The error for a path that ends in `/` (empty), `.` or `..`.
pub(super) type Whole = fn(&[u8]) -> Errno;

/// The folder and the last name of a path, for calls that make or remove an entry. `whole` is the error for a path that
/// ends in no name.
pub(super) fn parent(task: &Task<'_>, name: &Name, whole: Whole) -> Result<Spot, Stop> {
    let bytes = name.text.as_os_str().as_bytes();
    let kept = bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at.saturating_add(1));
    let (text, rest) = bytes.split_at(kept);
    let cut = text.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at.saturating_add(1));
    let (folder, entry) = text.split_at(cut);
    match (bytes, entry) {
        ([], _) => return Err(Errno::NOENT.into()),
        (_, [] | b"." | b"..") => return Err(whole(entry).into()),
        _ => {}
    }
    let held = match folder {
        [] => start(task, name.at)?,
        folder => {
            let text = PathBuf::from(OsStr::from_bytes(folder));
            find(task, &Name { at: name.at, text }, Last::Follow)?.object()?
        }
    };
    let path = held.path.ok_or(Errno::NOTDIR)?.join(OsStr::from_bytes(entry));
    Ok(Spot { folder: held.fd, name: OsString::from_vec(entry.to_vec()), path, slash: !rest.is_empty() })
}

/// One look by the kernel; none when a slower walk has to tell.
fn quick(
    task: &Task<'_>,
    root: BorrowedFd<'_>,
    from: Option<&Held>,
    text: &Path,
    last: Last,
    how: OFlags,
) -> Result<Option<Found>, Stop> {
    let (at, bounds, above) = match from {
        None => (root, ResolveFlags::IN_ROOT, Some(Path::new("/"))),
        Some(held) => (held.fd.as_fd(), ResolveFlags::BENEATH, held.path.as_deref()),
    };
    let follow = if last == Last::Keep { OFlags::NOFOLLOW } else { OFlags::empty() };
    let from = At { fd: at, bounds, how: how | follow | OFlags::CLOEXEC };
    if let Some(above) = above.filter(|_| is_plain(text)) {
        match from.open(text, ResolveFlags::NO_SYMLINKS) {
            Ok(fd) => return seen(task, fd, above.join(text)),
            Err(Errno::NOENT) if !task.shared.hops => return Ok(Some(Found::Nothing(above.join(text)))),
            Err(_) => {}
        }
    }
    let hops = task.shared.hops;
    match from.open(text, if hops { ResolveFlags::NO_SYMLINKS } else { ResolveFlags::NO_MAGICLINKS }) {
        Ok(fd) => {
            let path = text_of(task, &fd)?;
            seen(task, fd, path)
        }
        Err(Errno::NOENT | Errno::LOOP | Errno::XDEV | Errno::AGAIN) => Ok(None),
        Err(_) if hops => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Names of processes are the caller's: the kernel took the supervisor's, so a slower walk has to tell.
fn seen(task: &Task<'_>, fd: OwnedFd, path: PathBuf) -> Result<Option<Found>, Stop> {
    let (kind, proc) = kind_of(task, &fd)?;
    Ok((!proc).then(|| Found::Object(Held::of_kind(fd, path, kind))))
}

/// Where the kernel looks from, and how.
#[derive(Clone, Copy)]
struct At<'a> {
    fd: BorrowedFd<'a>,
    bounds: ResolveFlags,
    how: OFlags,
}

impl At<'_> {
    fn open(self, text: &Path, links: ResolveFlags) -> Result<OwnedFd, Errno> {
        openat2(self.fd, text, self.how, Mode::empty(), self.bounds | links)
    }
}

/// A path whose text, without symlinks, is where it leads: no `.`, no `..`, no empty name.
fn is_plain(text: &Path) -> bool {
    let bytes = text.as_os_str().as_bytes();
    let bytes = bytes.strip_prefix(b"/").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'/').all(|name| !matches!(name, [] | [b'.'] | [b'.', b'.']))
}

/// A walk name by name.
struct Walk<'a> {
    task: &'a Task<'a>,
    root: BorrowedFd<'a>,
    fd: OwnedFd,
    path: PathBuf,
    left: VecDeque<OsString>,
    last: Last,
    links: u32,
    /// What is found must be a folder.
    slash: bool,
}

impl<'a> Walk<'a> {
    fn new(
        task: &'a Task<'a>,
        root: BorrowedFd<'a>,
        from: Option<&Held>,
        text: &Path,
        last: Last,
    ) -> Result<Self, Stop> {
        let (fd, path) = match from {
            None => (root.try_clone_to_owned()?, PathBuf::from("/")),
            Some(held) => (held.fd.try_clone()?, held.path.clone().ok_or(Errno::NOTDIR)?),
        };
        let (left, slash) = (names(text), ends_in_folder(text));
        Ok(Self { task, root, fd, path, left, last, links: 0, slash })
    }

    fn run(mut self) -> Result<Found, Stop> {
        while let Some(name) = self.left.pop_front() {
            if name == ".." {
                self.up()?;
                continue;
            }
            let name = self.process(name)?;
            let fd = match self.entry(&name) {
                Err(Errno::NOENT) if self.left.is_empty() => return Ok(self.missing(name)),
                other => other?,
            };
            match FileType::from_raw_mode(fstat(&fd)?.st_mode) {
                FileType::Symlink if self.keeps() => return Ok(self.object(fd, &name)),
                FileType::Symlink => {
                    if let Some(found) = self.follow(&fd, &name)? {
                        return Ok(found);
                    }
                }
                FileType::Directory => self.enter(fd, &name)?,
                _ if self.left.is_empty() && !self.slash => return Ok(self.object(fd, &name)),
                _ => return Err(Errno::NOTDIR.into()),
            }
        }
        Ok(Found::Object(Held::new(self.fd, Some(self.path))))
    }

    fn entry(&self, name: &OsStr) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat2(&self.fd, name, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS)
    }

    fn keeps(&self) -> bool {
        self.left.is_empty() && self.last == Last::Keep && !self.slash
    }

    fn object(self, fd: OwnedFd, name: &OsStr) -> Found {
        Found::Object(Held::new(fd, Some(self.path.join(name))))
    }

    fn missing(self, name: OsString) -> Found {
        let path = self.path.join(&name);
        Found::Missing(Spot { folder: self.fd, name, path, slash: self.slash })
    }

    fn enter(&mut self, fd: OwnedFd, name: &OsStr) -> Result<(), Stop> {
        self.path.push(name);
        self.fd = fd;
        if self.task.shared.hops && !self.left.is_empty() {
            self.task.passes(&self.path)?;
        }
        Ok(())
    }

    /// The folder above, by its path: it has no links, so that is what `..` means.
    fn up(&mut self) -> Result<(), Stop> {
        self.path.pop();
        let bounds = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        self.fd = openat2(self.root, &self.path, flags, Mode::empty(), bounds)?;
        Ok(())
    }

    /// `self` and `thread-self` of `/proc` under the numbers that they have for the caller.
    fn process(&mut self, name: OsString) -> Result<OsString, Stop> {
        let thread = name == "thread-self";
        if self.keeps() {
            return Ok(name);
        }
        self.stay_out(&name)?;
        if !(thread || name == "self") || !is_proc_root(&self.fd) {
            return Ok(name);
        }
        let numbers = self.task.caller().numbers()?;
        if thread {
            self.left.push_front(numbers.own_thread.to_string().into());
            self.left.push_front("task".into());
        }
        Ok(numbers.own_group.to_string().into())
    }

    /// On the host's own `/proc` the supervisor has power over processes that a jar must not reach.
    fn stay_out(&self, name: &OsStr) -> Result<(), Stop> {
        if !self.task.shared.hops || !is_number(name) || !is_proc_root(&self.fd) {
            return Ok(());
        }
        let numbers = self.task.caller().numbers()?;
        if numbers.are(name) { Ok(()) } else { Err(Errno::NOENT.into()) }
    }

    /// Goes on where a symlink leads; what it leads to when that is the end.
    fn follow(&mut self, link: &OwnedFd, name: &OsStr) -> Result<Option<Found>, Stop> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP.into());
        }
        if self.task.shared.hops {
            self.task.passes(&self.path.join(name))?;
        }
        if is_proc(&self.fd) && !is_proc_root(&self.fd) {
            return self.magic(name);
        }
        let target = readlinkat(link, c"", Vec::new())?.into_bytes();
        let target = PathBuf::from(OsString::from_vec(target));
        if target.is_absolute() {
            (self.fd, self.path) = (self.root.try_clone_to_owned()?, PathBuf::from("/"));
        }
        if self.left.is_empty() {
            self.slash |= ends_in_folder(&target);
        }
        for name in names(&target).into_iter().rev() {
            self.left.push_front(name);
        }
        Ok(None)
    }

    /// A link of `/proc` that is no text: to what the caller itself has open, works in or runs; nothing else.
    fn magic(&mut self, name: &OsStr) -> Result<Option<Found>, Stop> {
        let fd = process_target(self.task, &self.path, name)?;
        let is_end = self.left.is_empty() && !self.slash;
        let number = descriptor_number(&self.path, name).filter(|_| is_end);
        let held = match (own(self.task, fd.try_clone()?), number) {
            (Err(Stop::Fails(Errno::ACCESS)), Some(number)) => {
                return Ok(Some(Found::Elsewhere(Held::new(fd, None), number)));
            }
            (held, _) => held?,
        };
        if is_end {
            return Ok(Some(Found::Object(held)));
        }
        self.path = held.path.ok_or(Errno::NOTDIR)?;
        self.fd = held.fd;
        Ok(None)
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let parts = path.as_os_str().as_bytes().split(|byte| *byte == b'/');
    parts.filter(|part| !matches!(*part, [] | [b'.'])).map(|part| OsString::from_vec(part.to_vec())).collect()
}

/// `a/`, `a/.` and `a/..` are folders or errors.
fn ends_in_folder(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let last = bytes.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    matches!(last, [] | b"." | b"..")
}
