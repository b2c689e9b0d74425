//! Control groups: limits of the whole tree of a jar, what it used, which limit it reached, and its certain end.
//!
//! ```text
//! <folder the host lets us use>/belljar/<pid>-<n>     one group per jar and hierarchy, gone when `Group` is dropped
//! ```
//!
//! The group's folder is locked (`flock`) while its supervisor lives. After a SIGKILL of the supervisor the lock is
//! free, and the next start empties and removes what stayed behind.

mod amounts;
mod error;
mod group;
mod node;
mod sweep;
mod v1;
mod v2;

pub use amounts::{Amounts, GroupUsage, Held};
pub use error::LimitError;
pub use group::Group;
