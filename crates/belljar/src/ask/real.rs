//! Names that go through symlinks. A question names a file by its own path; what a user, a table or a rule names may lead there
//! by another.

use std::path::{Path, PathBuf};

use belljar_policy::{FsSubject, Policy, fold};

use crate::walk::Walker;

/// Where a path leads now, its last names as they are where nothing is there yet.
pub(super) fn real(path: &Path) -> PathBuf {
    let (path, mut walker) = (fold(path), Walker::new(&[]));
    let found = path.ancestors().find_map(|above| Some((above, walker.path(above)?)));
    match found {
        // Folded, for joining nothing leaves a slash.
        Some((above, real)) => fold(&real.join(path.strip_prefix(above).unwrap_or(Path::new("")))),
        None => path,
    }
}

/// The path folded, and where it leads when that is another one.
pub(super) fn names(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let (folded, real) = (fold(path), real(path));
    let other = (real != folded).then_some(real);
    [folded].into_iter().chain(other)
}

/// The policy with each path of a rule as the place that it leads to.
pub(super) fn resolved(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    for rule in &mut policy.fs.rules {
        if let FsSubject::Path(path) = &mut rule.subject {
            *path = real(path);
        }
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_leads_through_symlinks_as_far_as_there_is_something() {
        let folder = tempfile::tempdir().unwrap();
        let root = real(folder.path());
        std::fs::create_dir(root.join("data")).unwrap();
        symlink(root.join("data"), root.join("home")).unwrap();
        assert_eq!(real(&root.join("home/new/file")), root.join("data/new/file"));
        assert_eq!(real(&root.join("home/../home/x")), root.join("data/x"));
        assert_eq!(names(&root.join("home")).collect::<Vec<_>>(), [root.join("home"), root.join("data")]);
        assert_eq!(names(&root.join("data")).count(), 1);
    }
}
