//! What the broker's threads share.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use belljar_sys::notify::Listener;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::Hearing;
use super::confine::Confinement;
use super::connect::Connections;
use super::fifo::Room;
use super::host::Copies;
use super::judge::{Judge, Observer};
use super::outside::Outside;
use super::roster::Roster;

/// What the threads share.
pub(super) struct Shared {
    pub(super) listener: Listener,
    pub(super) judge: Arc<dyn Judge>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) connections: Option<Arc<dyn Connections>>,
    /// Who connects for the jar.
    outside: Option<Arc<dyn Outside>>,
    /// Names the host's network.
    pub(super) network: u64,
    /// Hears what the filter refuses.
    pub(super) hearing: Option<Arc<Hearing>>,
    /// Each folder and link on the way is decided about: the tree holds more than the jar may see.
    pub(super) hops: bool,
    /// Whom the jar runs as.
    pub(super) ids: (u32, u32),
    /// The jar's root.
    pub(super) root: OnceLock<OwnedFd>,
    pub(super) confinement: Confinement,
    /// Who serves.
    pub(super) roster: Roster,
    /// Opens that wait for the other end of a FIFO.
    pub(super) room: Room,
    /// `/proc/self/fd`.
    descriptors: OnceLock<OwnedFd>,
    /// The threads cannot have a file mode mask of their own.
    pub(super) shares_mask: AtomicBool,
    /// Files of the host that were granted for reading.
    pub(super) copies: Copies,
    mounts: Mutex<Vec<u64>>,
    /// Mounts of the jar that are known to hold no processes.
    plain: Mutex<Vec<u64>>,
    /// A thread has failed: the jar must not live on.
    failed: AtomicBool,
    alarm: OwnedFd,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Shared").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// What a broker is made of.
pub(super) struct Parts {
    pub(super) listener: Listener,
    pub(super) judge: Arc<dyn Judge>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) connections: Option<Arc<dyn Connections>>,
    pub(super) outside: Option<Arc<dyn Outside>>,
    pub(super) network: u64,
    pub(super) hearing: Option<Arc<Hearing>>,
    pub(super) hops: bool,
    pub(super) confinement: Confinement,
    pub(super) alarm: OwnedFd,
}

impl Shared {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            listener: parts.listener,
            judge: parts.judge,
            observer: parts.observer,
            connections: parts.connections,
            outside: parts.outside,
            network: parts.network,
            hearing: parts.hearing,
            hops: parts.hops,
            ids: parts.confinement.ids(),
            root: OnceLock::new(),
            confinement: parts.confinement,
            roster: Roster::default(),
            room: Room::default(),
            shares_mask: AtomicBool::new(false),
            copies: Copies::default(),
            descriptors: OnceLock::new(),
            mounts: Mutex::default(),
            plain: Mutex::default(),
            failed: AtomicBool::new(false),
            alarm: parts.alarm,
        }
    }

    /// The supervisor's own name of an open descriptor, in two parts: the folder of descriptors, opened once for this broker,
    /// and the name in it.
    pub(super) fn own_entry(&self, fd: &OwnedFd) -> Result<(BorrowedFd<'_>, String), Errno> {
        if self.descriptors.get().is_none() {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            // Another thread may have been first: it found the same.
            drop(self.descriptors.set(openat(CWD, "/proc/self/fd", flags, Mode::empty())?));
        }
        let folder = self.descriptors.get().ok_or(Errno::NOENT)?;
        Ok((folder.as_fd(), fd.as_raw_fd().to_string()))
    }

    /// Who connects for the jar; such calls come only where there is somebody.
    pub(super) fn outside(&self) -> Result<&dyn Outside, Errno> {
        self.outside.as_deref().ok_or(Errno::ACCESS)
    }

    /// Mounts that are known to be the jar's.
    pub(super) fn mounts(&self) -> MutexGuard<'_, Vec<u64>> {
        self.mounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mounts of the jar's own root that are known to be no `/proc`.
    pub(super) fn plain(&self) -> MutexGuard<'_, Vec<u64>> {
        self.plain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the supervisor that calls may stay unanswered.
    pub(super) fn fail(&self, why: &str) {
        tracing::error!(why, "the broker has failed");
        self.failed.store(true, Ordering::Release);
        if let Err(errno) = rustix::io::write(&self.alarm, &1_u64.to_ne_bytes()) {
            tracing::error!(%errno, "the supervisor cannot be told");
        }
    }
}
