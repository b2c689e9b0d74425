//! Which path lies in which folder. A layout asks this of every pair of its paths; the standard library answers by taking
//! both apart each time. Here paths are plain: absolute, without `.`, `..`, doubled or final slashes, as policies and walks
//! make them, so that names are bytes between slashes.

use std::cmp::Ordering;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A path in the form that the rest of this file needs.
pub(crate) fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// `path` is `folder` or lies below it.
pub(crate) fn is_within(path: &Path, folder: &Path) -> bool {
    let (path, folder) = (path.as_os_str().as_bytes(), folder.as_os_str().as_bytes());
    match path.strip_prefix(folder) {
        Some([]) => true,
        Some([first, ..]) => *first == b'/' || folder.ends_with(b"/"),
        None => false,
    }
}

/// The two are one path.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    a.as_os_str() == b.as_os_str()
}

/// Folders before what lies in them, name by name.
pub(crate) fn order(a: &Path, b: &Path) -> Ordering {
    let low = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    a.as_os_str().as_bytes().iter().map(low).cmp(b.as_os_str().as_bytes().iter().map(low))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Short paths of few names, so that many lie in one another.
    fn path() -> impl Strategy<Value = PathBuf> {
        let name = prop::sample::select(vec!["a", "b", "a.b", "a-b", "ab", "a b", "\u{1}"]);
        prop::collection::vec(name, 0..4).prop_map(|names| Path::new("/").join(names.join("/")))
    }

    proptest! {
        #[test]
        fn the_answers_are_the_standard_librarys(a in path(), b in path()) {
            let (a, b) = (plain(&a), plain(&b));
            prop_assert_eq!(is_within(&a, &b), a.starts_with(&b));
            prop_assert_eq!(is_same(&a, &b), a == b);
            prop_assert_eq!(order(&a, &b), a.components().cmp(b.components()));
        }
    }

    #[test]
    fn every_spelling_becomes_plain() {
        for spelling in ["/a/b", "//a//b/", "/a/./b/."] {
            assert_eq!(plain(Path::new(spelling)).as_os_str(), "/a/b");
        }
    }
}
