//! Landlock's rules for the finished layout, and what the self-probe tries.

use std::path::{Path, PathBuf};

use belljar_policy::Access;
use belljar_sys::Op;
use belljar_sys::abi::LandlockRuleset;
use belljar_sys::child::{Mount, PathRights, Serve};

use super::layout::Item;
use super::{Builder, Seen, grants};
use crate::error::StartError;
use crate::plan::actions;
use crate::plan::{
    CONNECT_TCP, Engine, FS_DIR_ONLY, FS_READ_DIR, FS_WRITE_FILE, LandlockPlan, Place, Placed, Plan,
};
use crate::walk::Walker;
use crate::walk::within::{self, is_same, is_within};

/// The ruleset. It binds to the finished layout, but to no process yet.
pub(super) fn make<'a>(builder: &Builder<'a>, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
    let Some(landlock) = &builder.plan.landlock else { return Ok(()) };
    let handled = LandlockRuleset { fs: landlock.fs, net: landlock.net, scoped: landlock.scoped };
    ops.push(Op::LandlockCreate(handled));
    let own = match builder.plan.engine {
        Engine::Namespaces => own_root(builder, landlock),
        Engine::Landlock | Engine::Broker => Vec::new(),
    };
    for Rule { path, allowed, optional } in
        own.iter().chain(&builder.granted).filter(|rule| rule.allowed != 0)
    {
        let mount = mount_at(builder, path).unwrap_or(Mount::Unknown);
        let rights =
            PathRights { path: builder.storage.path(path)?, allowed: *allowed, optional: *optional, mount };
        ops.push(Op::LandlockPath(rights));
    }
    if landlock.net == CONNECT_TCP {
        let served = builder.plan.served().into_iter().flatten();
        let port = |socket: &Serve| Op::LandlockPort { port: u64::from(socket.port()), allowed: CONNECT_TCP };
        ops.extend(served.filter(|socket| socket.is_tcp()).map(|socket| port(&socket)));
    }
    Ok(())
}

/// The mount that init puts at a path of the jar, where nothing else comes to stand.
fn mount_at(builder: &Builder<'_>, path: &Path) -> Option<Mount> {
    let point = |item: &Item| matches!(item, Item::Dir(_) | Item::File(_));
    let mut there = builder.layout.items.iter().filter(|item| is_same(item.at(), path) && !point(item));
    match (there.next(), there.next()) {
        (Some(Item::Bind(bind)), None) if bind.access != Access::Cow => {
            let sent = builder.sent(bind).map(Mount::Sent);
            sent.or_else(|| builder.layout.number(bind).map(Mount::Kept))
        }
        _ => None,
    }
}

/// Landlock's rules of a plan on the host's own tree, for a process that runs already: its own files are open.
pub(crate) fn for_oneself(
    plan: &Plan,
    home: Option<&Path>,
    walker: &mut Walker<'_>,
) -> Result<Vec<Rule>, StartError> {
    let Some(landlock) = &plan.landlock else { return Ok(Vec::new()) };
    let named = |place: &&Place| !matches!(place.what, Placed::Program);
    let places: Vec<&Place> = plan.places().filter(named).collect();
    let layout = super::layout::lay_out(&places, home, walker)?;
    grants::rules(&layout.items, landlock)
}

/// Landlock's rules on the host's own tree, found once: for the jar, and for the broker's threads.
pub(super) fn granted(plan: &Plan, items: &[Item]) -> Result<Vec<Rule>, StartError> {
    match &plan.landlock {
        Some(landlock) if plan.engine.is_host_tree() => grants::rules(items, landlock),
        _ => Ok(Vec::new()),
    }
}

/// Rights on a path; an optional one may be gone by now.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) path: PathBuf,
    pub(crate) allowed: u64,
    pub(crate) optional: bool,
}

/// The layout of the jar's own root.
fn own_root(builder: &Builder<'_>, landlock: &LandlockPlan) -> Vec<Rule> {
    // Listing shows only what was placed.
    let mut rules = vec![(PathBuf::from("/"), FS_READ_DIR & landlock.fs)];
    rules.extend(builder.layout.items.iter().filter_map(|item| rule(item, landlock)));
    for item in &builder.layout.items {
        if let Item::Channel(at) = item {
            rules.push((at.join(actions::REQUESTS), FS_WRITE_FILE & landlock.fs));
            rules.push((at.join(actions::REPLIES), landlock.rights(Access::ReadNoexec) & !FS_DIR_ONLY));
        }
    }
    if builder.policy.debug.value {
        rules.push((PathBuf::from("/proc"), landlock.rights(Access::Write)));
    }
    rules.into_iter().map(|(path, allowed)| Rule { path, allowed, optional: false }).collect()
}

fn rule(item: &Item, landlock: &LandlockPlan) -> Option<(PathBuf, u64)> {
    match item {
        Item::Bind(bind) | Item::Root(bind) => {
            let kind = if bind.dir { !0 } else { !FS_DIR_ONLY };
            Some((bind.at.clone(), landlock.rights(bind.access) & kind))
        }
        Item::Text { at, .. } => Some((at.clone(), landlock.rights(Access::ReadNoexec) & !FS_DIR_ONLY)),
        Item::Tmpfs(at, _) => Some((at.clone(), landlock.rights(Access::Write))),
        Item::Proc(at) => Some((at.clone(), landlock.rights(Access::ReadNoexec))),
        Item::Dev { at, .. } => Some((at.clone(), landlock.device_rights() | landlock.rights(Access::Write))),
        _ => None,
    }
}

/// What the broker decides by: the same layout.
pub(super) fn seen(builder: &Builder<'_>) -> Vec<Seen> {
    let debug = builder.policy.debug.value;
    let mut seen: Vec<Seen> = builder.layout.items.iter().filter_map(|item| visible(item, debug)).collect();
    if builder.plan.engine.is_host_tree() {
        let device = |path: &str| Seen { path: PathBuf::from(path), access: Access::Write, memory: false };
        seen.extend(grants::DEVICES.into_iter().map(device));
    }
    seen
}

fn visible(item: &Item, debug: bool) -> Option<Seen> {
    let access = match item {
        Item::Bind(bind) | Item::Root(bind) => bind.access,
        Item::Tmpfs(..) | Item::Dev { .. } => Access::Write,
        Item::Proc(_) if debug => Access::Write,
        Item::Proc(_) => Access::ReadNoexec,
        Item::Cover(_) | Item::Mask(_) => Access::Hide,
        _ => return None,
    };
    let memory = matches!(item, Item::Tmpfs(..) | Item::Dev { .. });
    Some(Seen { path: item.at().to_path_buf(), access, memory })
}

/// Host paths that are there on most systems, the most telling first.
const WELL_KNOWN: &[&str] = &["/root", "/home", "/var", "/srv", "/boot", "/sys", "/run", "/mnt", "/opt"];

/// A folder that the caller can open and the jar must not: the home folder first.
pub(super) fn ungranted(builder: &Builder<'_>) -> Option<PathBuf> {
    let home = builder.call.home.map(within::plain);
    home.into_iter()
        .chain(WELL_KNOWN.iter().map(PathBuf::from))
        .find(|path| !touches(builder, path) && is_readable(path))
}

/// Whether the caller can open a path.
fn is_readable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
}

/// Whether the jar has something at, above or below a path.
fn touches(builder: &Builder<'_>, path: &Path) -> bool {
    let near = |at: &Path| is_within(at, path) || (is_within(path, at) && !is_same(at, Path::new("/")));
    let items = &builder.layout.items;
    items.iter().any(|item| near(item.at()) || matches!(item, Item::Root(_)))
}

/// Whether the filter refuses `io_uring_setup` of null pointers, as evaluated from the plan itself.
pub(super) fn forbids_io_uring(plan: &Plan) -> bool {
    plan.filter.refuses("io_uring_setup")
}
