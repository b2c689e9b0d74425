//! From what was seen to the fewest, smallest rules. Pure: the same observations give the same rules, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Policy, printable};

use super::decide::{Rules, granted, serves, spoken, with};
use super::names::{filled_by_tools, is_shared, looks_secret};
use super::{Need, Observation, PolicyDifference, Proposal, Unproposed};
use crate::ask::{Never, Want};

/// Files of one folder that make a rule about the folder.
const SEVERAL: usize = 2;

const SHARED: &str = "it holds the folders of many programs: make the one that is needed, then learn again";

/// Parts of a path, the root among them, that make it no folder at the top.
const DEEP: usize = 3;

/// Most names in a reason, and how long each may be.
const NAMED: usize = 3;
const LONGEST: usize = 80;

/// What a run had, and where it took place.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers name all four")]
pub struct Ground<'a> {
    /// The policy that the next run will have without the proposed rules.
    pub policy: &'a Policy,
    /// What is never proposed.
    pub never: &'a Never,
    /// The current folder.
    pub here: &'a Path,
    /// The home folder.
    pub home: Option<&'a Path>,
}

/// The rules that would have granted what was seen, and what is left out on purpose.
///
/// A rule names a file, the folder in which something was made, the folder of several files, or a folder that tools fill by
/// themselves; never `/`, the home folder, a place of keys, or one that is run outside the jar later.
///
/// ```
/// use belljar::ask::Never;
/// use belljar::learn::{Ground, Observation, generalise};
/// use belljar::policy::{Access, Policy};
///
/// let seen = [Observation::entry("/src/app", "app.o"), Observation::entry("/src/app", "app")];
/// let (policy, never) = (Policy::none(), Never::new(None, []));
/// let ground = Ground { policy: &policy, never: &never, here: "/src/app".as_ref(), home: None };
/// let found = generalise(&seen, ground);
/// assert_eq!((found.rules[0].path.to_str(), found.rules[0].access), (Some("/src/app"), Access::Write));
/// ```
#[must_use]
pub fn generalise(observations: &[Observation], ground: Ground<'_>) -> PolicyDifference {
    let needed = observations.iter().filter(|seen| !granted(ground.policy, &seen.spot, seen.need));
    let (wanted, refused): (Vec<_>, Vec<_>) =
        needed.map(|seen| (seen, ground.refuses(seen))).partition(|(_, why)| why.is_none());
    let wanted: Vec<&Observation> = wanted.into_iter().map(|(seen, _)| seen).collect();
    let rules = grouped(&spots(&wanted, ground), ground);
    let rules = thinned(completed(rules, &wanted, ground), &wanted, ground);
    let unproposed: BTreeSet<Unproposed> =
        refused.into_iter().filter_map(|(seen, why)| Some(Unproposed::new(seen, why?))).collect();
    let kept_out = kept_out(&unproposed, &rules, ground);
    let proposal = |(path, access): (PathBuf, Access)| {
        let reason = reason(&path, access, &wanted);
        Proposal { path, access, reason }
    };
    let mut rules: Vec<Proposal> = rules.into_iter().map(proposal).chain(kept_out).collect();
    rules.sort_by(|a, b| a.path.cmp(&b.path));
    let unproposed = unproposed.into_iter().collect();
    PolicyDifference { rules, unproposed, ..PolicyDifference::default() }
}

/// What is left out for its name and lies in a folder that the rules would open: it stays hidden.
fn kept_out(unproposed: &BTreeSet<Unproposed>, rules: &Rules, ground: Ground<'_>) -> Vec<Proposal> {
    let after = with(ground.policy, rules);
    let mut hidden: BTreeMap<&Path, Proposal> = BTreeMap::new();
    let closed = |out: &&Unproposed| !granted(ground.policy, &out.path, Need::Read);
    let secrets = unproposed.iter().filter(|out| looks_secret(&out.path).is_some()).filter(closed);
    for out in secrets.filter(|out| granted(&after, &out.path, Need::Read)) {
        let reason = format!("left out: {}", out.why);
        let proposal = Proposal { path: out.path.clone(), access: Access::Hide, reason };
        hidden.entry(&out.path).or_insert(proposal);
    }
    hidden.into_values().collect()
}

pub(super) fn want(path: &Path, need: Need) -> Want {
    match need {
        Need::Read => Want::Read(path.to_path_buf()),
        Need::Execute => Want::Execute(path.to_path_buf()),
        Need::Write => Want::Write(path.to_path_buf()),
    }
}

impl Ground<'_> {
    /// Why no rule is proposed for what was seen.
    fn refuses(&self, observation: &Observation) -> Option<String> {
        let Observation { seen, spot, need, real, .. } = observation;
        let never = |path: &Path| self.never.refuses(&want(path, *need));
        // What the jar makes itself, or may read already, is no secret to it.
        let secret = || looks_secret(spot).filter(|_| !granted(self.policy, spot, Need::Read));
        let why = never(seen).or_else(secret).map(str::to_owned);
        let above = || {
            let why = never(spot)?;
            Some(format!("a rule would have to name {}: {why}{}", shown(spot), self.lacking(observation)))
        };
        let behind = || {
            let real = real.as_deref()?;
            let why = never(real).or_else(|| looks_secret(real))?;
            Some(format!("it leads to {}: {why}", shown(real)))
        };
        let broad = || self.is_broad(spot).filter(|_| observation.folder).map(str::to_owned);
        why.or_else(above).or_else(behind).or_else(broad).or_else(|| spoken(self.policy, spot))
    }

    /// What the home folder lacks and a rule could name, had somebody made it.
    fn lacking(&self, Observation { seen, spot, .. }: &Observation) -> String {
        let below = self.home.filter(|home| home == spot).and_then(|home| seen.strip_prefix(home).ok());
        let mut names = below.into_iter().flat_map(Path::components);
        match (names.next(), names.next()) {
            (Some(folder), Some(_)) => format!("; make {} and learn again", shown(&spot.join(folder))),
            _ => String::new(),
        }
    }

    /// Why a folder holds too much to be named whole; the current one was chosen.
    fn is_broad(&self, folder: &Path) -> Option<&'static str> {
        let depth = folder.components().count();
        match folder.parent() {
            _ if folder == self.here => None,
            _ if self.home.is_some_and(|home| is_shared(folder, home)) => Some(SHARED),
            Some(above) if above == Path::new("/home") => Some("a home folder"),
            _ if depth < DEEP => Some("a folder at the top of the host"),
            _ => None,
        }
    }

    /// Whether a rule may name a folder in place of what lies in it.
    fn may_name(&self, folder: &Path, need: Need) -> bool {
        let never = self.never.refuses(&want(folder, need));
        never.is_none() && self.is_broad(folder).is_none() && spoken(self.policy, folder).is_none()
    }
}

/// What a rule would have to name, and the strongest need there.
struct Spot {
    folder: bool,
    need: Need,
    /// It has symlinks in it: only itself was looked at, not what lies above or beside it.
    linked: bool,
}

type Spots = BTreeMap<PathBuf, Spot>;

/// Spots with tools' folders in place of what lies in them.
fn spots(wanted: &[&Observation], ground: Ground<'_>) -> Spots {
    let mut spots = Spots::new();
    for Observation { spot, folder, need, real, .. } in wanted {
        let linked = real.is_some();
        let whole = filled_by_tools(spot, ground.here, ground.home).filter(|_| !linked);
        let whole = whole.filter(|whole| whole != spot && ground.may_name(whole, *need));
        let (path, folder) = whole.map_or((spot.clone(), *folder), |whole| (whole, true));
        let known = spots.entry(path).or_insert(Spot { folder, need: *need, linked });
        known.folder |= folder;
        known.linked |= linked;
        known.need = known.need.max(*need);
    }
    spots
}

/// Folders in place of several of their files, each with the access that serves it.
fn grouped(spots: &Spots, ground: Ground<'_>) -> Rules {
    let mut files: BTreeMap<(&Path, bool), Vec<(&Path, &Spot)>> = BTreeMap::new();
    let mut rules = Rules::new();
    for (path, spot) in spots {
        match path.parent().filter(|_| !spot.folder && !spot.linked) {
            Some(parent) => files.entry((parent, spot.need == Need::Write)).or_default().push((path, spot)),
            None => add(&mut rules, path, access(path, spot)),
        }
    }
    for ((parent, _), files) in files {
        let need = files.iter().map(|(_, spot)| spot.need).max().unwrap_or(Need::Read);
        let whole = files.len() >= SEVERAL && ground.may_name(parent, need);
        for (file, spot) in files {
            add(&mut rules, if whole { parent } else { file }, access(file, spot));
        }
    }
    rules
}

/// With a rule of its own for what a longer rule of the policy keeps from the others.
fn completed(mut rules: Rules, wanted: &[&Observation], ground: Ground<'_>) -> Rules {
    let whole = with(ground.policy, &rules);
    for Observation { spot, folder, need, .. } in
        wanted.iter().filter(|seen| !granted(&whole, &seen.spot, seen.need))
    {
        add(&mut rules, spot, access(spot, &Spot { folder: *folder, need: *need, linked: false }));
    }
    rules
}

/// The least access that serves a need. Libraries are mapped as code without a word, and folders may hold them.
fn access(path: &Path, spot: &Spot) -> Access {
    let library = path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"));
    match spot.need {
        Need::Write => Access::Write,
        Need::Read if !spot.folder && !library => Access::ReadNoexec,
        _ => Access::Read,
    }
}

/// Where two rules meet the one that grants both stays.
fn add(rules: &mut Rules, path: &Path, access: Access) {
    let old = rules.get(path).copied().unwrap_or(access);
    rules.insert(path.to_path_buf(), both(old, access));
}

/// What grants as much as both.
fn both(a: Access, b: Access) -> Access {
    let strongest = [Access::Write, Access::Read, Access::ReadNoexec];
    strongest.into_iter().find(|access| [a, b].contains(access)).unwrap_or(a)
}

/// Without the rules that the others and the policy make needless, the deepest first.
fn thinned(mut rules: Rules, wanted: &[&Observation], ground: Ground<'_>) -> Rules {
    let deepest: Vec<PathBuf> = rules.keys().rev().cloned().collect();
    for path in deepest {
        let Some(access) = rules.remove(&path) else { continue };
        let rest = with(ground.policy, &rules);
        let mut there = wanted.iter().filter(|seen| seen.spot.starts_with(&path));
        if !there.all(|seen| granted(&rest, &seen.spot, seen.need)) {
            rules.insert(path, access);
        }
    }
    rules
}

/// What was seen at a rule's path, in one line.
fn reason(path: &Path, access: Access, wanted: &[&Observation]) -> String {
    let strongest = [Need::Write, Need::Execute, Need::Read].into_iter().find(|need| {
        serves(access, *need) && wanted.iter().any(|seen| seen.need == *need && seen.spot.starts_with(path))
    });
    let need = strongest.unwrap_or(Need::Read);
    let mut names = BTreeSet::new();
    for seen in wanted.iter().filter(|seen| seen.need == need && seen.spot.starts_with(path)) {
        let below = seen.seen.strip_prefix(path).unwrap_or(&seen.seen);
        names.insert(if below.as_os_str().is_empty() { Path::new(".") } else { below });
    }
    let verb = match need {
        Need::Write => "changed",
        Need::Execute => "run",
        Need::Read => "read",
    };
    if names.len() > 1 {
        names.remove(Path::new("."));
    }
    let more = names.len().saturating_sub(NAMED);
    let listed: Vec<String> = names.into_iter().take(NAMED).map(|name| short(shown(name))).collect();
    match (listed.as_slice(), more) {
        ([only], 0) if only == "." => format!("{verb} itself"),
        (_, 0) => format!("{verb}: {}", listed.join(", ")),
        _ => format!("{verb}: {} and {more} more", listed.join(", ")),
    }
}

/// The program chose the name: its end tells most.
fn short(name: String) -> String {
    let cut = name.chars().count().saturating_sub(LONGEST);
    if cut == 0 { name } else { format!("...{}", name.chars().skip(cut).collect::<String>()) }
}

fn shown(path: &Path) -> String {
    printable(<Path as AsRef<OsStr>>::as_ref(path))
}

#[cfg(test)]
#[path = "generalise/tests.rs"]
mod tests;
