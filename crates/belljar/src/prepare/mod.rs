//! From the plan to ops: the last stage that allocates. Looks at the host through descriptors and walks; the child walks
//! again, without symlinks, so that nothing that changes in between is followed.

mod arena;
mod aside;
mod danger;
mod environment;
mod grants;
mod identity;
mod layout;
mod mounts;
mod network;
mod planted;
pub(crate) mod program;
mod rules;
mod storage;
mod texts;
mod variables;
mod void;

use std::ffi::{CStr, OsStr, OsString};
use std::path::{Path, PathBuf};

use belljar_policy::{Access, Policy};
use belljar_sys::abi::{TerminalSettings, TerminalSize};
use belljar_sys::call::Ticket;
use belljar_sys::child::{Forbidden, Network};
use belljar_sys::{Fd, Op};

pub(crate) use arena::Arena;
pub(crate) use aside::Overlay;
pub(crate) use danger::danger;
pub(crate) use identity::{refuse_unmapped, unmapped, write_maps, write_maps_between};
pub(crate) use program::Found;

use crate::error::StartError;
use crate::plan::{CLONE_NEWNET, Place, Plan, Step};
use crate::report::Void;
use crate::walk::Walker;
use layout::{Bind, Item, Layout};
pub(crate) use rules::{Rule, for_oneself as rules_for_oneself};
pub(crate) use storage::Storage;
pub(crate) use variables::{Variables, home};
pub(crate) use void::held;

/// What is run, where and with what.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    pub(crate) program: &'a OsStr,
    pub(crate) args: &'a [OsString],
    pub(crate) env: &'a Variables,
    pub(crate) cwd: &'a Path,
    pub(crate) home: Option<&'a Path>,
    /// Descriptors that become 0, 1, 2.
    pub(crate) stdio: [Option<Fd>; 3],
    /// Program side of a terminal that the supervisor opened on the host; none = the jar opens its own.
    pub(crate) host_terminal: Option<Fd>,
    /// Granted paths of which root makes detached copies, so that owners are translated; in the order in which it sends them.
    pub(crate) sent: &'a [PathBuf],
    /// A descriptor that init must not keep: the supervisor's end of the status socket.
    pub(crate) witness: Fd,
    /// Size and settings of the caller's terminal.
    pub(crate) terminal: (TerminalSize, Option<TerminalSettings>),
    /// Passed descriptors that are opened anew.
    pub(crate) narrowed: &'a [Narrowed],
    /// Pipes in place of passed logs: number in the jar, descriptor here.
    pub(crate) logs: &'a [(Fd, Fd)],
    /// The supervisor wants to look at what was kept aside.
    pub(crate) watches_aside: bool,
    /// Init's end of the socket for errands.
    pub(crate) errands: Option<Fd>,
    /// Open `cgroup.procs` of the jar's group.
    pub(crate) cgroup: &'a [Fd],
    /// The caller's user and group.
    pub(crate) ids: (u32, u32),
}

/// A passed file or folder that is opened anew with less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Narrowed {
    pub(crate) fd: Fd,
    pub(crate) path: PathBuf,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Only reading: the mount is read-only and nothing on it can be executed.
    pub(crate) read_only: bool,
    pub(crate) flags: u32,
}

impl Invocation<'_> {
    /// The numbers of the copies of a path: one for each time that it is granted.
    fn sent(&self, path: &Path) -> impl Iterator<Item = usize> {
        self.sent.iter().enumerate().filter(move |(_, from)| *from == path).map(|(number, _)| number)
    }
}

/// A path of the jar and what may be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    /// Memory of the jar's own.
    pub(crate) memory: bool,
}

/// Everything that the child needs, borrowed from the arenas.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) init: Vec<Op<'a>>,
    pub(crate) program: Vec<Op<'a>>,
    /// Init's end of the socket for errands.
    pub(crate) errands: Option<Fd>,
    /// The program's file on the host.
    file: Option<&'a Path>,
    layout: Layout,
    /// The jar has a root of its own.
    namespaced: bool,
    walker: Walker<'a>,
    /// What the broker decides by; empty without one.
    pub(crate) seen: Vec<Seen>,
    /// Landlock's rules on the host's own tree.
    pub(crate) granted: Vec<Rule>,
}

/// The work in progress.
struct Builder<'a> {
    plan: &'a Plan,
    policy: &'a Policy,
    call: &'a Invocation<'a>,
    storage: &'a Storage,
    layout: Layout,
    /// Landlock's rules on the host's own tree.
    granted: Vec<Rule>,
    found: &'a Found<'a>,
}

/// Host paths that the program's own files add to the plan (`"@program"`).
pub(crate) fn prepare<'a>(
    plan: &'a Plan,
    policy: &'a Policy,
    call: &'a Invocation<'a>,
    found: &'a Found<'a>,
    storage: &'a Storage,
    mut walker: Walker<'a>,
) -> Result<Prepared<'a>, StartError> {
    let own = program::own_files(plan, found)?;
    let places: Vec<&Place> = plan.places().chain(own.iter()).collect();
    let layout = layout::lay_out(&places, call.home, &mut walker)?;
    let granted = rules::granted(plan, &layout.items)?;
    let builder = Builder { plan, policy, call, storage, layout, granted, found };
    let (mut init, mut program) = (Vec::with_capacity(128), Vec::with_capacity(64));
    let seen = if plan.broker.is_some() { rules::seen(&builder) } else { Vec::new() };
    let mut placed = false;
    for step in &plan.init {
        match step {
            // On the host's own tree nothing is placed: rules follow from the layout.
            Step::Place(_) if plan.engine.is_host_tree() => {}
            // All placements are one layout.
            Step::Place(_) if placed => {}
            Step::Place(_) => {
                placed = true;
                mounts::build(&builder, &mut init)?;
            }
            step => builder.init(step, &mut init)?,
        }
    }
    for step in &plan.program {
        builder.program(step, &mut program)?;
    }
    let file = found.file.as_deref();
    let namespaced = plan.namespaces != 0;
    let errands = call.errands;
    let (layout, granted) = (builder.layout, builder.granted);
    Ok(Prepared { init, program, errands, file, layout, namespaced, walker, seen, granted })
}

impl Prepared<'_> {
    /// Whether init sends the memory of the overlays.
    pub(crate) fn sends_aside(&self) -> bool {
        self.init.iter().any(|op| matches!(op, Op::SendFolder(_)))
    }

    /// Placements of the plan that have come to nothing, by their numbers.
    pub(crate) fn void(&self) -> &[(usize, Void)] {
        &self.layout.void
    }

    /// The overlays, and where the changes of each lie in that memory.
    pub(crate) fn overlays(&self) -> Vec<Overlay> {
        aside::changes(&self.layout.items)
    }

    /// The program's file, when the jar shows it under its own path.
    pub(crate) fn shown_file(&self) -> Option<&Path> {
        let real = |file: &Path| self.walker.clone().path(file);
        let shows = |file: &Path| real(file).is_some_and(|real| self.layout.shows(&real));
        self.file.filter(|file| !self.namespaced || shows(file))
    }
}

/// Capability sets are 64 bits wide; the child stops at the first number that its kernel does not know.
const LAST_CAPABILITY: u32 = 63;

/// Options of the memory that the root consists of: only folders, links and mount points.
const TMPFS_ROOT: &CStr = c"mode=0755,size=1m,nr_inodes=4k";

impl<'a> Builder<'a> {
    /// Root's copy for this place: of a path that is granted at two places there are two, since a mount lies at one.
    fn sent(&self, bind: &Bind) -> Option<usize> {
        let of = |item: &&Item| matches!(item, Item::Bind(other) if other.from == bind.from && !other.inner);
        // The lower folder of an overlay is read.
        let same = |other: &Bind| other.access == bind.access || other.access == Access::Cow;
        let is_it = |item: &&Item| matches!(item, Item::Bind(other) if other.at == bind.at && same(other));
        let mut copies = self.call.sent(&bind.from).filter(|_| !bind.inner).peekable();
        copies.peek()?;
        let before = self.layout.items.iter().take_while(|item| !is_it(item)).filter(of).count();
        copies.nth(before)
    }

    fn init(&self, step: &Step, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
        match step {
            // Changing the user takes the wish back. Until then this init only waits for the parent, whose end it hears.
            Step::DieWithParent if self.awaits_go() => {}
            Step::DieWithParent => ops.push(Op::DieWithParent),
            Step::CloseInherited => {
                ops.push(Op::CloseInherited { keep: &self.storage.kept, witness: self.call.witness });
                // Not before: the process aside has init's descriptors, which that step closes.
                if let Some((_, later)) = self.plan.split_namespaces() {
                    ops.extend([Op::BeginNetwork, Op::Unshare(later)]);
                }
            }
            Step::MapIds => ops.push(identity::own_maps(self.call.ids, self.storage)?),
            Step::BecomeUser { uid, gid } => {
                if self.awaits_go() {
                    // Needs no id, and the parent is not ready yet.
                    ops.extend([Op::MountPrivate, Op::AwaitGo]);
                } else if identity::may_drop_bounding() {
                    ops.push(Op::DropBounding(LAST_CAPABILITY));
                }
                ops.push(Op::BecomeUser { uid: *uid, gid: *gid });
                // The kernel drops the wish with the old user's rights.
                if self.plan.init.contains(&Step::DieWithParent) {
                    ops.push(Op::DieWithParent);
                }
            }
            Step::JoinCgroup => ops.extend(self.call.cgroup.iter().map(|fd| Op::JoinCgroup(*fd))),
            Step::LimitNamespaces => ops.push(Op::LimitNamespaces { inside: false }),
            Step::LimitInside => {
                ops.push(Op::LimitNamespaces { inside: true });
                // Debuggers write to the memory files of what they debug.
                if !self.policy.debug.value {
                    ops.push(Op::SetAttr { path: c"proc", attrs: mounts::PROC });
                }
            }
            Step::NewRoot => self.new_root(ops)?,
            Step::Aside(size) => aside::begin(self, *size, ops)?,
            Step::MaskProc => mounts::mask_proc(ops),
            Step::OpenTerminal => {
                let (size, settings) = self.call.terminal;
                ops.push(Op::OpenTerminal { size, settings });
            }
            Step::PivotRoot => ops.push(Op::PivotRoot),
            Step::SealRoot => ops.push(Op::SetAttr { path: c"/", attrs: mounts::SEALED }),
            Step::Hostname(name) => {
                ops.push(Op::Hostname(self.storage.text("the host name", name.as_bytes())?.to_bytes()))
            }
            Step::Loopback | Step::OwnAddresses | Step::Serve { .. } => self.network(step, ops)?,
            Step::Subreaper => ops.push(Op::Subreaper),
            Step::SecureBits => ops.push(Op::SecureBits),
            // The bounding set only limits what exec takes from a file's capabilities. With no_new_privs exec takes nothing,
            // and every mount of the jar is nosuid, where files have none: 41 calls would guard a door that is walled up
            // twice. Without namespaces only no_new_privs is there, and BecomeUser empties the set first where it can.
            Step::DropCapabilities => ops.push(Op::DropCapabilities),
            Step::NoNewPrivs => ops.push(Op::NoNewPrivs),
            Step::NotDumpable => ops.push(Op::NotDumpable),
            _ => {}
        }
        Ok(())
    }

    /// The parent makes id maps and mounts meanwhile.
    fn awaits_go(&self) -> bool {
        self.plan.namespaces != 0 && self.plan.init.iter().any(|step| matches!(step, Step::BecomeUser { .. }))
    }

    fn new_root(&self, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
        ops.extend((!self.awaits_go()).then_some(Op::MountPrivate));
        self.narrow(ops)?;
        ops.push(Op::NewRoot { at: c"/proc", data: TMPFS_ROOT });
        texts::keep(self, ops)
    }

    fn program(&self, step: &Step, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
        match step {
            Step::NewSession => {
                ops.push(Op::NewSession);
                self.streams(ops);
            }
            Step::UseTerminal(mask) => self.terminal(*mask, ops),
            Step::Umask(mask) => ops.push(Op::Umask(*mask)),
            Step::Chdir(path) => ops.push(Op::Chdir(self.storage.path(&self.folder(path.as_deref()))?)),
            Step::Landlock => {
                if self.plan.split_namespaces().is_none() {
                    rules::make(self, ops)?;
                }
                ops.extend(self.plan.landlock.as_ref().map(|_| Op::LandlockRestrict));
            }
            Step::CloseOnExec(keep) => {
                ops.push(Op::CloseOnExec(3));
                ops.extend(keep.iter().map(|fd| Op::Keep(Fd::from(*fd))));
            }
            Step::Rlimit(kind, soft, hard) => {
                ops.push(Op::Rlimit { resource: kind.number(), soft: *soft, hard: *hard });
            }
            Step::ResetSignals => ops.push(Op::ResetSignals),
            Step::Broker => ops.push(Op::Broker(&self.storage.handed)),
            Step::Seccomp => ops.push(Op::Seccomp(&self.storage.filter)),
            Step::TellingSeccomp => ops.push(Op::TellingSeccomp(&self.storage.filter)),
            Step::Promise => {
                let tells = self.plan.promises.as_ref().is_some_and(|promises| promises.tells);
                let ticket = self.storage.ticket.unwrap_or(Ticket::NONE);
                ops.push(Op::Promise { filter: &self.storage.filter, ticket, tells });
            }
            Step::SelfProbe => ops.push(Op::SelfProbe(self.forbidden()?)),
            Step::Exec => ops.push(self.found.exec()),
            _ => {}
        }
        Ok(())
    }

    /// Before the new root covers `/proc`, through which the clones are opened.
    fn narrow(&self, ops: &mut Vec<Op<'a>>) -> Result<(), StartError> {
        for narrowed in self.call.narrowed {
            ops.push(Op::Narrow {
                fd: narrowed.fd,
                path: self.storage.path(&narrowed.path)?,
                device: narrowed.device,
                inode: narrowed.inode,
                attrs: mounts::passed(narrowed.read_only),
                flags: narrowed.flags,
            });
        }
        Ok(())
    }

    fn streams(&self, ops: &mut Vec<Op<'a>>) {
        for (to, from) in (0..).zip(self.call.stdio) {
            ops.extend(from.map(|from| Op::Dup { from, to }));
        }
        ops.extend(self.call.logs.iter().map(|(to, from)| Op::Dup { from: *from, to: *to }));
    }

    fn terminal(&self, mask: u8, ops: &mut Vec<Op<'a>>) {
        if let Some(fd) = self.call.host_terminal {
            ops.push(Op::HostTerminal(fd));
        }
        ops.push(Op::UseTerminal(mask));
    }

    /// The working folder: the named one, else the caller's where the jar has it, else the root.
    fn folder(&self, named: Option<&Path>) -> PathBuf {
        match named {
            Some(path) => path.to_path_buf(),
            None if self.plan.namespaces == 0 => self.call.cwd.to_path_buf(),
            None if self.layout.shows(self.call.cwd) => self.call.cwd.to_path_buf(),
            None => PathBuf::from("/"),
        }
    }

    fn forbidden(&self) -> Result<Forbidden<'a>, StartError> {
        let open = rules::ungranted(self).map(|path| self.storage.path(&path)).transpose()?;
        let network = match self.policy.net.mode.value {
            belljar_policy::NetMode::Host => Network::Unasked,
            // Sockets are the filter's business, and that one comes later.
            _ if self.plan.promises.is_some() && self.plan.namespaces & CLONE_NEWNET == 0 => Network::Unasked,
            _ if self.plan.init.contains(&Step::OwnAddresses) => Network::OwnAddresses,
            _ => Network::NoRoute,
        };
        // A filter with a ticket comes later and is asked by it.
        let call = self.plan.promises.is_none() && rules::forbids_io_uring(self.plan);
        Ok(Forbidden { open, network, call })
    }
}
