//! What a host can do, as data.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything the planner may know about a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostFacts {
    /// Kernel release as `uname -r` prints it.
    pub release: String,
    /// Its first two numbers.
    pub kernel: (u16, u16),
    /// Effective user id of the supervisor.
    pub uid: u32,
    /// Effective group id of the supervisor.
    pub gid: u32,
    /// Supplementary groups beyond `gid` are held.
    pub extra_groups: bool,
    /// The supervisor is uid 0 with the capability to administer the system (in its own user namespace).
    pub admin: bool,
    /// User namespaces.
    pub userns: Userns,
    /// Landlock ABI; 0 = absent.
    pub landlock: u32,
    /// Seccomp filters can be loaded.
    pub seccomp: bool,
    /// User notification with an atomic answer (`SECCOMP_ADDFD_FLAG_SEND`).
    pub seccomp_notify: bool,
    /// `open_tree`, `move_mount`, `mount_setattr` answer (5.12).
    pub mount_fds: bool,
    /// A fresh `/proc` may be mounted in an own PID namespace (refused where the host's is masked).
    pub proc_mount: bool,
    /// `mseal` answers (6.10).
    pub mseal: bool,
    /// Control groups that this supervisor can use.
    pub cgroup: Cgroup,
    /// Entries of the host's `/` that are symlinks, with their targets (`bin` -> `usr/bin`).
    pub root_links: Vec<(String, PathBuf)>,
    /// The supervisor itself runs under a seccomp filter.
    pub inside_seccomp: bool,
    /// Yama's ptrace scope; 0 = off or absent.
    pub yama: u8,
}

/// Whether user namespaces can be made, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Userns {
    /// They work.
    Available,
    /// The kernel has none.
    Absent,
    /// `user.max_user_namespaces` is 0 or used up.
    Limit,
    /// `kernel.unprivileged_userns_clone` is 0 (Debian's older switch).
    Sysctl,
    /// `kernel.apparmor_restrict_unprivileged_userns` is 1 and belljar has no profile.
    AppArmor,
    /// A seccomp filter of a surrounding container refuses them.
    Seccomp,
    /// They can be made but nothing works in them, or refused for no reason that is known.
    Refused,
}

/// Control groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cgroup {
    /// None can be used.
    None,
    /// A version 2 folder in which this user may make groups, with its usable controllers.
    V2 {
        /// The delegated folder.
        folder: PathBuf,
        /// Controllers that can be switched on for children.
        controllers: Vec<String>,
    },
    /// Version 1 hierarchies that are writable.
    V1 {
        /// Controller and the folder below which groups can be made.
        folders: Vec<(String, PathBuf)>,
    },
}

impl Cgroup {
    /// Whether groups with this controller can be made here.
    pub(crate) fn has(&self, controller: &str) -> bool {
        match self {
            Self::V2 { controllers, .. } => controllers.iter().any(|name| name == controller),
            Self::V1 { folders } => folders.iter().any(|(name, _)| name == controller),
            Self::None => false,
        }
    }
}
