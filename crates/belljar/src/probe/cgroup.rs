//! Which control groups this supervisor can use.

use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

use super::Cgroup;

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

/// Decides from the text of `/proc/self/cgroup`.
fn choose(mount: &Path, own: &str, is_kind: &dyn Fn(&Path, u64) -> bool) -> Cgroup {
    v2(mount, own, is_kind).or_else(|| v1(mount, own, is_kind)).unwrap_or(Cgroup::None)
}

fn v2(mount: &Path, own: &str, is_kind: &dyn Fn(&Path, u64) -> bool) -> Option<Cgroup> {
    let path = inside(own.lines().find_map(|line| line.strip_prefix("0::"))?)?;
    let root =
        [mount.to_path_buf(), mount.join("unified")].into_iter().find(|root| is_kind(root, V2_MAGIC))?;
    let here = below(&root, path);
    candidates(&root, &here).into_iter().find_map(|folder| offer(folder, &here))
}

/// The own group (delegated to us) and its parent (where a session's own manager makes groups). Nothing further up:
/// leaving more of the tree could leave limits that were meant for us.
fn candidates(root: &Path, here: &Path) -> Vec<PathBuf> {
    let parent = here.parent().filter(|parent| here != root && parent.starts_with(root));
    [Some(here), parent].into_iter().flatten().map(Path::to_path_buf).collect()
}

fn offer(folder: PathBuf, here: &Path) -> Option<Cgroup> {
    let writable =
        ["", "cgroup.procs", "cgroup.subtree_control"].iter().all(|file| may_write(&folder.join(file)));
    let enabled = words(&folder.join("cgroup.subtree_control"));
    let available = words(&folder.join("cgroup.controllers"));
    // A parent must hand its controllers down already: its own processes forbid to enable any.
    let controllers: Vec<String> =
        wanted(if folder == here && only_us(&folder) { &available } else { &enabled });
    (writable && !controllers.is_empty()).then_some(Cgroup::V2 { folder, controllers })
}

/// Controllers can be handed down only where no other process stays in the group.
fn only_us(folder: &Path) -> bool {
    let me = rustix::process::getpid().as_raw_nonzero().to_string();
    let procs = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    procs.lines().all(|pid| pid == me)
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
