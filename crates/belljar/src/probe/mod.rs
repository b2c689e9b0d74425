//! Read-only questions to this host. The answers are data, so that plans for other hosts can be made and tested here.
//!
//! [`probe`] is on the path of every start: a fixed, small number of calls that change nothing and make no process.
//! What it cannot see that way it assumes to work; the step that then fails is a typed error with a hint.

mod cgroup;
mod facts;
mod host;
#[cfg(feature = "test-hooks")]
mod mask;
mod peek;
mod userns;

pub(crate) use cgroup::LEAF;
pub use facts::*;
pub(crate) use host::kernel;
pub(crate) use userns::apparmor_label;

/// Readers of the kernel's tables, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub mod hostile {
    /// Reads which control groups a process is in: their names are somebody else's.
    #[must_use]
    pub fn groups(text: &str) -> super::Cgroup {
        super::cgroup::named(text)
    }
}

/// Asks this host what it can do, except for control groups ([`cgroup`]): few runs need them and they cost more.
///
/// ```
/// let facts = belljar::probe::probe();
/// assert!(facts.kernel >= (4, 0));
/// ```
#[must_use]
pub fn probe() -> HostFacts {
    let mut facts = host::facts();
    host::complete(&mut facts);
    masked(facts)
}

/// The same without what no plan looks at, as it is on most hosts: each question costs a start a system call.
pub(crate) fn for_plan() -> HostFacts {
    masked(host::facts())
}

fn masked(facts: HostFacts) -> HostFacts {
    #[cfg(feature = "test-hooks")]
    let facts = mask::from_environment(facts);
    facts
}

/// Asks which control groups this supervisor can use; only for policies with limits that need one.
///
/// ```
/// let mut facts = belljar::probe::probe();
/// facts.cgroup = belljar::probe::cgroup();
/// ```
#[must_use]
pub fn cgroup() -> Cgroup {
    #[cfg(feature = "test-hooks")]
    if mask::hides("cgroup") {
        return Cgroup::None;
    }
    cgroup::usable(std::path::Path::new("/sys/fs/cgroup"))
}
