//! Which control groups this supervisor can use.

use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

use super::Cgroup;

/// First characters of the group that a supervisor moves into to free the delegated folder for groups of jars.
pub(crate) const LEAF: &str = "belljar-leaf-";

/// Controllers that limits need.
const WANTED: [&str; 3] = ["memory", "pids", "cpu"];

/// `CGROUP2_SUPER_MAGIC`.
const V2_MAGIC: u64 = 0x6367_7270;
/// `CGROUP_SUPER_MAGIC`.
const V1_MAGIC: u64 = 0x0027_e0eb;

/// Looks at the own groups below the usual mount point: a version 2 folder first, then version 1 hierarchies.
pub(super) fn usable(mount: &Path) -> Cgroup {
    let Ok(own) = std::fs::read_to_string("/proc/self/cgroup") else { return Cgroup::None };
    choose(mount, &own, &is_kind)
}

/// What the text of a `/proc/self/cgroup` names, for fuzz targets.
#[cfg(feature = "test-hooks")]
pub(super) fn named(own: &str) -> Cgroup {
    choose(Path::new("/nowhere"), own, &|_, _| true)
}

/// Decides from the text of `/proc/self/cgroup`.
fn choose(mount: &Path, own: &str, is_kind: &dyn Fn(&Path, u64) -> bool) -> Cgroup {
    v2(mount, own, is_kind).or_else(|| v1(mount, own, is_kind)).unwrap_or(Cgroup::None)
}

fn v2(mount: &Path, own: &str, is_kind: &dyn Fn(&Path, u64) -> bool) -> Option<Cgroup> {
    let path = inside(own.lines().find_map(|line| line.strip_prefix("0::"))?)?;
    let root =
        [mount.to_path_buf(), mount.join("unified")].into_iter().find(|root| is_kind(root, V2_MAGIC))?;
    let here = below(&root, path);
    candidates(&root, &here).into_iter().find_map(offer)
}

/// The own group (delegated to us) and its parent (where a session's own manager makes groups). Nothing further up:
/// leaving more of the tree could leave limits that were meant for us.
fn candidates<'a>(root: &Path, here: &'a Path) -> Vec<&'a Path> {
    let parent = here.parent().filter(|parent| here != root && parent.starts_with(root));
    // A supervisor that made room for groups sits in a leaf of the delegated folder: that folder is the one.
    let leaf = here.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(LEAF.as_bytes()));
    [Some(here).filter(|_| !leaf), parent].into_iter().flatten().collect()
}

fn offer(folder: &Path) -> Option<Cgroup> {
    let writable =
        ["", "cgroup.procs", "cgroup.subtree_control"].iter().all(|file| may_write(&folder.join(file)));
    let file = if has_room(folder) { "cgroup.controllers" } else { "cgroup.subtree_control" };
    let controllers = wanted(&words(&folder.join(file)));
    (writable && !controllers.is_empty()).then(|| Cgroup::V2 { folder: folder.to_owned(), controllers })
}

/// Controllers that are not handed down yet can be only where no other process is in the group; the root of all groups is
/// free.
fn has_room(folder: &Path) -> bool {
    let me = rustix::process::getpid().as_raw_nonzero().to_string();
    let procs = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    procs.lines().all(|pid| pid == me) || std::fs::symlink_metadata(folder.join("cgroup.type")).is_err()
}

fn v1(mount: &Path, own: &str, is_kind: &dyn Fn(&Path, u64) -> bool) -> Option<Cgroup> {
    let folders: Vec<_> = WANTED.iter().filter_map(|name| v1_folder(mount, own, name, is_kind)).collect();
    (!folders.is_empty()).then_some(Cgroup::V1 { folders })
}

fn v1_folder(
    mount: &Path,
    own: &str,
    controller: &str,
    is_kind: &dyn Fn(&Path, u64) -> bool,
) -> Option<(String, PathBuf)> {
    let path = inside(own.lines().find_map(|line| v1_path(line, controller))?)?;
    let root = mount.join(controller);
    let folder = Some(below(&root, path)).filter(|folder| is_kind(folder, V1_MAGIC)).or_else(|| {
        // A container sees its own group at the mount's root, under a name that only its host knows.
        is_kind(&root, V1_MAGIC).then_some(root)
    })?;
    may_write(&folder).then(|| (controller.to_owned(), folder))
}

/// Path of a line such as `8:cpu,cpuacct:/a/b` if it is about `controller`.
fn v1_path<'a>(line: &'a str, controller: &str) -> Option<&'a str> {
    let mut parts = line.splitn(3, ':').skip(1);
    let named = parts.next()?.split(',').any(|name| name == controller);
    parts.next().filter(|_| named)
}

/// The path relative to the mount; none for one that climbs out (a group outside the own cgroup namespace).
fn inside(path: &str) -> Option<&Path> {
    let path = Path::new(path.trim_start_matches('/'));
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

/// Joins without the slash that an empty path would leave at the end.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path).components().collect()
}

fn is_kind(path: &Path, magic: u64) -> bool {
    rustix::fs::statfs(path).is_ok_and(|fs| u64::try_from(fs.f_type) == Ok(magic))
}

fn may_write(path: &Path) -> bool {
    rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

fn words(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn wanted(from: &[String]) -> Vec<String> {
    from.iter().filter(|name| WANTED.contains(&name.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// A tree of plain folders that looks like a control group file system.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("belljar-cgroup-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&root).unwrap();
            Self(root)
        }

        fn group(&self, path: &str, controllers: &str, enabled: &str, procs: &str) -> PathBuf {
            let folder = self.0.join(path);
            std::fs::create_dir_all(&folder).unwrap();
            let files = [
                ("cgroup.controllers", controllers),
                ("cgroup.subtree_control", enabled),
                ("cgroup.procs", procs),
                ("cgroup.type", "domain"),
            ];
            for (file, text) in files {
                std::fs::write(folder.join(file), text).unwrap();
            }
            folder
        }

        fn v2(&self, own: &str) -> Cgroup {
            choose(&self.0, own, &|path, magic| magic == V2_MAGIC && path.is_dir())
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn v2(folder: PathBuf, controllers: &[&str]) -> Cgroup {
        Cgroup::V2 { folder, controllers: controllers.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn a_delegated_scope_of_our_own_is_taken() {
        let tree = Tree::new("own");
        let me = std::process::id().to_string();
        tree.group("app", "cpu memory pids", "memory pids", "");
        let scope = tree.group("app/run.scope", "cpu io memory pids", "", &me);
        assert_eq!(tree.v2("0::/app/run.scope\n"), v2(scope, &["cpu", "memory", "pids"]));
    }

    #[test]
    fn a_shared_scope_gives_way_to_the_parent_with_what_it_hands_down() {
        let tree = Tree::new("shared");
        let app = tree.group("app", "cpu memory pids", "memory pids", "3\n");
        tree.group("app/run.scope", "memory pids", "", "1\n2\n");
        assert_eq!(tree.v2("0::/app/run.scope\n"), v2(app.clone(), &["memory", "pids"]));
        tree.group("app", "cpu memory pids", "", "");
        assert_eq!(tree.v2("0::/app/run.scope\n"), v2(app, &["cpu", "memory", "pids"]));
    }

    #[test]
    fn a_supervisor_in_its_leaf_uses_the_folder_above() {
        let tree = Tree::new("leaf");
        let scope = tree.group("run.scope", "memory pids", "memory pids", "");
        tree.group("run.scope/belljar-leaf-7", "memory pids", "", "7\n");
        assert_eq!(tree.v2("0::/run.scope/belljar-leaf-7\n"), v2(scope, &["memory", "pids"]));
    }

    #[test]
    fn nothing_is_offered_where_nothing_can_be_limited() {
        let tree = Tree::new("bare");
        tree.group("session.scope", "memory pids", "", "1\n2\n");
        tree.group("", "memory pids", "", "1\n");
        assert_eq!(tree.v2("0::/session.scope\n"), Cgroup::None);
        assert_eq!(
            tree.v2("0::/../elsewhere\n"),
            Cgroup::None,
            "a path out of the namespace is not followed"
        );
        assert_eq!(tree.v2("garbage\n0:\n"), Cgroup::None);
        assert_eq!(tree.v2(""), Cgroup::None);
    }

    #[test]
    fn version_1_folders_are_found_by_controller() {
        let tree = Tree::new("v1");
        for path in ["memory/user", "cpu", "pids"] {
            std::fs::create_dir_all(tree.0.join(path)).unwrap();
        }
        let own = "4:memory:/user\n3:cpu,cpuacct:/docker/abc\n2:pids:/\n1:name=systemd:/x\n";
        let found = choose(&tree.0, own, &|path: &Path, magic| magic == V1_MAGIC && path.is_dir());
        let expected = [("memory", "memory/user"), ("pids", "pids"), ("cpu", "cpu")];
        let folders = expected.map(|(name, path)| (name.to_owned(), tree.0.join(path))).to_vec();
        assert_eq!(found, Cgroup::V1 { folders });
    }
}
