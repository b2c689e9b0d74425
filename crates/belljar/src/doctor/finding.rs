//! What the doctor found, as data.

use serde::{Deserialize, Serialize};

use crate::probe::HostFacts;

/// The state of this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Version of this format.
    pub belljar: u32,
    /// What a start looks at; the findings are what was tried.
    pub facts: HostFacts,
    /// Programs can be contained here, if perhaps with fewer layers.
    pub usable: bool,
    /// One entry per subject, what everything needs first.
    pub findings: Vec<Finding>,
}

/// One subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// Stable name (`user-namespaces`).
    pub id: String,
    /// How it stands.
    pub status: Status,
    /// What was tried and seen.
    pub found: String,
    /// What it means for jars; empty when all is well.
    pub means: String,
    /// The one thing to do about it.
    pub remedy: Option<String>,
}

/// How a subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// Works, and refuses what it must refuse.
    Ok,
    /// Jars run with less: fewer layers, or a feature is missing.
    Weaker,
    /// Absent.
    Missing,
}

impl Diagnosis {
    pub(super) fn new(facts: HostFacts, findings: Vec<Finding>) -> Self {
        let mut this = Self { belljar: 1, facts, usable: false, findings };
        let holds = |id| this.status(id) != Some(Status::Missing);
        this.usable = holds("paths")
            && holds("seccomp")
            && (holds("landlock") || (holds("user-namespaces") && holds("mounts")));
        this
    }

    /// How a subject stands; none for an unknown id.
    #[must_use]
    pub fn status(&self, id: &str) -> Option<Status> {
        self.findings.iter().find(|finding| finding.id == id).map(|finding| finding.status)
    }

    /// The worst of all.
    #[must_use]
    pub fn worst(&self) -> Status {
        self.findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Missing)
    }
}

impl Finding {
    pub(super) fn ok(id: &str, found: impl Into<String>) -> Self {
        let (id, found) = (id.to_owned(), found.into());
        Self { id, status: Status::Ok, found, means: String::new(), remedy: None }
    }

    pub(super) fn lacking(id: &str, status: Status, found: impl Into<String>, means: &str) -> Self {
        Self { id: id.to_owned(), status, found: found.into(), means: means.to_owned(), remedy: None }
    }

    pub(super) fn remedy(self, remedy: impl Into<Option<String>>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable(missing: &[&str]) -> bool {
        let ids = ["paths", "seccomp", "landlock", "user-namespaces", "mounts"];
        let finding = |id: &str| match missing.contains(&id) {
            true => Finding::lacking(id, Status::Missing, "", ""),
            false => Finding::ok(id, ""),
        };
        Diagnosis::new(crate::probe::probe(), ids.map(finding).to_vec()).usable
    }

    #[test]
    fn a_host_is_usable_with_paths_a_filter_and_one_way_to_hold_files() {
        assert!(usable(&[]));
        assert!(usable(&["landlock"]));
        assert!(usable(&["user-namespaces", "mounts"]));
        assert!(!usable(&["paths"]));
        assert!(!usable(&["seccomp"]));
        assert!(!usable(&["landlock", "mounts"]));
        assert!(!usable(&["landlock", "user-namespaces"]));
    }
}
