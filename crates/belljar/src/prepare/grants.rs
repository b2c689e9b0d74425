//! Landlock's rules on the host's own tree. Rules only add, so a folder with something narrower below it is granted
//! entry by entry, without what is narrower.

use std::path::{Path, PathBuf};

use super::layout::{Bind, Item};
use super::rules::Rule;
use crate::error::{PlanError, StartError, shown};
use crate::plan::{FS_DIR_ONLY, FS_READ_DIR, FS_WRITES, LandlockPlan};

pub(super) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Something below a grant that gets less than the grant gives.
struct Narrower<'a> {
    at: &'a Path,
    /// Its folders may be listed all the same.
    lists: bool,
}

pub(super) fn rules(items: &[Item], landlock: &LandlockPlan) -> Result<Vec<Rule>, StartError> {
    let device = |path| Rule {
        path: PathBuf::from(path),
        allowed: landlock.device_rights() & !FS_DIR_ONLY,
        optional: false,
    };
    let mut rules: Vec<Rule> = DEVICES.into_iter().map(device).collect();
    for item in items {
        if let Item::Bind(bind) = item {
            let allowed = landlock.rights(bind.access);
            let narrower: Vec<Narrower<'_>> =
                items.iter().filter_map(|other| narrower(bind, allowed, other, landlock)).collect();
            refuse_writable(allowed, &narrower)?;
            grant(&bind.at, bind.dir, allowed, &narrower, &mut rules)?;
        }
    }
    Ok(rules)
}

fn narrower<'a>(bind: &Bind, allowed: u64, other: &'a Item, landlock: &LandlockPlan) -> Option<Narrower<'a>> {
    let at = other.at();
    let (rights, lists) = match other {
        Item::Bind(other) => (landlock.rights(other.access), true),
        Item::Mask(_) => (0, true),
        Item::Cover(_) => (0, false),
        _ => return None,
    };
    (at.starts_with(&bind.at) && allowed & !rights != 0).then_some(Narrower { at, lists })
}

/// The planner has refused what the policy's own paths show; symlinks can lead to more.
fn refuse_writable(allowed: u64, narrower: &[Narrower<'_>]) -> Result<(), StartError> {
    match narrower.first() {
        Some(first) if allowed & FS_WRITES != 0 => {
            let rule = format!("less than the grant above it at {}", shown(first.at));
            Err(PlanError::NeedsUserns { rule, origin: "policy".to_owned() }.into())
        }
        _ => Ok(()),
    }
}

fn grant(
    path: &Path,
    dir: bool,
    allowed: u64,
    narrower: &[Narrower<'_>],
    rules: &mut Vec<Rule>,
) -> Result<(), StartError> {
    let inside: Vec<&Narrower<'_>> = narrower.iter().filter(|other| other.at.starts_with(path)).collect();
    if inside.iter().any(|other| other.at == path) {
        return Ok(());
    }
    let mut add = |allowed, optional| rules.push(Rule { path: path.to_path_buf(), allowed, optional });
    if inside.is_empty() {
        add(if dir { allowed } else { allowed & !FS_DIR_ONLY }, !narrower.is_empty());
        return Ok(());
    }
    if inside.iter().all(|other| other.lists) {
        add(allowed & FS_READ_DIR, false);
    }
    entries(path, allowed, narrower, rules)
}

/// A symlink gets nothing: what it leads to has a path of its own.
fn entries(
    folder: &Path,
    allowed: u64,
    narrower: &[Narrower<'_>],
    rules: &mut Vec<Rule>,
) -> Result<(), StartError> {
    let failed =
        |source| StartError::Path { path: folder.to_path_buf(), origin: "what it holds".to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if !kind.is_symlink() {
            grant(&entry.path(), kind.is_dir(), allowed, narrower, rules)?;
        }
    }
    Ok(())
}
