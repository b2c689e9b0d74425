//! Paths at which the jar has nothing: a judge that reaches the host is told what was wanted there. Nothing is opened.

use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::judge::Wanted;
use super::own::start;
use super::task::{Name, Stop, Task};

/// The answer to a call about a path that is not there.
pub(super) fn absent(task: &Task<'_>, wanted: Wanted, name: &Name) -> Stop {
    if task.shared.judge.reaches_host()
        && let Some(path) = meant(task, name)
    {
        task.tell_absent(wanted, &path);
    }
    Errno::NOENT.into()
}

/// The absolute path that a name means by its text.
fn meant(task: &Task<'_>, name: &Name) -> Option<PathBuf> {
    if name.text.is_absolute() {
        return Some(folded(&name.text));
    }
    let folder = start(task, name.at).ok()?.path?;
    Some(folded(&folder.join(&name.text)))
}

fn folded(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => drop(out.pop()),
            _ => {}
        }
    }
    out
}
