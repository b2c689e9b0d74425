//! Questions to one path rule, and rules that do not hold.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Access, FsRule, FsSubject, Origin};
use crate::value::path::written;

impl Access {
    /// Whether writing works, for the jar alone or for the host too.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Cow | Self::Write)
    }
}

impl FsRule {
    /// Where the rule applies inside the jar; none for the program's own files.
    #[must_use]
    pub fn inside(&self) -> Option<&Path> {
        match (&self.dest, &self.subject) {
            (Some(dest), _) => Some(dest),
            (None, FsSubject::Path(path)) => Some(path),
            (None, FsSubject::Program) => None,
        }
    }

    /// The host path that the rule is about; none for the program's own files.
    #[must_use]
    pub fn outside(&self) -> Option<&Path> {
        match &self.subject {
            FsSubject::Path(path) => Some(path),
            FsSubject::Program => None,
        }
    }

    /// The rule's path as a document writes it: `?`, escapes and `SRC:DEST` included.
    #[must_use]
    pub fn written(&self) -> String {
        let mark = if self.optional { "?" } else { "" };
        let source = self.outside().map_or_else(|| "@program".to_owned(), written);
        match &self.dest {
            Some(dest) => format!("{mark}{source}:{}", written(dest)),
            None => format!("{mark}{source}"),
        }
    }
}

/// A rule that does not hold because a later or stronger one replaced it, or because it may not be granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The rule, as a document would write it.
    pub rule: String,
    /// Who wrote it.
    pub origin: Origin,
    /// Why it does not hold, printable.
    pub because: String,
}
