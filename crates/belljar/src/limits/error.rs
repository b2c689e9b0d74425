//! What can go wrong with a control group.

use std::path::PathBuf;

use rustix::io::Errno;

use crate::error::shown;

/// A control group could not be made or asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// This host offers no control group to this user.
    #[error("no control group can be used here")]
    NoGroup,
    /// The offered groups lack a controller that a limit needs.
    #[error("the control group has no {controller} controller for us")]
    NoController {
        /// Its name (`memory`).
        controller: &'static str,
    },
    /// Other processes are in the delegated folder, so its controllers cannot be handed down.
    #[error("other processes are in {}", shown(folder))]
    Crowded {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the group refused.
    #[error("cannot {action} {}: {errno}", shown(path))]
    Io {
        /// What was tried (`write`).
        action: &'static str,
        /// The object.
        path: PathBuf,
        /// The kernel's answer.
        errno: Errno,
    },
}

impl LimitError {
    /// The object vanished under our hands.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Io { errno: Errno::NOENT | Errno::NODEV, .. })
    }
}
