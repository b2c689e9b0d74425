//! Root's grants. The jar of root runs as nobody, so what root's policy grants is bound with owners translated: files of
//! the folder's owner belong to nobody inside, and what the jar creates belongs to the folder's owner outside.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use belljar_policy::Access;
use belljar_sys::child::MOST_DESCRIPTORS;
use belljar_sys::spawn::Blocked;
use belljar_sys::{Errno, owned, spawn};
use rustix::fs::FileType;

use crate::elf::open_now;
use crate::error::StartError;
use crate::plan::{Place, Placed, Plan, Step};
use crate::prepare::write_maps_between;
use crate::probe::HostFacts;
use crate::spawn::supervisor;
use crate::walk::Walker;

/// Folders of the system: readable for everyone, so nobody can use them as they are; and processes, which have owners of
/// their own.
const SYSTEM: &[&str] =
    &["/proc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/nix", "/gnu"];

/// What root grants.
#[derive(Debug, Default)]
pub(super) struct Owners {
    granted: Vec<Granted>,
    /// Detached mounts of those, with their owners translated.
    mounts: Vec<OwnedFd>,
    spaces: Spaces,
    /// Processes that held a user namespace until it was open. They are about to end.
    holders: Vec<spawn::Dying>,
}

/// A file or folder whose owner is nobody inside.
#[derive(Debug)]
struct Granted {
    /// Its real host path.
    path: PathBuf,
    access: Access,
    owner: (u32, u32),
    opened: OwnedFd,
}

impl Owners {
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.granted.iter().map(|granted| granted.path.clone()).collect()
    }

    /// Makes the mounts, in the order of [`Self::paths`].
    pub(super) fn translate(&mut self, blocked: &Blocked) -> Result<&[OwnedFd], StartError> {
        let Self { granted, mounts, spaces, holders } = self;
        for granted in granted {
            mounts.push(granted.translate(blocked, spaces, holders)?);
        }
        Ok(mounts)
    }

    /// The user namespaces of what was granted, for the next start.
    pub(super) fn take_spaces(&mut self) -> Spaces {
        let mut spaces = std::mem::take(&mut self.spaces);
        spaces.retain(|(ids, _)| self.granted.iter().any(|granted| granted.owner == *ids));
        spaces
    }

    /// Takes the ends of the holders, which nobody had to wait for while the jar was being started.
    pub(super) fn settle(&mut self) {
        self.holders.clear();
    }
}

impl Granted {
    fn translate(
        &self,
        blocked: &Blocked,
        spaces: &mut Spaces,
        holders: &mut Vec<spawn::Dying>,
    ) -> Result<OwnedFd, StartError> {
        let space = space(self.owner, blocked, spaces, holders)?;
        one(self.opened.as_fd(), self.access, space).map_err(|source| failed(&self.path, source))
    }
}

fn failed(path: &Path, source: io::Error) -> StartError {
    StartError::Step { step: "translate-owners", object: crate::error::shown(path), source }
}

/// Looks at what root grants; nothing when the caller is not root. What `spaces` has need not be made again.
pub(super) fn look(
    plan: &Plan,
    facts: &HostFacts,
    walker: &mut Walker<'_>,
    spaces: Spaces,
) -> Result<Owners, StartError> {
    let mut owners = Owners { spaces, ..Owners::default() };
    if facts.uid != 0 || plan.namespaces == 0 {
        return Ok(owners);
    }
    for step in &plan.init {
        if let Step::Place(Place { what: Placed::Host { from, access, .. }, .. }) = step
            && *access != Access::Hide
            && !of_system(from)
            && let Some((path, opened)) = walker.opened(from)
            && !of_system(&path)
        {
            let stat = rustix::fs::fstat(&opened).map_err(|errno| failed(&path, errno.into()))?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                walker.know(&path);
            }
            owners.granted.push(Granted { path, access: *access, owner: (stat.st_uid, stat.st_gid), opened });
        }
    }
    match owners.granted.len() {
        0..=MOST_DESCRIPTORS => Ok(owners),
        many => Err(StartError::TooMany(format!(
            "root grants {many} paths, and {MOST_DESCRIPTORS} can be prepared"
        ))),
    }
}

/// Whether a path lies in a folder of the system.
pub(crate) fn of_system(path: &Path) -> bool {
    SYSTEM.iter().any(|system| path.starts_with(system))
}

/// The user namespace that translates these owners, made when they come first.
fn space<'a>(
    ids: (u32, u32),
    blocked: &Blocked,
    known: &'a mut Spaces,
    holders: &mut Vec<spawn::Dying>,
) -> Result<BorrowedFd<'a>, StartError> {
    let at = match known.iter().position(|(of, _)| *of == ids) {
        Some(at) => at,
        None => {
            let (space, holder) = translation(ids, blocked)?;
            known.push((ids, space));
            holders.push(holder);
            known.len() - 1
        }
    };
    Ok(known[at].1.as_fd())
}

/// User namespaces by the owners that they translate.
pub(super) type Spaces = Vec<((u32, u32), OwnedFd)>;

fn one(opened: BorrowedFd<'_>, access: Access, space: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    match owned::detached(opened, Some(space)) {
        // This file system cannot translate owners. Reading what everyone may read works without.
        Err(Errno::INVAL) if !access.writes() => owned::detached(opened, None).map_err(os),
        other => other.map_err(os),
    }
}

fn os(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}

/// A user namespace in which these ids of a file system are nobody's: a process holds it until it has been opened.
fn translation(ids: (u32, u32), blocked: &Blocked) -> Result<(OwnedFd, spawn::Dying), StartError> {
    let opened = spawn::with_user_namespace(blocked, |pid| {
        write_maps_between(pid, ids)?;
        open_now(Path::new(&format!("/proc/{pid}/ns/user")))
    });
    let (file, holder) = opened.map_err(|errno| supervisor("making a user namespace", os(errno)))?;
    let file = file.map_err(|source| supervisor("mapping owners", source))?;
    Ok((file.into(), holder))
}
