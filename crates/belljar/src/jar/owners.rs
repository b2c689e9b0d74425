//! Root's grants. The jar of root runs as nobody, so what root's policy grants is bound with owners translated: files of
//! the folder's owner belong to nobody inside, and what the jar creates belongs to the folder's owner outside.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use belljar_policy::Access;
use belljar_sys::spawn::Sequence;
use belljar_sys::{Errno, Fd, Op, owned};

use crate::error::StartError;
use crate::plan::{CLONE_NEWUSER, Place, Placed, Plan, Step};
use crate::prepare::{Walker, open_now, write_maps_between};
use crate::probe::HostFacts;
use crate::spawn::{raw, status_pair, supervisor};

/// Folders of the system: readable for everyone, so nobody can use them as they are; and processes, which have owners of
/// their own.
const SYSTEM: &[&str] =
    &["/proc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/nix", "/gnu"];

/// Detached mounts by real host path.
#[derive(Debug, Default)]
pub(super) struct Owners(Vec<(PathBuf, OwnedFd)>);

impl Owners {
    pub(super) fn by_path(&self) -> Vec<(PathBuf, Fd)> {
        self.0.iter().map(|(path, fd)| (path.clone(), raw(fd))).collect()
    }
}

/// Detaches what root grants; nothing when the caller is not root.
pub(super) fn detach(plan: &Plan, facts: &HostFacts, walker: &mut Walker<'_>) -> Result<Owners, StartError> {
    let mut owners = Owners::default();
    if facts.uid != 0 || plan.namespaces == 0 {
        return Ok(owners);
    }
    let mut spaces: Vec<((u32, u32), OwnedFd)> = Vec::new();
    for step in &plan.init {
        if let Step::Place(Place { what: Placed::Host { from, access, .. }, .. }) = step
            && *access != Access::Hide
            && !of_system(from)
            && let Some(path) = walker.path(from)
            && !of_system(&path)
        {
            let tree = one(&path, *access, &mut spaces)?;
            owners.0.push((path, tree));
        }
    }
    Ok(owners)
}

/// Whether a path lies in a folder of the system.
pub(crate) fn of_system(path: &Path) -> bool {
    SYSTEM.iter().any(|system| path.starts_with(system))
}

fn one(path: &Path, access: Access, spaces: &mut Vec<((u32, u32), OwnedFd)>) -> Result<OwnedFd, StartError> {
    let failed =
        |source| StartError::Step { step: "translate-owners", object: crate::plan::shown(path), source };
    let meta = std::fs::symlink_metadata(path).map_err(failed)?;
    let ids = (meta.uid(), meta.gid());
    if !spaces.iter().any(|(known, _)| *known == ids) {
        spaces.push((ids, translation(ids)?));
    }
    let space = spaces.iter().find(|(known, _)| *known == ids).map(|(_, space)| space.as_fd());
    let text = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| StartError::ZeroByte { what: "a path" })?;
    match owned::detached(&text, space) {
        // This file system cannot translate owners. Reading what everyone may read works without.
        Err(Errno::INVAL) if !access.writes() => {
            owned::detached(&text, None).map_err(|errno| failed(os(errno)))
        }
        other => other.map_err(|errno| failed(os(errno))),
    }
}

fn os(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}

/// A user namespace in which these ids of a file system are nobody's: a child holds it until it has been opened.
fn translation(ids: (u32, u32)) -> Result<OwnedFd, StartError> {
    let (mine, theirs) = status_pair()?;
    let sequence = Sequence {
        // With its copy of the other end it would not see this process end.
        init: &[Op::DieWithParent, Op::CloseInherited { keep: &[], witness: raw(&mine) }, Op::AwaitGo],
        program: &[],
        namespaces: CLONE_NEWUSER,
        own_pids: false,
        announce: false,
        errands: -1,
        close_after_start: false,
    };
    let child =
        owned::spawn(&sequence, &theirs).map_err(|errno| supervisor("making a user namespace", os(errno)))?;
    drop(theirs);
    let opened = write_maps_between(child.pid, ids)
        .and_then(|()| open_now(Path::new(&format!("/proc/{}/ns/user", child.pid))));
    drop(mine);
    // It waits for a word that never comes.
    rustix::process::pidfd_send_signal(&child.pidfd, rustix::process::Signal::KILL)
        .map_err(|errno| supervisor("ending a helper", errno.into()))?;
    let exited = rustix::process::WaitIdOptions::EXITED;
    let waited = rustix::process::waitid(rustix::process::WaitId::PidFd(child.pidfd.as_fd()), exited);
    waited.map_err(|errno| supervisor("waiting for a helper", errno.into()))?;
    opened.map(OwnedFd::from).map_err(|source| supervisor("mapping owners", source))
}
