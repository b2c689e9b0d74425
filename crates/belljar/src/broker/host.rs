//! Files that only the host has, for judges that [open them](super::Judge::opens_host): an answer to a question can grant one.
//!
//! The path is taken as the jar said it, without symlinks and without `..`; what is open is a plain file, and its own name
//! again before anybody is asked about it. Folders are never handed over: everything above them would come along. What is
//! granted for reading is a copy, since a descriptor of the file itself would be enough to change its mode and times.

use std::ffi::OsString;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{
    AtFlags, CWD, FileType, MemfdFlags, Mode, OFlags, RenameFlags, ResolveFlags, SealFlags, Timespec,
    Timestamps, chmodat, fcntl_add_seals, fstat, futimens, linkat, memfd_create, openat, openat2,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::caller::own_name;
use super::entry::one_mount;
use super::judge::Wanted;
use super::own::{start, text_of};
use super::task::{Name, Stop, Task};
use super::walk;

/// Bytes of all copies of one run: they lie in memory of the supervisor's user, as long as the jar likes.
const MOST: u64 = 256 << 20;
/// What the kernel gives a file in memory at least, and whole pages of which it has: a page for what it knows of it, at most.
const PAGE: u64 = 4096;

/// What was copied, by device, inode, size and time of change.
type Identity = (u64, u64, u64, i64, i64);

/// Copies that were made: opening a file again costs no memory.
#[derive(Debug, Default)]
pub(super) struct Copies(Mutex<Made>);

#[derive(Debug, Default)]
struct Made {
    /// Files that were made on the host, by device and inode; a descriptor keeps each inode's number.
    files: Vec<((u64, u64), OwnedFd)>,
    list: Vec<(Identity, OwnedFd)>,
    bytes: u64,
}

/// A plain file that the host has at the path of a call, when it may be had.
pub(super) fn find(task: &Task<'_>, name: &Name, wanted: Wanted) -> Result<OwnedFd, Stop> {
    let path = path(task, name)?;
    let fd = open(task, &path, OFlags::empty())?;
    match kind(&fd)? {
        FileType::RegularFile => task.decide_host(wanted, &path)?,
        // Told, so that the user learns of it, and never granted.
        FileType::Directory => {
            task.decide_host(wanted, &path)?;
            return Err(Errno::NOENT.into());
        }
        _ => return Err(Errno::NOENT.into()),
    }
    Ok(fd)
}

/// Whether something is there. What cannot be looked at is not.
pub(super) fn has(task: &Task<'_>, name: &Name) -> Result<bool, Stop> {
    Ok(statat(CWD, path(task, name)?, AtFlags::SYMLINK_NOFOLLOW).is_ok())
}

/// What the host has there, for calls that only look: a file that may be read, with the attributes of what opening it gives,
/// or a folder on the way to one.
pub(super) fn look(task: &Task<'_>, name: &Name, wanted: Wanted) -> Result<OwnedFd, Stop> {
    let path = path(task, name)?;
    let fd = open(task, &path, OFlags::empty())?;
    match kind(&fd)? {
        FileType::RegularFile => task.decide_host(wanted, &path)?,
        FileType::Directory => {
            task.decide_host(Wanted::Look, &path)?;
            return Ok(fd);
        }
        _ => return Err(Errno::NOENT.into()),
    }
    match wanted {
        Wanted::Write => Ok(fd),
        _ if task.shared.judge.writes_host(&path) => Ok(fd),
        // What is too large for a copy cannot be opened either.
        _ => Ok(task.shared.copies.of(&fd).unwrap_or(fd)),
    }
}

/// Makes a file that the host does not have yet, when that is granted. What came there meanwhile is left alone.
pub(super) fn make(task: &Task<'_>, name: &Name, flags: OFlags, mode: u32) -> Result<OwnedFd, Stop> {
    let path = path(task, name)?;
    let (folder, entry) = path.parent().zip(path.file_name()).ok_or(Errno::NOENT)?;
    let folder = open(task, folder, OFlags::DIRECTORY)?;
    task.decide_host(Wanted::Write, &path)?;
    // Nothing that is made here can be run.
    let mode = task.masked(mode & 0o666)?;
    let only_new = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let made = openat(&folder, entry, flags | only_new, mode)?;
    task.shared.copies.note_made(&made);
    Ok(made)
}

/// Makes a file in a folder of the host that no name leads to, when that is granted. A name is granted by itself.
pub(super) fn make_unnamed(task: &Task<'_>, name: &Name, flags: OFlags, mode: u32) -> Result<OwnedFd, Stop> {
    let path = path(task, name)?;
    let folder = open(task, &path, OFlags::DIRECTORY)?;
    match task.decide_host(Wanted::Unnamed, &path) {
        // Programs that hear so make a file that has a name.
        Err(Stop::Fails(Errno::NOENT)) if task.decide_host(Wanted::Look, &path).is_ok() => {
            return Err(Errno::OPNOTSUPP.into());
        }
        decided => decided?,
    }
    let mode = task.masked(mode & 0o666)?;
    let made = openat(&folder, ".", flags | OFlags::TMPFILE | OFlags::NOCTTY | OFlags::CLOEXEC, mode)?;
    // Whatever the flags are: a descriptor of the folder itself leads to all that is around it.
    if kind(&made)? == FileType::RegularFile { Ok(made) } else { Err(Errno::OPNOTSUPP.into()) }
}

/// Moves a plain file to a name of a plain file, or of nothing, when writing both is granted: that is how programs save.
/// Nothing else is replaced, and what the jar has elsewhere is copied by programs that hear so.
pub(super) fn rename(task: &Task<'_>, old: &Name, new: &Name, how: RenameFlags) -> Result<(), Stop> {
    both_outside(task, old, new)?;
    if !(how - RenameFlags::NOREPLACE).is_empty() {
        return Err(Errno::NOENT.into());
    }
    let (from, to) = writable_pair(task, old, new)?;
    let file = from.file.as_ref().ok_or(Errno::NOENT)?;
    if !from.still_is(file)? {
        return Err(Errno::NOENT.into());
    }
    // What came there meanwhile is left alone.
    let only_new = if to.file.is_none() { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
    Ok(renameat_with(&from.folder, &from.name, &to.folder, &to.name, how | only_new)?)
}

/// Gives a plain file a further name, when writing both is granted: the other way in which programs save. What has that name
/// already is left alone.
pub(super) fn link(task: &Task<'_>, old: &Name, new: &Name) -> Result<(), Stop> {
    both_outside(task, old, new)?;
    let (from, to) = writable_pair(task, old, new)?;
    let file = from.file.as_ref().ok_or(Errno::NOENT)?;
    Ok(linkat(CWD, own_name(file), &to.folder, &to.name, AtFlags::SYMLINK_FOLLOW)?)
}

/// Gives a file that has none a name that nothing has, when making that is granted.
pub(super) fn name(task: &Task<'_>, file: &OwnedFd, new: &Name) -> Result<(), Stop> {
    let to = Entry::of(task, path(task, new)?)?;
    one_mount(file, &to.folder)?;
    task.decide_host(Wanted::Write, &to.path)?;
    linkat(CWD, own_name(file), &to.folder, &to.name, AtFlags::SYMLINK_FOLLOW)?;
    task.shared.copies.note_made(file);
    Ok(())
}

/// Neither name is the jar's own. What the jar has elsewhere is copied by programs that hear of another device.
fn both_outside(task: &Task<'_>, old: &Name, new: &Name) -> Result<(), Stop> {
    match (is_own(task, old), is_own(task, new)) {
        (false, false) => Ok(()),
        (true, true) => Err(Errno::NOENT.into()),
        _ => Err(Errno::XDEV.into()),
    }
}

/// A plain file and a name for it on the same mount, both granted for writing.
fn writable_pair(task: &Task<'_>, old: &Name, new: &Name) -> Result<(Entry, Entry), Stop> {
    let (from, to) = (Entry::of(task, path(task, old)?)?, Entry::of(task, path(task, new)?)?);
    if from.file.is_none() {
        return Err(Errno::NOENT.into());
    }
    one_mount(&from.folder, &to.folder)?;
    task.decide_host(Wanted::Write, &from.path)?;
    task.decide_host(Wanted::Write, &to.path)?;
    Ok((from, to))
}

/// Removes what this run has made, when writing it is granted.
pub(super) fn remove(task: &Task<'_>, name: &Name) -> Result<(), Stop> {
    let entry = Entry::of(task, path(task, name)?)?;
    let Some(file) = entry.file.as_ref().filter(|file| task.shared.copies.has_made(file)) else {
        return Err(Errno::NOENT.into());
    };
    task.decide_host(Wanted::Write, &entry.path)?;
    if !entry.still_is(file)? {
        return Err(Errno::NOENT.into());
    }
    Ok(unlinkat(&entry.folder, &entry.name, AtFlags::empty())?)
}

/// The jar itself has the folder, and may write there.
fn is_own(task: &Task<'_>, name: &Name) -> bool {
    let place = walk::parent(task, name, |_| Errno::BUSY);
    place.is_ok_and(|spot| task.decide_writing(&spot.path).is_ok())
}

/// A name in a folder of the host: of a plain file, or of nothing.
struct Entry {
    path: PathBuf,
    folder: OwnedFd,
    name: OsString,
    file: Option<OwnedFd>,
}

impl Entry {
    fn of(task: &Task<'_>, path: PathBuf) -> Result<Self, Stop> {
        let (folder, name) = path.parent().zip(path.file_name()).ok_or(Errno::NOENT)?;
        let (folder, name) = (open(task, folder, OFlags::DIRECTORY)?, name.to_owned());
        let file = match statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(errno.into()),
            Ok(_) => Some(open(task, &path, OFlags::empty())?),
        };
        match &file {
            Some(file) if kind(file)? != FileType::RegularFile => Err(Errno::NOENT.into()),
            _ => Ok(Self { path, folder, name, file }),
        }
    }

    /// The name still means the file that was decided about.
    fn still_is(&self, file: &OwnedFd) -> Result<bool, Errno> {
        let (own, now) = (fstat(file)?, statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW)?);
        Ok((own.st_dev, own.st_ino) == (now.st_dev, now.st_ino))
    }
}

/// The path without symlinks; whatever it is that cannot be had: the jar learns that nothing is there.
fn open(task: &Task<'_>, path: &Path, more: OFlags) -> Result<OwnedFd, Stop> {
    let bounds = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    let fd = openat2(CWD, path, flags, Mode::empty(), bounds).map_err(|_| Errno::NOENT)?;
    if text_of(task, &fd)? == path { Ok(fd) } else { Err(Errno::NOENT.into()) }
}

fn kind(fd: &OwnedFd) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode))
}

/// The absolute path that the jar meant.
fn path(task: &Task<'_>, name: &Name) -> Result<PathBuf, Stop> {
    let whole = match name.text.is_absolute() {
        true => name.text.clone(),
        false => start(task, name.at)?.path.ok_or(Errno::NOENT)?.join(&name.text),
    };
    if whole.components().any(|part| part == Component::ParentDir) {
        return Err(Errno::NOENT.into());
    }
    Ok(whole.components().collect())
}

/// Most files of one run that are remembered as its own; each holds a descriptor.
const MOST_MADE: usize = 64;

impl Copies {
    fn note_made(&self, file: &OwnedFd) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = fstat(file).map(|stat| (stat.st_dev, stat.st_ino));
        // Without rights and opened anew: locks of the jar's own descriptor end when the jar closes it.
        let kept = openat(CWD, own_name(file), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        if let (Ok(own), Ok(kept), true) = (own, kept, made.files.len() < MOST_MADE) {
            made.files.push((own, kept));
        }
    }

    fn has_made(&self, file: &OwnedFd) -> bool {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fstat(file).is_ok_and(|stat| made.files.iter().any(|(own, _)| *own == (stat.st_dev, stat.st_ino)))
    }

    /// A descriptor for reading what the file holds now.
    pub(super) fn of(&self, file: &OwnedFd) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let mut from = std::fs::File::from(openat(CWD, own_name(file), flags, Mode::empty())?);
        let io = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let meta = from.metadata().map_err(io)?;
        let identity = (meta.dev(), meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec());
        // Threads that want the same wait for the first.
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.list.iter().any(|(known, _)| *known == identity) {
            let left = MOST.saturating_sub(made.bytes).saturating_sub(PAGE);
            let (copy, bytes) = copied(&mut from, left)?;
            // Programs compare times of what they looked at with those of what they opened.
            futimens(&copy, &times(&meta))?;
            made.bytes = made.bytes.saturating_add(bytes.next_multiple_of(PAGE)).saturating_add(PAGE);
            // What it held before is asked for by nobody any more: each copy takes a descriptor here.
            made.list.retain(|(known, _)| (known.0, known.1) != (identity.0, identity.1));
            made.list.push((identity, copy));
        }
        let copy = made.list.iter().find(|(known, _)| *known == identity).ok_or(Errno::IO)?;
        let name = own_name(&copy.1);
        // Whoever has it may have changed its mode.
        let mode = Mode::from_bits_retain(meta.mode() & 0o555) | Mode::RUSR;
        chmodat(CWD, &name, mode, AtFlags::empty())?;
        openat(CWD, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }
}

fn times(meta: &std::fs::Metadata) -> Timestamps {
    let time = |tv_sec, tv_nsec| Timespec { tv_sec, tv_nsec };
    Timestamps {
        last_access: time(meta.atime(), meta.atime_nsec()),
        last_modification: time(meta.mtime(), meta.mtime_nsec()),
    }
}

fn copied(from: &mut std::fs::File, most: u64) -> Result<(OwnedFd, u64), Errno> {
    let io = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know that it is no program.
    let made = memfd_create("belljar-copy", flags | MemfdFlags::NOEXEC_SEAL);
    let made = made.or_else(|_| memfd_create("belljar-copy", flags))?;
    let mut to = std::fs::File::from(made);
    let mut bytes = vec![0; 64 << 10];
    let mut all = 0_u64;
    loop {
        let count = from.read(&mut bytes).map_err(io)?;
        all = all.saturating_add(count as u64);
        if all > most {
            return Err(Errno::FBIG);
        }
        if count == 0 {
            break;
        }
        to.write_all(bytes.get(..count).unwrap_or_default()).map_err(io)?;
    }
    to.rewind().map_err(io)?;
    fcntl_add_seals(&to, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok((to.into(), all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::NamedTempFile, OwnedFd) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let fd = openat(CWD, file.path(), OFlags::PATH, Mode::empty()).unwrap();
        (file, fd)
    }

    #[test]
    fn a_copy_is_made_once_and_changes_nothing() {
        let (file, fd) = file("text");
        let copies = Copies::default();
        for _ in 0..3 {
            let mut copy = std::fs::File::from(copies.of(&fd).unwrap());
            let mut text = String::new();
            copy.read_to_string(&mut text).unwrap();
            assert_eq!(text, "text");
            rustix::fs::fchmod(&copy, Mode::empty()).unwrap();
        }
        assert_eq!(copies.0.lock().unwrap().list.len(), 1);
        assert_ne!(file.path().metadata().unwrap().mode() & 0o777, 0);
    }

    #[test]
    fn copies_of_one_run_are_bounded() {
        let (_file, fd) = file("text");
        let copies = Copies::default();
        copies.0.lock().unwrap().bytes = MOST - PAGE - 3;
        assert_eq!(copies.of(&fd).unwrap_err(), Errno::FBIG);
    }

    /// Whoever may write a file as well has it copied anew as often as it likes.
    #[test]
    fn a_file_that_changes_takes_one_descriptor_and_whole_pages() {
        let (mut file, fd) = file("text");
        let copies = Copies::default();
        for count in 1..20 {
            file.write_all(b"x").unwrap();
            copies.of(&fd).unwrap();
            let made = copies.0.lock().unwrap();
            assert_eq!((made.list.len(), made.bytes), (1, count * 2 * PAGE));
        }
    }
}
