//! The steps of a child: prepared values, one action each.

use core::ffi::CStr;

use linux_raw_sys::{general as g, prctl as p};

use super::aside::Aside;
use super::rights::Rights;
use super::{action, counts, narrow, network, pty, selfprobe};
use crate::abi::{self, SockFilter};
use crate::call::{self, CWD, Fd, Result};

/// A path rule of Landlock, opened in the finished layout.
#[derive(Clone, Copy, Debug)]
pub struct PathRights<'a> {
    /// Path in the jar.
    pub path: &'a CStr,
    /// Landlock rights.
    pub allowed: u64,
    /// A missing path is fine: nothing is granted then.
    pub optional: bool,
    /// What stands there.
    pub mount: Mount,
}

/// What is known of the mount at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// Nothing: the path is walked.
    Unknown,
    /// The parent made it: the one of this number beside its word to go on.
    Sent(usize),
    /// [`Op::Bind`] made it and kept a descriptor here.
    Kept(usize),
}

/// Mounts of which init keeps a descriptor.
pub const KEPT_MOUNTS: usize = 16;

/// A path, and how it is followed.
#[derive(Clone, Copy, Debug)]
pub enum Walk<'a> {
    /// No component may be a symlink: the kernel checks each.
    Checked(&'a CStr),
    /// No component can be a symlink: nobody but root or belljar itself can put one there.
    Plain(&'a CStr),
}

impl<'a> Walk<'a> {
    /// The path.
    #[must_use]
    pub const fn path(self) -> &'a CStr {
        match self {
            Self::Checked(path) | Self::Plain(path) => path,
        }
    }
}

/// One prepared step. Every pointer and descriptor outlives the exec: the parent keeps them until the child is gone.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant says what its fields are")]
pub enum Op<'a> {
    /// Ask for SIGKILL when the creating thread ends.
    DieWithParent,
    /// Close every inherited descriptor of init except the status socket and those listed (ascending). `witness` was open
    /// and is not listed: it must be gone.
    CloseInherited { keep: &'a [Fd], witness: Fd },
    /// Open a passed descriptor anew through a detached clone of its own file, so that it keeps these attributes for ever
    /// and nothing above it can be reached. `path` must still lead to the file with this device and inode.
    Narrow { fd: Fd, path: &'a CStr, device: u64, inode: u64, attrs: u64, flags: u32 },
    /// Write the caller's own id maps; groups cannot be set afterwards.
    IdMaps { uid: &'a [u8], gid: &'a [u8] },
    /// Wait until the parent has written the id maps and sent the mounts that it makes.
    AwaitGo,
    /// Drop all groups and become this user.
    BecomeUser { uid: u32, gid: u32 },
    /// Join a control group through its open `cgroup.procs`.
    JoinCgroup(Fd),
    /// No more user namespaces below this one, and few of what is counted per user of the host; told to
    /// the `proc` below the current folder (`inside`) or to the host's.
    LimitNamespaces { inside: bool },
    /// Mounts made here stay here.
    MountPrivate,
    /// Mount the new root's tmpfs over this folder and make it the current folder.
    NewRoot { at: &'a CStr, data: &'a CStr },
    /// Enter what was mounted over the new root.
    EnterRoot(&'a CStr),
    /// Make a folder below the current one; it may exist.
    Dir { path: &'a CStr, mode: u32 },
    /// Make an empty file below the current folder; it may exist.
    File { path: &'a CStr, mode: u32 },
    /// Make a file with this text below the current folder and keep it as a mount of its own.
    KeepText { slot: usize, name: &'a CStr, text: &'a [u8] },
    /// Put a kept file at a path below the current folder.
    PlaceText { slot: usize, to: Walk<'a> },
    /// Make a symlink below the current folder; it may exist.
    Symlink { target: &'a CStr, path: &'a CStr },
    /// Remove a file below the current folder.
    Unlink(&'a CStr),
    /// Bind a host path at a path below the current folder. Each is walked without symlinks, or taken as it is where no
    /// symlink is possible: an entry of the host's `/`, a mount point in the jar's own memory. A descriptor of the mount stays
    /// at the place `keep` below [`KEPT_MOUNTS`], if any.
    Bind { from: Walk<'a>, to: Walk<'a>, attrs: u64, keep: Option<usize> },
    /// Bind a detached mount that the parent made: the one of this number beside its word to go on.
    BindSent { number: usize, to: Walk<'a>, attrs: u64 },
    /// Bind a harmless node without attributes.
    BindNode { from: &'a CStr, to: &'a CStr },
    /// Mount a fresh file system at a path below the new root.
    Mount { kind: &'a CStr, to: Walk<'a>, flags: u32, data: &'a CStr },
    /// Mount an overlay (lower, upper and work folder in its options) at a path below the new root.
    Overlay { to: Walk<'a>, data: &'a CStr },
    /// Make a FIFO and a file below the current folder and send both, open, to the supervisor.
    Channel { requests: &'a CStr, replies: &'a CStr },
    /// Send a folder below the current one to the supervisor, for reading.
    SendFolder(&'a CStr),
    /// Detach what is mounted at a folder below the current one, and remove the folder.
    Detach(&'a CStr),
    /// Cover a folder, which need not be enterable, with an empty one in memory.
    Cover(&'a CStr),
    /// Cover a path with a null device that cannot be opened, when it exists.
    Mask(Walk<'a>),
    /// Cover a path with what covers another, or as [`Op::Mask`] does where that is not there.
    MaskAlike { mask: &'a CStr, path: &'a CStr },
    /// Attributes of the mount at a path below the current folder.
    SetAttr { path: &'a CStr, attrs: u64 },
    /// The current folder becomes the root, the old root is gone.
    PivotRoot,
    /// Name of the host inside.
    Hostname(&'a [u8]),
    /// Make these namespaces (`CLONE_NEW*`).
    Unshare(u32),
    /// Let a process of its own make a network namespace with its loopback up.
    BeginNetwork,
    /// Wait for that process and enter its network namespace.
    JoinNetwork,
    /// Bring the loopback interface up.
    Loopback,
    /// Every address becomes one of the loopback's own.
    OwnEveryAddress,
    /// Make these sockets in the jar's network and send them to the supervisor.
    Serve(&'a [network::Serve]),
    /// Make a terminal in the jar's own `/dev/pts` and send its master side to the supervisor.
    OpenTerminal { size: abi::TerminalSize, settings: Option<abi::TerminalSettings> },
    /// Securebits: uid 0 means nothing, locked.
    SecureBits,
    /// Remove every capability from the bounding set.
    DropBounding(u32),
    /// Empty the other capability sets.
    DropCapabilities,
    /// No exec grants anything any more.
    NoNewPrivs,
    /// No core dump and no tracing of this process by its peers.
    NotDumpable,
    /// Orphans of the jar become children of init.
    Subreaper,
    /// Leave the caller's session.
    NewSession,
    /// The program's side of a terminal that the supervisor opened.
    HostTerminal(Fd),
    /// The terminal becomes the controlling one and replaces the standard descriptors in this bit mask.
    UseTerminal(u8),
    /// A descriptor of the parent becomes this standard descriptor.
    Dup { from: Fd, to: Fd },
    /// Resource limit.
    Rlimit { resource: u32, soft: u64, hard: u64 },
    /// File mode mask.
    Umask(u32),
    /// Enter a folder of the jar.
    Chdir(&'a CStr),
    /// Make the ruleset.
    LandlockCreate(abi::LandlockRuleset),
    /// Add a path to the ruleset.
    LandlockPath(PathRights<'a>),
    /// Let programs use a TCP port.
    LandlockPort { port: u64, allowed: u64 },
    /// Enforce the ruleset.
    LandlockRestrict,
    /// Everything from this number on closes at exec.
    CloseOnExec(u32),
    /// This descriptor stays open over exec.
    Keep(Fd),
    /// Default action and an empty mask for signals.
    ResetSignals,
    /// Load a filter that hands calls over, and send its listener to the supervisor.
    Broker(&'a [SockFilter]),
    /// Load the filter, and send its listener to the supervisor where this kernel lets it have one.
    TellingSeccomp(&'a [SockFilter]),
    /// Load the filter.
    Seccomp(&'a [SockFilter]),
    /// Load the filter of promises, which only lets this ticket start the program. With `tells`, its listener goes to the
    /// supervisor.
    Promise { filter: &'a [SockFilter], ticket: call::Ticket, tells: bool },
    /// Each of these must be refused.
    SelfProbe(selfprobe::Forbidden<'a>),
    /// The first candidate that exists becomes the program.
    Exec { candidates: &'a [&'a CStr], argv: &'a [*const u8], envp: &'a [*const u8] },
}

/// What an op is called in errors; stable names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step(pub &'static str);

/// What ops share within one process.
#[derive(Debug)]
pub(crate) struct State {
    /// Socket to the supervisor.
    pub(crate) status: Fd,
    /// The jar's own terminal, program side; -1 = none.
    pub(crate) terminal: Fd,
    /// A mask that is in place, for others to be made from; -1 = none.
    pub(crate) mask: Fd,
    /// The Landlock ruleset; -1 = none.
    pub(crate) ruleset: Fd,
    /// What the program starts by, behind a filter that asks for it.
    pub(crate) ticket: Option<call::Ticket>,
    /// Files of [`Op::KeepText`]; -1 = none.
    pub(crate) texts: [Fd; 4],
    /// Detached mounts of the parent.
    pub(crate) sent: Rights,
    /// Mounts that [`Op::Bind`] has kept; -1 = none.
    pub(crate) mounts: [Fd; KEPT_MOUNTS],
    /// Who makes the network.
    pub(crate) aside: Aside,
    /// This kernel clones a mount together with its attributes (Linux 6.15), as far as is known.
    pub(crate) clones_with: bool,
    /// The program's process ends with init, as all of a PID namespace does.
    pub(crate) own_pids: bool,
    /// Init ends when the thread that made it does.
    pub(crate) dies_with_parent: bool,
    /// The caller's file mode mask, which the program gets.
    pub(crate) umask: u32,
}

impl Op<'_> {
    /// The step's name.
    #[must_use]
    pub const fn step(&self) -> Step {
        Step(match self {
            Self::DieWithParent => "die-with-parent",
            Self::CloseInherited { .. }
            | Self::Narrow { .. }
            | Self::CloseOnExec(_)
            | Self::Keep(_)
            | Self::Dup { .. } => "descriptors",
            Self::IdMaps { .. } | Self::AwaitGo => "id-maps",
            Self::BecomeUser { .. } => "become-user",
            Self::JoinCgroup(_) => "join-cgroup",
            Self::LimitNamespaces { .. } => "limit-namespaces",
            Self::MountPrivate | Self::NewRoot { .. } | Self::EnterRoot(_) => "new-root",
            Self::Dir { .. }
            | Self::File { .. }
            | Self::Symlink { .. }
            | Self::Unlink(_)
            | Self::KeepText { .. }
            | Self::PlaceText { .. } => "layout",
            Self::Bind { .. } | Self::BindSent { .. } | Self::BindNode { .. } => "bind",
            Self::Mount { .. } => "mount",
            Self::Overlay { .. } | Self::SendFolder(_) | Self::Detach(_) => "overlay",
            Self::Channel { .. } => "channel",
            Self::Mask(_) | Self::MaskAlike { .. } | Self::Cover(_) => "mask",
            Self::SetAttr { .. } => "mount-attributes",
            Self::PivotRoot => "pivot-root",
            Self::Hostname(_) => "hostname",
            Self::Unshare(_) | Self::BeginNetwork | Self::JoinNetwork => "clone",
            Self::Loopback => "loopback",
            Self::OwnEveryAddress | Self::Serve(_) => "network",
            Self::OpenTerminal { .. } | Self::HostTerminal(_) | Self::UseTerminal(_) => "terminal",
            Self::SecureBits | Self::DropBounding(_) | Self::DropCapabilities => "capabilities",
            Self::NoNewPrivs => "no-new-privs",
            Self::NotDumpable => "not-dumpable",
            Self::Subreaper => "subreaper",
            Self::NewSession => "session",
            Self::Rlimit { .. } => "rlimit",
            Self::Umask(_) => "umask",
            Self::Chdir(_) => "chdir",
            Self::LandlockCreate(_)
            | Self::LandlockPath(_)
            | Self::LandlockPort { .. }
            | Self::LandlockRestrict => "landlock",
            Self::ResetSignals => "signals",
            Self::Broker(_) => "broker",
            Self::Seccomp(_) | Self::TellingSeccomp(_) => "seccomp",
            Self::Promise { .. } => "promise",
            Self::SelfProbe(_) => "self-probe",
            Self::Exec { .. } => "exec",
        })
    }

    /// Does it.
    #[expect(clippy::too_many_lines, reason = "one short arm for each op")]
    pub(crate) fn apply(&self, state: &mut State) -> Result<()> {
        match *self {
            Self::DieWithParent => action::die_with_parent(state),
            Self::CloseInherited { keep, witness } => action::close_inherited(keep, state.status, witness),
            Self::Narrow { fd, path, device, inode, attrs, flags } => {
                narrow::open_anew(fd, path, (device, inode), attrs, flags)
            }
            Self::IdMaps { uid, gid } => action::id_maps(uid, gid),
            Self::AwaitGo => action::await_go(state),
            Self::BecomeUser { uid, gid } => action::become_user(uid, gid),
            Self::JoinCgroup(fd) => call::write(fd, b"0").map(drop),
            Self::LimitNamespaces { inside } => counts::limit(inside),
            Self::MountPrivate => call::mount(c"", c"/", g::MS_REC | g::MS_PRIVATE, c""),
            Self::NewRoot { at, data } => action::new_root(at, data),
            Self::EnterRoot(at) => call::chdir(at),
            Self::Dir { path, mode } => action::may_exist(call::mkdir(path, mode)),
            Self::File { path, mode } => action::may_exist(call::make_file(path, mode)),
            Self::KeepText { slot, name, text } => action::keep_text(state, slot, name, text),
            Self::PlaceText { slot, to } => action::place_text(state, slot, to),
            Self::Symlink { target, path } => action::may_exist(call::symlink(target, path)),
            Self::Unlink(path) => call::unlink(path),
            Self::Bind { from, to, attrs, keep } => action::bind(state, from, to, attrs, keep),
            Self::BindSent { number, to, attrs } => action::attach(state.sent.get(number)?, to, attrs),
            Self::BindNode { from, to } => action::bind_node(from, to),
            Self::Mount { kind, to, flags, data } => action::mount(kind, to, flags, data),
            Self::Overlay { to, data } => action::overlay(to, data),
            Self::Channel { requests, replies } => action::channel(state.status, requests, replies),
            Self::SendFolder(path) => action::send_folder(state.status, path),
            Self::Detach(path) => call::detach(path),
            Self::Cover(path) => action::cover(path),
            Self::Mask(target) => action::mask(state, target),
            Self::MaskAlike { mask, path } => action::mask_alike(state, mask, path),
            Self::SetAttr { path, attrs } => action::set_attr(CWD, path, false, attrs),
            Self::PivotRoot => call::pivot_here(),
            Self::Hostname(name) => call::sethostname(name),
            Self::Unshare(namespaces) => call::unshare(namespaces),
            Self::BeginNetwork => state.aside.begin(),
            Self::JoinNetwork => state.aside.join(),
            Self::Loopback => state.aside.loopback(),
            Self::OwnEveryAddress => network::own_every_address(),
            Self::Serve(wanted) => network::serve(state.status, wanted),
            Self::OpenTerminal { size, settings } => pty::open(state, size, settings),
            Self::SecureBits => call::prctl(p::PR_SET_SECUREBITS, action::SECURE_BITS).map(drop),
            Self::DropBounding(last) => action::drop_bounding(last),
            Self::DropCapabilities => call::drop_capabilities(),
            Self::NoNewPrivs => call::prctl(p::PR_SET_NO_NEW_PRIVS, 1).map(drop),
            Self::NotDumpable => call::prctl(p::PR_SET_DUMPABLE, 0).map(drop),
            Self::Subreaper => call::prctl(p::PR_SET_CHILD_SUBREAPER, 1).map(drop),
            Self::NewSession => call::setsid(),
            Self::HostTerminal(fd) => {
                state.terminal = fd;
                Ok(())
            }
            Self::UseTerminal(mask) => pty::take(state, mask),
            Self::Dup { from, to } => call::dup_to(from, to),
            Self::Rlimit { resource, soft, hard } => call::set_rlimit(resource, soft, hard),
            Self::Umask(mask) => {
                call::umask(mask);
                Ok(())
            }
            Self::Chdir(path) => call::chdir(path),
            Self::LandlockCreate(handled) => {
                state.ruleset = call::landlock_create(&handled)?;
                Ok(())
            }
            Self::LandlockPath(rights) => action::landlock_path(state, rights),
            Self::LandlockPort { port, allowed } => call::landlock_port(state.ruleset, allowed, port),
            Self::LandlockRestrict => call::landlock_restrict(state.ruleset),
            Self::CloseOnExec(first) => call::close_range(first, u32::MAX, true),
            Self::Keep(fd) => call::keep_on_exec(fd),
            Self::ResetSignals => action::reset_signals(),
            Self::Broker(filter) => action::broker(state, filter),
            Self::TellingSeccomp(filter) => action::telling_seccomp(state, filter),
            Self::Seccomp(filter) => call::seccomp(filter),
            Self::Promise { filter, ticket, tells } => action::promise(state, filter, ticket, tells),
            Self::SelfProbe(forbidden) => forbidden.check(),
            Self::Exec { candidates, argv, envp } => Err(action::exec(candidates, argv, envp, state.ticket)),
        }
    }
}
