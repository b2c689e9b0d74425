//! Landlock: which rights are handled on this kernel, and which a rule grants.

use belljar_policy::{Access, NetMode, Subject};
use serde::{Deserialize, Serialize};

use super::Draft;
use super::step::Step;
use crate::report::Layer;

/// What the kernel is asked to guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandlockPlan {
    /// Version of the kernel's interface.
    pub abi: u32,
    /// File rights that need a rule.
    pub fs: u64,
    /// TCP rights that need a rule; only served ports have one.
    pub net: u64,
    /// What may not cross the jar: abstract sockets, signals.
    pub scoped: u64,
}

/// Waiting at a TCP port.
pub(crate) const BIND_TCP: u64 = 1 << 0;
/// Reaching a TCP port.
pub(crate) const CONNECT_TCP: u64 = 1 << 1;

const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;

/// What answering takes of `/proc`.
pub(crate) const FS_PROCESSES: u64 = READ_FILE | WRITE_FILE | READ_DIR;
/// Writing to a file.
pub(crate) const FS_WRITE_FILE: u64 = WRITE_FILE;
/// Listing a folder.
pub(crate) const FS_READ_DIR: u64 = READ_DIR;
/// Everything but reading, listing and executing.
pub(crate) const FS_WRITES: u64 = !(EXECUTE | READ_FILE | READ_DIR);
/// Rights that only folders can have: rules about files must not name them.
pub(crate) const FS_DIR_ONLY: u64 = !(EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV);

/// File rights known to each version of the interface, and the first version that knows them.
const HANDLED: &[(u32, u64)] = &[(1, 0x1FFF), (2, 1 << 13), (3, TRUNCATE), (5, IOCTL_DEV)];

impl LandlockPlan {
    /// Rights that an access grants, limited to what is handled.
    #[must_use]
    pub fn rights(&self, access: Access) -> u64 {
        let rights = match access {
            Access::Hide => 0,
            Access::Read => EXECUTE | READ_FILE | READ_DIR,
            Access::ReadNoexec => READ_FILE | READ_DIR,
            // Devices below a granted folder keep their ioctls refused.
            _ => self.fs & !IOCTL_DEV,
        };
        rights & self.fs
    }

    /// Rights on the jar's own harmless devices.
    #[must_use]
    pub fn device_rights(&self) -> u64 {
        (READ_FILE | WRITE_FILE | READ_DIR | TRUNCATE | IOCTL_DEV) & self.fs
    }
}

/// All that this version of the interface guards: rights to files, TCP ports, scopes.
pub(crate) fn landlock_knows(abi: u32) -> (u64, u64, u64) {
    let fs = HANDLED.iter().filter(|(since, _)| abi >= *since).fold(0, |all, (_, rights)| all | rights);
    let net = if abi >= 4 { BIND_TCP | CONNECT_TCP } else { 0 };
    (fs, net, if abi >= 6 { 0b11 } else { 0 })
}

pub(super) fn plan(draft: &mut Draft<'_>) -> Option<LandlockPlan> {
    let abi = draft.host.landlock;
    if abi == 0 {
        let rest = if draft.namespaced() { "namespaces and the filter" } else { "the filter and the broker" };
        draft.notes.push(format!("no Landlock in this kernel: {rest} hold alone"));
        return None;
    }
    draft.step(Step::Landlock);
    let (fs, _, scoped) = landlock_knows(abi);
    let closed = draft.policy.net.mode.value == NetMode::Off
        || (!draft.namespaced() && draft.policy.net.mode.value != NetMode::Host);
    let net = match abi {
        4.. if closed => BIND_TCP | CONNECT_TCP,
        4.. if super::network::landlocked(draft) => CONNECT_TCP,
        _ => 0,
    };
    if scoped != 0 {
        draft.holds(
            Subject::Ipc,
            "abstract sockets and signals stay inside",
            belljar_policy::Origin::Default,
            &[Layer::Landlock],
        );
    }
    Some(LandlockPlan { abi, fs, net, scoped })
}
