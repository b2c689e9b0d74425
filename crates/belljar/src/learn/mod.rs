//! Learning a policy: what a confined run would have needed beyond what it had, as rules that a person can read.
//!
//! ```text
//! what was written (overlay) ─┐
//!                             ├─► Observation ─ granted already? ─ never proposed? ─ group ─► PolicyDifference ─► TOML, flags
//! what was refused (broker)  ─┘
//! ```
//!
//! A run that is learned from is confined like every other: what its policy lacks stays refused, and what it writes is
//! thrown away. What comes out is a proposal; nothing is granted by it.

mod changes;
mod confined;
mod decide;
mod generalise;
mod lesson;
mod names;
mod observe;
mod text;
mod witness;

pub use generalise::{Ground, generalise};
pub use lesson::Lesson;
pub use observe::{Need, Observation};
pub use text::Frame;

use std::path::PathBuf;

use belljar_policy::Access;

/// What has to be added to a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyDifference {
    /// Rules, by path.
    pub rules: Vec<Proposal>,
    /// What was needed and no rule is proposed for, by path.
    pub unproposed: Vec<Unproposed>,
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
