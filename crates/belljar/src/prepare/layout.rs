//! Where everything goes in the new root. Looks at the host, changes nothing.

use std::io;
use std::path::{Path, PathBuf};

use belljar_policy::Access;

use super::danger::{danger, holds_real_home};
use super::planted::{self, Led};
use super::texts;
use crate::error::StartError;
use crate::plan::{Place, Placed};
use crate::report::Void;
use crate::walk::within::{self, is_same, is_within};
use crate::walk::{self, Real, Walker};

/// One thing in the new root, in the order of placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A folder in memory.
    Dir(PathBuf),
    /// An empty file in memory, to be covered.
    File(PathBuf),
    /// A symlink that the host has too.
    Link { at: PathBuf, target: PathBuf },
    /// A file or folder of the host.
    Bind(Bind),
    /// The host folder that becomes `/`.
    Root(Bind),
    /// An empty folder that covers another.
    Cover(PathBuf),
    /// A null device that covers a file.
    Mask(PathBuf),
    /// A folder of a writable grant that becomes a mount point, so that it cannot be renamed: a rule holds below it.
    Pin(PathBuf),
    /// A read-only file that is kept in this place for texts.
    Text { at: PathBuf, slot: usize },
    /// Memory-backed folder of this size.
    Tmpfs(PathBuf, u64),
    /// The way of requests to the supervisor.
    Channel(PathBuf),
    /// The jar's processes.
    Proc(PathBuf),
    /// Devices; memory-backed when a host folder lies below.
    Dev { at: PathBuf, shm: u64, own: bool },
}

/// A host path in the jar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    pub(crate) from: PathBuf,
    pub(crate) at: PathBuf,
    pub(crate) access: Access,
    pub(crate) dir: bool,
    /// It comes from the `cow` folder around it and not from the host: FIFOs there are the jar's own.
    pub(crate) inner: bool,
}

/// What covers a path: the nearest thing placed at or above it.
enum Cover<'a> {
    /// The root in memory, or another folder in memory.
    Memory,
    /// A host folder.
    Host(&'a Bind),
    /// Something whose inside is not ours to fill.
    Foreign(&'a Path),
}

/// The items so far, and every symlink that was met.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) items: Vec<Item>,
    links: Vec<(PathBuf, PathBuf)>,
    /// Placements that have come to nothing, by their numbers.
    pub(super) void: Vec<(usize, Void)>,
    /// Texts of the files that have a place.
    pub(super) texts: Vec<String>,
}

/// A placement with its target and kind known.
pub(super) struct Ready {
    pub(super) at: PathBuf,
    pub(super) what: What,
}

pub(super) enum What {
    Bind(Bind),
    Hide { dir: bool },
    Fresh(Placed),
}

/// What becomes of a placement.
enum Resolved {
    Ready(Ready),
    /// Nothing.
    Void(Void),
    /// The program's files come as placements of their own.
    Apart,
}

impl Ready {
    fn hides(&self) -> bool {
        matches!(self.what, What::Hide { .. })
    }
}

/// What is hidden is hidden under every name that a grant gives it, also where the grant is placed elsewhere.
fn hide_aliases(ready: &mut Vec<Ready>) {
    let hidden = |hide: &Ready| match hide.what {
        What::Hide { dir } => Some((hide.at.clone(), dir)),
        _ => None,
    };
    let alias = |(path, dir): (PathBuf, bool), bind: &Bind| {
        let at = join(&bind.at, path.strip_prefix(&bind.from).ok()?);
        (at != path).then_some(Ready { at, what: What::Hide { dir } })
    };
    let mut more = Vec::new();
    for hide in ready.iter().filter_map(hidden) {
        more.extend(ready.iter().filter_map(|other| match &other.what {
            What::Bind(bind) => alias(hide.clone(), bind),
            _ => None,
        }));
    }
    ready.extend(more);
}

/// Joins without the slash that an empty path would leave at the end.
fn join(folder: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { folder.to_path_buf() } else { folder.join(rest) }
}

/// Plans the root from the placements of the plan.
pub(crate) fn lay_out(
    places: &[&Place],
    home: Option<&Path>,
    walker: &mut Walker<'_>,
) -> Result<Layout, StartError> {
    let mut layout = Layout::default();
    let (mut ready, mut led) = (Vec::new(), Vec::new());
    for (number, place) in places.iter().enumerate() {
        match resolve(place, home, walker, (&mut layout.links, &mut led))? {
            Resolved::Ready(item) => ready.push(item),
            Resolved::Void(why) => layout.void.push((number, why)),
            Resolved::Apart => {}
        }
    }
    planted::refuse(led, &ready)?;
    texts::follow_names(&mut ready, walker, &mut layout.links);
    hide_aliases(&mut ready);
    // On a tie hide comes last: it covers what is there.
    ready.sort_by(|a, b| within::order(&a.at, &b.at).then(a.hides().cmp(&b.hides())));
    let granted: Vec<PathBuf> =
        ready.iter().filter(|r| matches!(r.what, What::Bind(_))).map(|r| r.at.clone()).collect();
    for item in ready {
        layout.place(item, &granted)?;
    }
    for (at, target) in std::mem::take(&mut layout.links) {
        layout.link(at, target);
    }
    Ok(layout)
}

fn resolve(
    place: &Place,
    home: Option<&Path>,
    walker: &mut Walker<'_>,
    (links, led): (&mut Vec<(PathBuf, PathBuf)>, &mut Vec<Led>),
) -> Result<Resolved, StartError> {
    let Placed::Host { from, access, optional, dangerous, origin } = &place.what else {
        let apart = place.what == Placed::Program;
        return Ok(if apart { Resolved::Apart } else { Resolved::Ready(fresh(place)) });
    };
    let lenient = *optional || *access == Access::Hide;
    let real = match walker.real(from) {
        Ok(real) => real,
        Err(error) if lenient && error.kind() == io::ErrorKind::NotFound => {
            return Ok(Resolved::Void(Void::Absent));
        }
        Err(source) => return Err(StartError::Path { path: from.clone(), origin: origin.clone(), source }),
    };
    let gives = || {
        let home_by_name =
            || holds_real_home(&real.path, home, walker).then_some("the home folder, as HOME names it");
        danger(from, &real.path, home).or_else(home_by_name)
    };
    let may_be_dangerous = !*dangerous && *access != Access::Hide;
    if let Some(what) = may_be_dangerous.then(gives).flatten() {
        if *optional {
            return Ok(Resolved::Void(Void::TooMuch));
        }
        return Err(StartError::Dangerous { path: from.clone(), origin: origin.clone(), what });
    }
    if may_be_dangerous {
        led.extend(Led::new(from, origin, &real));
    }
    Ok(Resolved::Ready(host(place, *access, real, links)))
}

fn fresh(place: &Place) -> Ready {
    let at = match &place.what {
        Placed::Proc => Path::new("/proc"),
        Placed::Dev { .. } => Path::new("/dev"),
        _ => Path::new("/tmp"),
    };
    let at = within::plain(place.at.as_deref().unwrap_or(at));
    Ready { at, what: What::Fresh(place.what.clone()) }
}

fn host(place: &Place, access: Access, real: Real, links: &mut Vec<(PathBuf, PathBuf)>) -> Ready {
    let at = place.at.as_deref().map_or_else(|| real.path.clone(), within::plain);
    if access == Access::Hide {
        return Ready { at, what: What::Hide { dir: real.dir } };
    }
    if place.at.is_none() {
        links.extend(real.links);
    }
    let bind = Bind { from: real.path, at: at.clone(), access, dir: real.dir, inner: false };
    Ready { at, what: What::Bind(bind) }
}

impl Layout {
    fn place(&mut self, ready: Ready, granted: &[PathBuf]) -> Result<(), StartError> {
        match ready.what {
            What::Bind(bind) if bind.at == Path::new("/") => {
                self.items.push(Item::Root(bind));
                Ok(())
            }
            What::Bind(bind) => self.bind(bind),
            What::Hide { dir } => {
                self.hide(ready.at, dir);
                Ok(())
            }
            // A grant of the very same path replaces what would be fresh there.
            What::Fresh(_) if granted.contains(&ready.at) => Ok(()),
            What::Fresh(placed) => self.fresh(ready.at, &placed),
        }
    }

    fn bind(&mut self, mut bind: Bind) -> Result<(), StartError> {
        match self.cover(&bind.at) {
            Cover::Host(cover) if inside(cover, &bind.at) != bind.from => {}
            Cover::Host(cover) if cover.access == bind.access => return Ok(()),
            Cover::Host(cover) => bind.inner = cover.access == Access::Cow && !bind.access.writes(),
            _ => {}
        }
        self.mount_point(&bind.at, bind.dir)?;
        self.pin(&bind.at);
        self.items.push(Item::Bind(bind));
        Ok(())
    }

    /// What no grant shows needs no hiding.
    fn hide(&mut self, at: PathBuf, dir: bool) {
        if let Cover::Host(_) = self.cover(&at) {
            self.pin(&at);
            self.items.push(if dir { Item::Cover(at) } else { Item::Mask(at) });
        }
    }

    fn fresh(&mut self, at: PathBuf, placed: &Placed) -> Result<(), StartError> {
        if let Placed::Text(text) = placed {
            return self.text(at, text);
        }
        let own = matches!(self.cover(&at), Cover::Host(_));
        self.mount_point(&at, true)?;
        self.pin(&at);
        self.items.push(match placed {
            Placed::Tmpfs(size) => Item::Tmpfs(at, *size),
            Placed::Channel => Item::Channel(at),
            Placed::Dev { shm } => Item::Dev { at, shm: *shm, own },
            _ => Item::Proc(at),
        });
        Ok(())
    }

    /// Makes sure that there is something to mount on; in host folders nothing is ever created.
    pub(super) fn mount_point(&mut self, at: &Path, dir: bool) -> Result<(), StartError> {
        match self.cover(at) {
            Cover::Memory => {
                self.parents(at);
                self.items.push(if dir { Item::Dir(at.to_path_buf()) } else { Item::File(at.to_path_buf()) });
                Ok(())
            }
            Cover::Host(cover) => {
                let beneath = inside(cover, at);
                let fits = walk::plain(&beneath).is_ok_and(|found| found == dir);
                let missing =
                    || StartError::NoMountPoint { at: at.to_path_buf(), inside: cover.from.clone() };
                fits.then_some(()).ok_or_else(missing)
            }
            Cover::Foreign(inside) => {
                Err(StartError::NoMountPoint { at: at.to_path_buf(), inside: inside.to_path_buf() })
            }
        }
    }

    /// Keeps the folders between a writable grant and something below it from being renamed: what stands at the path of a
    /// rule would be the jar's own then.
    pub(super) fn pin(&mut self, at: &Path) {
        let Cover::Host(cover) = self.cover(at) else { return };
        if !cover.access.writes() {
            return;
        }
        let top = cover.at.clone();
        let mut between: Vec<PathBuf> =
            at.ancestors().skip(1).take_while(|dir| *dir != top).map(Path::to_path_buf).collect();
        between.reverse();
        between.retain(|dir| !self.items.iter().any(|item| item.at() == dir));
        self.items.extend(between.into_iter().map(Item::Pin));
    }

    /// Folders in memory above a path, the outermost first.
    fn parents(&mut self, at: &Path) {
        let mut above: Vec<PathBuf> = at.ancestors().skip(1).map(Path::to_path_buf).collect();
        above.pop();
        for dir in above.into_iter().rev() {
            let known = self.items.iter().any(|item| is_same(item.at(), &dir));
            if !known {
                self.items.push(Item::Dir(dir));
            }
        }
    }

    /// Host folders hold their own symlinks; only folders in memory need a copy.
    fn link(&mut self, at: PathBuf, target: PathBuf) {
        if !matches!(self.cover(&at), Cover::Memory) {
            return;
        }
        self.parents(&at);
        let link = Item::Link { at, target };
        if !self.items.contains(&link) {
            self.items.push(link);
        }
    }

    fn cover(&self, at: &Path) -> Cover<'_> {
        for item in self.items.iter().rev() {
            match item {
                Item::Bind(bind) | Item::Root(bind) if is_within(at, &bind.at) => return Cover::Host(bind),
                Item::Tmpfs(path, _) | Item::Cover(path) if is_within(at, path) => return Cover::Memory,
                Item::Proc(path) | Item::Mask(path) | Item::Channel(path) if is_within(at, path) => {
                    return Cover::Foreign(path);
                }
                Item::Dev { at: path, .. } if is_within(at, path) => return Cover::Memory,
                _ => {}
            }
        }
        Cover::Memory
    }

    /// Which of the binds this is.
    pub(super) fn number(&self, bind: &Bind) -> Option<usize> {
        self.items.iter().filter(|item| matches!(item, Item::Bind(_))).position(|item| item.at() == bind.at)
    }

    /// Whether a mount point lies in the jar's own memory, with nothing of the host above it.
    pub(crate) fn in_memory(&self, at: &Path) -> bool {
        let host = |item: &Item| matches!(item, Item::Bind(_) | Item::Root(_)) && !is_same(item.at(), at);
        !self.items.iter().any(|item| host(item) && is_within(at, item.at()))
    }

    /// Whether a folder of the host is in the jar, under its own name.
    pub(crate) fn shows(&self, path: &Path) -> bool {
        let path = &within::plain(path);
        match self.cover(path) {
            Cover::Host(bind) => bind.from == bind.at,
            Cover::Memory => {
                let made =
                    |item: &Item| matches!(item, Item::Dir(at) | Item::Tmpfs(at, _) if is_same(at, path));
                self.items.iter().any(made)
            }
            Cover::Foreign(_) => false,
        }
    }
}

/// The host path behind a path below a bind.
fn inside(bind: &Bind, at: &Path) -> PathBuf {
    join(&bind.from, at.strip_prefix(&bind.at).unwrap_or(Path::new("")))
}

impl Item {
    /// Its path in the jar.
    pub(crate) fn at(&self) -> &Path {
        match self {
            Self::Dir(at)
            | Self::File(at)
            | Self::Cover(at)
            | Self::Mask(at)
            | Self::Pin(at)
            | Self::Tmpfs(at, _)
            | Self::Proc(at)
            | Self::Channel(at)
            | Self::Link { at, .. }
            | Self::Text { at, .. }
            | Self::Dev { at, .. } => at,
            Self::Bind(bind) | Self::Root(bind) => &bind.at,
        }
    }
}
