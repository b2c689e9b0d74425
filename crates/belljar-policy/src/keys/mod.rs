//! The one table of keys: flags, TOML, JSON Schema, man page, completions and `explain` all come from it.

mod options;
mod table;

use crate::layer::Set;

pub use crate::value::Kind;
pub use options::OPTIONS;
pub use table::KEYS;

/// Heading under which the man page shows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Category {
    /// Where the policy comes from.
    Source,
    /// Files and folders.
    Files,
    /// Networks.
    Network,
    /// Environment variables.
    Environment,
    /// System calls.
    Syscalls,
    /// Amounts.
    Limits,
    /// What must hold.
    Guarantees,
    /// The program itself.
    Process,
    /// What belljar prints.
    Output,
}

/// A kernel feature by which a key is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// User and mount namespaces.
    Namespaces,
    /// Landlock.
    Landlock,
    /// Seccomp filters.
    Seccomp,
    /// Resource limits of processes.
    Rlimit,
    /// Control groups.
    Cgroup,
    /// Seccomp user notification.
    Notify,
}

/// One row: everything about one key.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Key {
    /// Place in a document (`net.mode`), and the name that `explain` takes.
    pub name: &'static str,
    /// Flags, long first: `--memory`, then other spellings, then `-m`. Empty: another row's flag serves it.
    pub flags: &'static [&'static str],
    /// Name of the flag's value in help texts; empty = no value.
    pub value: &'static str,
    /// Form of the value.
    pub kind: Kind,
    /// The flag may be given several times.
    pub repeatable: bool,
    /// What holds when nobody sets it, in words.
    pub default: &'static str,
    /// Heading.
    pub category: Category,
    /// One line.
    pub short: &'static str,
    /// Paragraphs.
    pub long: &'static str,
    /// Kernel features that enforce it; empty = none needed.
    pub needs: &'static [Feature],
    /// What is weaker on a host without them.
    pub weaker: &'static str,
    /// First version that has it.
    pub since: &'static str,
    /// Flags that show its use.
    pub example: &'static str,
    /// The same in TOML; empty for options that are no policy.
    pub toml: &'static str,
    pub(crate) set: Set,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Key").field("name", &self.name).field("flags", &self.flags).finish_non_exhaustive()
    }
}

/// The row of a key.
#[must_use]
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The row of a key that a constant names: the build stops at a name that no row has.
pub(crate) const fn known(name: &str) -> &'static Key {
    let mut at = 0;
    while !is_same(KEYS[at].name.as_bytes(), name.as_bytes()) {
        at += 1;
    }
    &KEYS[at]
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// The row of a flag, with its dashes: `--memory` or `-m`.
///
/// ```
/// assert_eq!(belljar_policy::flag("-m").map(|key| key.name), Some("limits.memory"));
/// ```
#[must_use]
pub fn flag(typed: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.flags.contains(&typed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SECTIONS;

    #[test]
    fn every_key_inside_a_section_can_be_written() {
        for section in KEYS.iter().filter_map(|key| key.name.split_once('.')).map(|(section, _)| section) {
            assert!(SECTIONS.contains(&section), "[{section}] is missing in document/mod.rs");
        }
    }
}
