//! Descriptors that the caller passes on (`--pass-fd`): no wider than their mode, and files opened anew.
//!
//! A descriptor of the host's own mounts carries more than reading and writing: attributes can be changed through it, it
//! can be opened again for more, and above a folder lies the whole host. So a file passed for reading and every folder is
//! opened anew in the child, through a detached clone of its own.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use belljar_policy::{FdMode, PassFd};
use belljar_sys::{Errno, Fd, call, owned};
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};

use super::descriptors::copying;
use crate::error::StartError;
use crate::plan::Plan;
use crate::prepare::Narrowed;

/// What is wrong with a number that leads to nothing.
pub(super) const NOT_OPEN: &str = "is not open";

/// Checks each and lists what is to be opened anew. With `inherited`, only what this process got from its caller may be
/// passed: what closes on exec is of its own making, like the report's file.
pub(super) fn narrow(passed: &[PassFd], plan: &Plan, inherited: bool) -> Result<Vec<Narrowed>, StartError> {
    let mut narrowed = Vec::new();
    for pass in passed {
        let refuse = |why| StartError::Descriptor { fd: pass.fd, origin: pass.origin.to_string(), why };
        if inherited && call::closes_on_exec(Fd::from(pass.fd)) {
            return Err(refuse(NOT_OPEN));
        }
        let found = owned::with_inherited(Fd::from(pass.fd), |fd| look(pass, fd));
        let found = found.map_err(|errno| match errno {
            Errno::BADF => refuse(NOT_OPEN),
            other => copying(other),
        })?;
        let found = found.map_err(refuse)?;
        match found {
            Some(_) if plan.namespaces == 0 => {
                return Err(refuse(
                    "is a file or folder, which needs user namespaces to be passed with less",
                ));
            }
            other => narrowed.extend(other),
        }
    }
    Ok(narrowed)
}

/// What a descriptor is; the error says why it is not passed.
fn look(pass: &PassFd, fd: BorrowedFd<'_>) -> Result<Option<Narrowed>, &'static str> {
    let flags = fcntl_getfl(fd).map_err(|_| "has no flags")?;
    let access = flags & OFlags::RWMODE;
    let path_only = flags.contains(OFlags::PATH);
    let fits = match pass.mode {
        FdMode::Read => access == OFlags::RDONLY && !path_only,
        FdMode::Write => access == OFlags::WRONLY,
        _ => true,
    };
    if !fits {
        return Err("is open for more than its mode allows: open it again with less");
    }
    let stat = fstat(fd).map_err(|_| "cannot be looked at")?;
    let dir = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => true,
        FileType::RegularFile if pass.mode == FdMode::Read => false,
        _ => return Ok(None),
    };
    let path = name(pass.fd).map_err(|_| "has no name under which it could be opened anew")?;
    let kept = if dir { OFlags::DIRECTORY | OFlags::RDONLY } else { OFlags::RDONLY };
    Ok(Some(Narrowed {
        fd: Fd::from(pass.fd),
        path,
        device: stat.st_dev,
        inode: stat.st_ino,
        read_only: pass.mode == FdMode::Read,
        flags: kept.bits(),
    }))
}

/// The path that the kernel knows for a descriptor, if it still leads somewhere.
fn name(fd: u16) -> io::Result<PathBuf> {
    let path = std::fs::read_link(Path::new("/proc/self/fd").join(fd.to_string()))?;
    std::fs::symlink_metadata(&path).map(|_| path)
}
