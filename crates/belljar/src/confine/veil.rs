//! Paths that stay visible, as Landlock holds them.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use belljar_bpf::Promises;
use belljar_sys::abi::{LandlockPath, LandlockRuleset};
use belljar_sys::{ask, call, violation};

use super::error::{ConfineError, kernel};
use crate::plan::FS_DIR_ONLY;

/// Landlock's rights behind each letter.
const LETTERS: &[(char, u64)] = &[
    // reading files, listing folders
    ('r', 1 << 2 | 1 << 3),
    // writing and emptying files
    ('w', 1 << 1 | 1 << 14),
    ('x', 1),
    // removing folders and files; making folders, files, sockets, pipes and links; moving between folders
    ('c', 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13),
];
/// Every right but the one on devices, which the filter decides.
const HANDLED: u64 = 0x7FFF;
/// First version that guards emptying files.
const NEEDED: u32 = 3;
/// First version that restricts all threads.
const ALL_THREADS: u32 = 8;
const EXECUTE: u64 = 1;

/// A path that stays visible.
#[derive(Debug)]
pub(super) struct Unveiled {
    path: PathBuf,
    file: OwnedFd,
    folder: bool,
    rights: u64,
}

/// Rights of permission letters.
pub(super) fn rights(permissions: &str) -> Result<u64, ConfineError> {
    let letter = |letter: char| LETTERS.iter().find(|(of, _)| *of == letter).map(|(_, rights)| *rights);
    let each = permissions.chars().map(letter).collect::<Option<Vec<u64>>>();
    let unknown = || ConfineError::Permissions { permissions: permissions.chars().take(64).collect() };
    Ok(each.ok_or_else(unknown)?.into_iter().fold(0, |all, rights| all | rights))
}

/// What promises let a process do with any path.
fn promised(promises: Promises) -> u64 {
    let classes = [("rpath", 'r'), ("wpath", 'w'), ("cpath", 'c'), ("dpath", 'c')];
    let held = classes.iter().filter(|(promise, _)| promises.has(promise));
    // Running files takes a promise of the filter's own.
    held.filter_map(|(_, letter)| rights(letter.encode_utf8(&mut [0; 4])).ok())
        .fold(EXECUTE, |all, new| all | new)
}

/// The first promise that reaches paths of its own which the set does not reach anyhow.
pub(super) fn bound_to_paths(promises: Promises) -> Option<&'static str> {
    let open = promised(promises);
    let needs = |(letters, _): &(&str, &str)| rights(letters).is_ok_and(|wanted| wanted & !open != 0);
    promises.iter().find(|promise| promise.paths().iter().any(needs)).map(belljar_bpf::Promise::name)
}

fn open(path: &Path) -> std::io::Result<(OwnedFd, bool)> {
    use rustix::fs::{Mode, OFlags};
    let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let folder = File::from(file.try_clone()?).metadata()?.is_dir();
    Ok((file, folder))
}

/// Adds a path to the list.
pub(super) fn add(list: &mut Vec<Unveiled>, path: &Path, permissions: &str) -> Result<(), ConfineError> {
    let rights = rights(permissions)?;
    let failed = |source| ConfineError::Path { path: path.to_path_buf(), source };
    let real = std::fs::canonicalize(path).map_err(failed)?;
    let (file, folder) = open(&real).map_err(failed)?;
    if let Some(old) = list.iter_mut().find(|old| old.path == real) {
        if rights & !old.rights != 0 {
            return Err(ConfineError::MorePermissions { path: real });
        }
        old.rights = rights;
        return Ok(());
    }
    list.push(Unveiled { path: real, file, folder, rights });
    Ok(())
}

/// Fails when a path has less than one above it.
pub(super) fn refuse_narrower_below(list: &[Unveiled]) -> Result<(), ConfineError> {
    for below in list {
        let above = list.iter().find(|above| {
            above.path != below.path
                && below.path.starts_with(&above.path)
                && above.rights & !below.rights != 0
        });
        if let Some(above) = above {
            return Err(ConfineError::Below { path: below.path.clone(), above: above.path.clone() });
        }
    }
    Ok(())
}

/// Whom Landlock restricts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every thread at once.
    AllThreads,
    /// The caller, which is the only thread.
    OnlyThread,
}

/// How Landlock of this kernel holds what is asked for all threads of the process; fails where it cannot.
pub(super) fn able(what: &'static str, remedy: &'static str) -> Result<Reach, ConfineError> {
    reach(ask::landlock_abi(), super::is_alone, what, remedy)
}

/// The decision, from the kernel's version and whether there is one thread.
fn reach(
    found: u32,
    is_alone: impl FnOnce() -> bool,
    what: &'static str,
    remedy: &'static str,
) -> Result<Reach, ConfineError> {
    match found {
        ALL_THREADS.. => Ok(Reach::AllThreads),
        NEEDED.. if is_alone() => Ok(Reach::OnlyThread),
        NEEDED.. => Err(ConfineError::Threads { what, remedy }),
        _ => Err(ConfineError::Landlock { what, needed: NEEDED, found }),
    }
}

/// Restricts the process to unveiled paths (all, when nothing is unveiled) and to what the promises do with them, beside the
/// paths that promises are bound to.
pub(super) fn enforce(
    list: &[Unveiled],
    all: bool,
    promises: Option<Promises>,
    reach: Reach,
) -> Result<(), ConfineError> {
    let ruleset = Ruleset::new()?;
    let limit = promises.map_or(!0, promised);
    if all {
        let (root, _) =
            open(Path::new("/")).map_err(|source| ConfineError::Path { path: "/".into(), source })?;
        ruleset.allow(&root, true, limit & HANDLED)?;
    }
    for Unveiled { file, folder, rights, .. } in list {
        ruleset.allow(file, *folder, rights & limit)?;
    }
    let bound = promises.into_iter().flat_map(Promises::iter).flat_map(|promise| promise.paths());
    for (letters, path) in bound {
        // A file that this host lacks needs no right.
        if let Ok((file, folder)) = open(Path::new(path)) {
            ruleset.allow(&file, folder, rights(letters)?)?;
        }
    }
    ruleset.restrict(reach)
}

struct Ruleset(call::Fd);

impl Ruleset {
    fn new() -> Result<Self, ConfineError> {
        let handled = LandlockRuleset { fs: HANDLED, net: 0, scoped: 0 };
        call::landlock_create(&handled).map(Self).map_err(kernel("making a Landlock ruleset"))
    }

    fn allow(&self, file: &OwnedFd, folder: bool, rights: u64) -> Result<(), ConfineError> {
        let allowed = if folder { rights } else { rights & !FS_DIR_ONLY };
        if allowed == 0 {
            return Ok(());
        }
        let rule = LandlockPath { allowed, parent_fd: file.as_raw_fd() };
        call::landlock_path(self.0, &rule).map_err(kernel("adding a path to a Landlock ruleset"))
    }

    fn restrict(self, reach: Reach) -> Result<(), ConfineError> {
        const NO_NEW_PRIVS: u32 = 38;
        call::prctl(NO_NEW_PRIVS, 1).map_err(kernel("no_new_privs"))?;
        let done = match reach {
            Reach::AllThreads => violation::landlock_restrict_all(self.0),
            Reach::OnlyThread => call::landlock_restrict(self.0),
        };
        done.map_err(kernel("restricting itself by Landlock"))
    }
}

impl Drop for Ruleset {
    fn drop(&mut self) {
        call::close(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kernel with this version of Landlock does for a process with one thread, or with more.
    fn on(version: u32, alone: bool) -> Result<Reach, ConfineError> {
        reach(version, || alone, "unveil", "")
    }

    #[test]
    fn all_threads_are_held_or_none_is() {
        for version in 0..NEEDED {
            for alone in [true, false] {
                let refused = on(version, alone).unwrap_err();
                let expected = format!("unveil needs Landlock 3 or later; this kernel has {version}");
                assert_eq!(refused.to_string(), expected);
            }
        }
        for version in NEEDED..ALL_THREADS {
            assert_eq!(on(version, true).unwrap(), Reach::OnlyThread, "version {version}");
            let refused = on(version, false).unwrap_err();
            assert!(matches!(refused, ConfineError::Threads { .. }), "version {version}: {refused}");
            assert!(refused.to_string().contains("before a thread starts"), "{refused}");
        }
        for version in [ALL_THREADS, 9, 100] {
            for alone in [true, false] {
                assert_eq!(on(version, alone).unwrap(), Reach::AllThreads, "version {version}");
            }
        }
    }

    #[test]
    fn a_kernel_that_can_hold_all_threads_is_not_asked_how_many_there_are() {
        let asked = || panic!("one more system call, which promises may lack");
        assert_eq!(reach(ALL_THREADS, asked, "unveil", "").unwrap(), Reach::AllThreads);
    }
}
