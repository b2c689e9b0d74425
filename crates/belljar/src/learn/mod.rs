//! Learning a policy: what a confined run would have needed beyond what it had, as rules that a person can read.
//!
//! ```text
//! what was written (overlay) ─┐
//!                             ├─► Observation ─ granted already? ─ never proposed? ─ group ─► PolicyDifference ─► TOML, flags
//! what was refused (broker)  ─┤
//! hosts, calls (events)      ─┘
//! ```
//!
//! A run that is learned from is confined like every other: what its policy lacks stays refused, and what it writes is
//! thrown away. What comes out is a proposal; nothing is granted by it.

mod beyond;
mod changes;
mod confined;
mod decide;
mod generalise;
mod lesson;
mod names;
mod observe;
mod peers;
mod text;
mod witness;

pub use beyond::{CallProposal, HostProposal, LeftOut};
pub use generalise::{Ground, generalise};
pub use lesson::Lesson;
pub use observe::{Need, Observation};
pub use peers::SocketProposal;
pub use text::Frame;

/// Readers of the kernel's tables, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub mod hostile {
    /// Reads a table of mounts, in whose names users have a say; how many places it names.
    #[must_use]
    pub fn mounts(text: &[u8]) -> usize {
        super::confined::mounts(text)
    }
}

use std::path::PathBuf;

use belljar_policy::Access;

use crate::report::Report;
use beyond::Found;

/// What has to be added to a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyDifference {
    /// Rules, by path.
    pub rules: Vec<Proposal>,
    /// Hosts to add to the list, by name.
    pub hosts: Vec<HostProposal>,
    /// Unix sockets to add, by path.
    pub sockets: Vec<SocketProposal>,
    /// System calls to add, by name.
    pub syscalls: Vec<CallProposal>,
    /// What was needed and no rule is proposed for, by path.
    pub unproposed: Vec<Unproposed>,
    /// The same of hosts, sockets and calls.
    pub left_out: Vec<LeftOut>,
}

impl PolicyDifference {
    /// Nothing has to be added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let reaches = !(self.hosts.is_empty() && self.sockets.is_empty());
        self.rules.is_empty() && !reaches && self.syscalls.is_empty()
    }

    /// With the services that a run looked for, and what its events tell beside its files.
    fn beyond(mut self, (sockets, unfit): Found<SocketProposal>, report: &Report) -> Self {
        let (hosts, mut left) = beyond::hosts(&report.events);
        left.extend(unfit);
        self.sockets = sockets;
        let lacks_more = !(self.rules.is_empty() && hosts.is_empty() && self.sockets.is_empty());
        let (syscalls, more) = beyond::calls(&report.events, report.verdict, lacks_more);
        left.extend(more);
        (self.hosts, self.syscalls, self.left_out) = (hosts, syscalls, left);
        self
    }
}

/// A rule to add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proposal {
    /// File or folder.
    pub path: PathBuf,
    /// The least access that serves everything that was seen there.
    pub access: Access,
    /// What was seen, one line, printable.
    pub reason: String,
}

/// Something that was seen and is not proposed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Unproposed {
    /// The object itself.
    pub path: PathBuf,
    /// What was wanted.
    pub need: Need,
    /// Why no rule is proposed, one line, printable.
    pub why: String,
}

impl Unproposed {
    fn new(seen: &Observation, why: String) -> Self {
        Self { path: seen.seen.clone(), need: seen.need, why }
    }
}
