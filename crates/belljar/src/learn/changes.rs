//! What a jar changed in its overlays, read from the memory that held the changes, after everything in the jar has ended.
//! Nothing of the jar's making is followed: folders that it made are not entered, symlinks are looked at and left.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, StatxFlags, fgetxattr, fstat, openat, statat, statx,
};
use rustix::io::Errno;

use super::{Need, Observation};
use crate::prepare::Overlay;

/// Most observations that are kept: far more than anyone reads.
const MOST: usize = 10_000;

/// Folders in one another that are looked into: a rule does not have to be more exact, and each takes descriptors and stack.
const DEEPEST: usize = 64;

/// Everything that was changed, made or removed.
///
/// # Errors
/// The memory could not be read.
pub(crate) fn observed(aside: &OwnedFd, overlays: &[Overlay]) -> io::Result<Vec<Observation>> {
    let mut found = Vec::new();
    for overlay in overlays {
        let upper = open_folder(aside.as_fd(), overlay.upper.as_os_str())?;
        let lower = open_folder(CWD, overlay.from.as_os_str())?;
        let mut visit = Visit { found: &mut found, depth: 0 };
        let touched = was_touched_since_made(upper.as_fd())?;
        visit.folder(&upper, &lower, &overlay.at, touched)?;
    }
    found.truncate(MOST);
    Ok(found)
}

fn open_folder(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(dir, name, flags, Mode::empty())?)
}

/// The overlay's own upper folder starts empty: a later time of change means that something was there. A kernel that does not
/// tell when a folder was made leaves only what is still there.
fn was_touched_since_made(upper: BorrowedFd<'_>) -> io::Result<bool> {
    let found = statx(upper, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME | StatxFlags::MTIME)?;
    let made = (found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
    let told = found.stx_mask & StatxFlags::BTIME.bits() != 0;
    Ok(told && (found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec) > made)
}

struct Visit<'a> {
    found: &'a mut Vec<Observation>,
    /// Folders that are being looked into, one in the other.
    depth: usize,
}

impl Visit<'_> {
    /// One folder that both sides have. `touched`: its entries or attributes are not what they were.
    fn folder(&mut self, upper: &OwnedFd, lower: &OwnedFd, at: &Path, touched: bool) -> io::Result<()> {
        let before = self.found.len();
        for entry in Dir::read_from(upper)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." && self.found.len() < MOST {
                self.entry(upper, lower, at, name)?;
            }
        }
        let explained = self.found.iter().skip(before).any(|seen| seen.spot == at);
        if touched && !explained {
            self.found.push(Observation::of(at, true, Need::Write));
        }
        Ok(())
    }

    fn entry(&mut self, upper: &OwnedFd, lower: &OwnedFd, at: &Path, name: &OsStr) -> io::Result<()> {
        let now = statat(upper, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let then = match statat(lower, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT | Errno::ACCESS) => None,
            other => Some(other?),
        };
        let Some(then) = then.filter(|then| kind(then) == kind(&now)) else {
            self.found.push(Observation::entry(at, name));
            return Ok(());
        };
        match kind(&now) {
            FileType::Directory => self.both(upper, lower, at, name, (&now, &then)),
            FileType::RegularFile if is_copy(upper, name)? => {
                self.found.push(Observation::of(at.join(name), false, Need::Write));
                Ok(())
            }
            _ => {
                self.found.push(Observation::entry(at, name));
                Ok(())
            }
        }
    }

    fn both(
        &mut self,
        upper: &OwnedFd,
        lower: &OwnedFd,
        at: &Path,
        name: &OsStr,
        (now, then): (&Stat, &Stat),
    ) -> io::Result<()> {
        let path = at.join(name);
        // It was laid over because something in it changed. What cannot be told any more: the jar may have taken the rights to
        // look away, or none were there.
        let (Ok(inner), Ok(lower), true) =
            (open_folder(upper.as_fd(), name), open_folder(lower.as_fd(), name), self.depth < DEEPEST)
        else {
            self.found.push(Observation::of(path, true, Need::Write));
            return Ok(());
        };
        if has(&inner, c"user.overlay.opaque")? {
            self.found.push(Observation::entry(at, name));
            return Ok(());
        }
        // What is copied up for something below it keeps its times.
        let times = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec, stat.st_mode);
        self.depth += 1;
        let seen = self.folder(&inner, &lower, &path, times(now) != times(then));
        self.depth -= 1;
        seen
    }
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Whether a file is the host's, changed in place, and not another one under its name.
fn is_copy(folder: &OwnedFd, name: &OsStr) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(folder, name, flags, Mode::empty()) {
        Ok(file) => Ok(kind(&fstat(&file)?) == FileType::RegularFile && has(&file, c"user.overlay.origin")?),
        // A mode that forbids reading it: a rule about the folder serves in any case.
        Err(Errno::ACCESS) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn has(file: &OwnedFd, attribute: &std::ffi::CStr) -> io::Result<bool> {
    match fgetxattr(file, attribute, &mut [0_u8; 0][..]) {
        Ok(_) => Ok(true),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}
