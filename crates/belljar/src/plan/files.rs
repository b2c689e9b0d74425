//! Files: the new root with user namespaces, Landlock's rules without.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use belljar_policy::{Access, DevView, FsRule, FsSubject, Origin, ProcView, Subject};

use super::actions::CHANNEL;
use super::step::{Place, Placed, Step, access_word};
use super::{Draft, Engine, narrower};
use crate::error::{KEPT, PlanError, shown};
use crate::report::Layer;

/// Size of `/dev/shm` when the policy gives no size for `/tmp`.
const SHM: u64 = 64 << 20;

pub(super) fn plan(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    keep_aside(draft)?;
    let mut places = grants(draft);
    places.retain(|place| !super::texts::replaces(draft, target(place)));
    if !draft.namespaced() {
        leave_own_files(draft, &mut places);
    }
    answered(draft)?;
    match draft.engine {
        Engine::Namespaces => {
            places.extend(super::network::places(draft));
            own_root(draft, &mut places);
        }
        _ => host_tree(draft, &places)?,
    }
    sort(&mut places);
    draft.steps.extend(places.into_iter().map(Step::Place));
    Ok(())
}

/// Nobody wrote that policy files stay as they are: where nothing holds that, it is said.
fn leave_own_files(draft: &mut Draft<'_>, places: &mut Vec<Place>) {
    let default = Origin::Default.to_string();
    let own = |place: &Place| matches!(&place.what, Placed::Host { origin, access: Access::ReadNoexec, .. } if *origin == default);
    for place in places.iter().filter(|place| own(place)) {
        let file = shown(target(place));
        draft.notes.push(format!(
            "the program may write {file}, which the next run is made from: keep it elsewhere"
        ));
    }
    places.retain(|place| !own(place));
}

/// Copy-on-write needs a place for the changes: memory, by the word that says they are dropped. Keeping them would need
/// commands to review them.
fn keep_aside(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    let policy = &draft.policy.fs;
    let Some(rule) = policy.rules.iter().find(|rule| rule.access == Access::Cow) else { return Ok(()) };
    let origin = rule.origin.to_string();
    let Some(size) = &policy.throw_away else {
        return Err(PlanError::Unsupported { what: KEPT, origin });
    };
    if !draft.namespaced() {
        return Err(PlanError::NeedsUserns { rule: "cow".to_owned(), origin });
    }
    if policy.root.is_some() {
        return Err(PlanError::Unsupported { what: "cow together with a root of its own", origin });
    }
    let step = Step::Aside(size.value.0.min(most(draft)));
    draft.step(step);
    Ok(())
}

/// Files in memory are memory: none may hold more than the whole tree.
fn most(draft: &Draft<'_>) -> u64 {
    draft.policy.limits.memory.as_ref().map_or(u64::MAX, |limit| limit.value.0)
}

/// What services answered lies in files of the jar's own.
fn answered(draft: &mut Draft<'_>) -> Result<(), PlanError> {
    for answered in &draft.policy.answers {
        let (rule, origin) = (format!("own text {}", shown(&answered.path)), answered.origin.clone());
        if !draft.namespaced() {
            return Err(PlanError::NeedsUserns { rule, origin: origin.to_string() });
        }
        draft.holds(Subject::Fs, rule, origin, &[Layer::Namespaces, Layer::MountFlags]);
    }
    Ok(())
}

/// One placement per subject: on a tie the smaller access wins.
fn grants(draft: &Draft<'_>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for rule in &draft.policy.fs.rules {
        let place = place(rule);
        match places.iter_mut().find(|other| same_subject(other, &place)) {
            Some(other) if strength(&place) < strength(other) => *other = place,
            Some(_) => {}
            None => places.push(place),
        }
    }
    places.extend(root_folder(draft));
    places
}

fn root_folder(draft: &Draft<'_>) -> Option<Place> {
    let root = draft.policy.fs.root.as_ref()?;
    let what = Placed::Host {
        from: root.value.clone(),
        access: Access::Read,
        optional: false,
        dangerous: false,
        origin: root.origin.to_string(),
    };
    Some(Place { at: Some(PathBuf::from("/")), what })
}

fn place(rule: &FsRule) -> Place {
    let what = match &rule.subject {
        FsSubject::Path(path) => Placed::Host {
            from: path.clone(),
            access: rule.access,
            optional: rule.optional,
            dangerous: rule.dangerous,
            origin: rule.origin.to_string(),
        },
        _ => Placed::Program,
    };
    Place { at: rule.dest.clone(), what }
}

fn same_subject(a: &Place, b: &Place) -> bool {
    match (&a.what, &b.what) {
        (Placed::Host { from: x, .. }, Placed::Host { from: y, .. }) => x == y && a.at == b.at,
        (Placed::Program, Placed::Program) => true,
        _ => false,
    }
}

fn strength(place: &Place) -> Option<Access> {
    match place.what {
        Placed::Host { access, .. } => Some(access),
        _ => None,
    }
}

/// Where a placement lands, as far as it is known without looking at the host.
fn target(place: &Place) -> &Path {
    match (&place.at, &place.what) {
        (Some(at), _) => at,
        (None, Placed::Host { from, .. }) => from,
        (None, Placed::Proc) => Path::new("/proc"),
        (None, Placed::Channel) => Path::new(CHANNEL),
        (None, Placed::Dev { .. }) => Path::new("/dev"),
        (None, Placed::Tmpfs(_) | Placed::Text(_)) => Path::new("/tmp"),
        // The program's files may lie anywhere: after every folder.
        (None, Placed::Program) => Path::new("\u{10ffff}"),
    }
}

/// Parents before children; hidden paths after grants of the same depth do not matter, since paths differ.
fn sort(places: &mut [Place]) {
    places.sort_by(|a, b| by_components(target(a), target(b)));
}

fn by_components(a: &Path, b: &Path) -> Ordering {
    a.components().cmp(b.components())
}

fn own_root(draft: &mut Draft<'_>, places: &mut Vec<Place>) {
    for step in [Step::NewRoot, Step::PivotRoot, Step::SealRoot] {
        draft.step(step);
    }
    let brokered = narrower::paths(draft);
    for place in places.iter() {
        let (rule, origin) = sentence(place);
        let mut layers = layers(draft, place, places);
        if brokered.contains(&target(place)) {
            layers.push(Layer::Broker);
        }
        draft.holds(Subject::Fs, rule, origin, &layers);
    }
    narrower::note(draft);
    let both = with_landlock(draft, &[Layer::Namespaces]);
    draft.holds(Subject::Fs, "every other path of the host does not exist", Origin::Default, &both);
    places.extend(fresh(draft));
    places.extend(super::texts::places(draft));
}

fn with_landlock(draft: &Draft<'_>, layers: &[Layer]) -> Vec<Layer> {
    let mut all = layers.to_vec();
    if draft.host.landlock > 0 {
        all.push(Layer::Landlock);
    }
    all
}

fn layers(draft: &Draft<'_>, place: &Place, all: &[Place]) -> Vec<Layer> {
    match strength(place) {
        Some(Access::Hide) => vec![Layer::Namespaces],
        Some(Access::Write | Access::Cow) => with_landlock(draft, &[Layer::Namespaces]),
        // Landlock adds rights up along a path: below a folder that may be written it refuses nothing.
        _ if below_writable(place, all) => vec![Layer::Namespaces, Layer::MountFlags],
        _ => with_landlock(draft, &[Layer::Namespaces, Layer::MountFlags]),
    }
}

fn below_writable(place: &Place, all: &[Place]) -> bool {
    let above = |other: &Place| other != place && target(place).starts_with(target(other));
    all.iter().any(|other| strength(other).is_some_and(Access::writes) && above(other))
}

pub(super) fn sentence(place: &Place) -> (String, String) {
    match &place.what {
        Placed::Host { from, access, origin, .. } => {
            (format!("{} {}", access_word(*access), shown(from)), origin.clone())
        }
        _ => (place.to_string(), "preset".to_owned()),
    }
}

/// Whether a program could be written to some file of the jar and run from there.
pub(super) fn has_writable_code(draft: &Draft<'_>) -> bool {
    let policy = &draft.policy.fs;
    policy.tmp.is_some()
        || policy.dev.value == DevView::Basic
        || policy.rules.iter().any(|rule| rule.access.writes())
}

/// What the jar gets that is no part of the host.
fn fresh(draft: &mut Draft<'_>) -> Vec<Place> {
    let mut places = Vec::new();
    let policy = &draft.policy.fs;
    let most = most(draft);
    let shm = policy.tmp.as_ref().map_or(SHM, |tmp| tmp.value.0).min(most);
    if let Some(tmp) = &policy.tmp {
        places.push(Place { at: None, what: Placed::Tmpfs(tmp.value.0.min(most)) });
    }
    if policy.dev.value == DevView::Basic {
        places.push(Place { at: None, what: Placed::Dev { shm } });
    }
    if !draft.policy.actions.is_empty() {
        places.push(Place { at: Some(PathBuf::from(CHANNEL)), what: Placed::Channel });
    }
    if policy.proc.value == ProcView::Own {
        places.push(Place { at: None, what: Placed::Proc });
        draft.step(Step::MaskProc);
    }
    places
}

/// Without a root of its own the jar lives in the host's tree: Landlock allows, nothing can be taken away below a grant.
fn host_tree(draft: &mut Draft<'_>, places: &[Place]) -> Result<(), PlanError> {
    for place in places {
        refuse_unexpressible(place, places)?;
        let (rule, origin) = sentence(place);
        match (strength(place), draft.engine) {
            (Some(Access::ReadNoexec), Engine::Broker) => {
                draft.gap(Subject::Fs, rule, origin, &[Layer::Broker], "running such a file is not refused");
            }
            (Some(Access::ReadNoexec), _) => {
                let gap = "running such a file is refused, mapping it as code (by the loader, say) is not";
                draft.gap(Subject::Fs, rule, origin, &[Layer::Landlock], gap);
            }
            (_, Engine::Broker) => draft.holds(Subject::Fs, rule, origin, &[Layer::Broker]),
            _ => draft.holds(Subject::Fs, rule, origin, &[Layer::Landlock]),
        }
    }
    unlisted(draft);
    let truncation = match draft.engine {
        Engine::Broker => Layer::Broker,
        _ if draft.host.landlock < 3 => Layer::Seccomp,
        _ => Layer::Landlock,
    };
    let rule = "truncate only where writing is granted";
    draft.holds(Subject::Fs, rule, Origin::Default, &[truncation]);
    if draft.policy.fs.tmp.is_some() {
        draft.notes.push("no private /tmp without user namespaces: /tmp is not reachable".to_owned());
    }
    Ok(())
}

/// What lies outside of every grant. Landlock sees neither attributes nor looks at them: the broker answers those, where
/// there can be one.
fn unlisted(draft: &mut Draft<'_>) {
    let brokered = super::broker::able(draft);
    let rule = "every other path of the host does not exist";
    let (layers, gap): (&[Layer], _) = match brokered {
        _ if draft.engine == Engine::Broker => (
            &[Layer::Broker],
            "programs of other paths can be run, and read by that; chdir and the errors of exec show that paths exist",
        ),
        true => (
            &[Layer::Landlock, Layer::Broker],
            "other paths cannot be used or looked at, but chdir and the errors of open and exec show that they exist",
        ),
        false => (
            &[Layer::Landlock],
            "other paths cannot be read, written or executed, but stat, readlink and chdir show that they exist",
        ),
    };
    draft.gap(Subject::Fs, rule, Origin::Default, layers, gap);
    match brokered {
        true => {
            let rule = "attributes of files change only where writing is granted";
            draft.holds(Subject::Fs, rule, Origin::Default, &[Layer::Broker]);
        }
        false => draft.holds(
            Subject::Fs,
            "attributes of files stay as they are",
            Origin::Default,
            &[Layer::Seccomp],
        ),
    }
}

/// Landlock's rules only add: what is narrower than a grant above it can be left out of a grant for reading, entry by
/// entry, but not out of one for writing, where entries come and go.
fn refuse_unexpressible(place: &Place, places: &[Place]) -> Result<(), PlanError> {
    let (rule, origin) = sentence(place);
    let writable =
        |other: &Place| strength(other) == Some(Access::Write) && strength(place) < strength(other);
    let below = |other: &Place| target(place).starts_with(target(other));
    let narrower = strength(place).is_some() && places.iter().any(|other| writable(other) && below(other));
    if place.at.is_some() || narrower {
        return Err(PlanError::NeedsUserns { rule, origin });
    }
    Ok(())
}
