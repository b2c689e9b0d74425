//! The steps of a child: prepared values, one action each.

use core::ffi::CStr;

use linux_raw_sys::{general as g, prctl as p};

use super::{pty, selfprobe};
use crate::abi::{self, SockFilter};
use crate::call::{self, CWD, Errno, Fd, Result};

/// A path rule of Landlock, opened in the finished layout.
#[derive(Clone, Copy, Debug)]
pub struct PathRights<'a> {
    /// Path in the jar.
    pub path: &'a CStr,
    /// Landlock rights.
    pub allowed: u64,
    /// A missing path is fine: nothing is granted then.
    pub optional: bool,
}

/// One prepared step. Every pointer and descriptor outlives the exec: the parent keeps them until the child is gone.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant says what its fields are")]
pub enum Op<'a> {
    /// Ask for SIGKILL when the creating thread ends.
    DieWithParent,
    /// Close every inherited descriptor of init except the status socket and those listed (ascending).
    CloseInherited(&'a [Fd]),
    /// Write the caller's own id maps; groups cannot be set afterwards.
    IdMaps { uid: &'a [u8], gid: &'a [u8] },
    /// Wait until the parent has written the id maps.
    AwaitGo,
    /// Drop all groups and become this user.
    BecomeUser { uid: u32, gid: u32 },
    /// Join a control group through its open `cgroup.procs`.
    JoinCgroup(Fd),
    /// No more user namespaces below this one.
    LimitNamespaces,
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
    /// Make a symlink below the current folder; it may exist.
    Symlink { target: &'a CStr, path: &'a CStr },
    /// Remove a file below the current folder.
    Unlink(&'a CStr),
    /// Bind a host path, walked without symlinks, at a path below the current folder, walked the same way.
    Bind { from: &'a CStr, to: &'a CStr, attrs: u64 },
    /// Bind a detached mount that the parent made.
    BindFd { from: Fd, to: &'a CStr, attrs: u64 },
    /// Bind a harmless node without attributes.
    BindNode { from: &'a CStr, to: &'a CStr },
    /// Mount a fresh file system at a path below the new root, walked without symlinks.
    Mount { kind: &'a CStr, to: &'a CStr, flags: u32, data: &'a CStr },
    /// Cover a folder, which need not be enterable, with an empty one in memory.
    Cover(&'a CStr),
    /// Cover a path with nothing when it exists.
    Mask { path: &'a CStr, with: &'a CStr },
    /// Attributes of the mount at a path below the current folder.
    SetAttr { path: &'a CStr, attrs: u64 },
    /// The current folder becomes the root, the old root is gone.
    PivotRoot,
    /// Name of the host inside.
    Hostname(&'a [u8]),
    /// Bring the loopback interface up.
    Loopback,
    /// Make a terminal in the jar's own `/dev/pts` and send its master side to the supervisor.
    OpenTerminal,
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
    /// Load the filter.
    Seccomp(&'a [SockFilter]),
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
    /// The new root while it is built; -1 = none.
    pub(crate) root: Fd,
    /// The Landlock ruleset; -1 = none.
    pub(crate) ruleset: Fd,
}

impl Op<'_> {
    /// The step's name.
    #[must_use]
    pub const fn step(&self) -> Step {
        Step(match self {
            Self::DieWithParent => "die-with-parent",
            Self::CloseInherited(_) | Self::CloseOnExec(_) | Self::Keep(_) | Self::Dup { .. } => {
                "descriptors"
            }
            Self::IdMaps { .. } | Self::AwaitGo => "id-maps",
            Self::BecomeUser { .. } => "become-user",
            Self::JoinCgroup(_) => "join-cgroup",
            Self::LimitNamespaces => "limit-namespaces",
            Self::MountPrivate | Self::NewRoot { .. } | Self::EnterRoot(_) => "new-root",
            Self::Dir { .. } | Self::File { .. } | Self::Symlink { .. } | Self::Unlink(_) => "layout",
            Self::Bind { .. } | Self::BindFd { .. } | Self::BindNode { .. } => "bind",
            Self::Mount { .. } => "mount",
            Self::Mask { .. } | Self::Cover(_) => "mask",
            Self::SetAttr { .. } => "mount-attributes",
            Self::PivotRoot => "pivot-root",
            Self::Hostname(_) => "hostname",
            Self::Loopback => "loopback",
            Self::OpenTerminal | Self::HostTerminal(_) | Self::UseTerminal(_) => "terminal",
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
            Self::Seccomp(_) => "seccomp",
            Self::SelfProbe(_) => "self-probe",
            Self::Exec { .. } => "exec",
        })
    }

    /// Does it.
    pub(crate) fn apply(&self, state: &mut State) -> Result<()> {
        match *self {
            Self::DieWithParent => die_with_parent(),
            Self::CloseInherited(keep) => close_inherited(keep, state.status),
            Self::IdMaps { uid, gid } => id_maps(uid, gid),
            Self::AwaitGo => await_go(state.status),
            Self::BecomeUser { uid, gid } => become_user(uid, gid),
            Self::JoinCgroup(fd) => call::write(fd, b"0").map(drop),
            Self::LimitNamespaces => call::write_file(c"/proc/sys/user/max_user_namespaces", b"0"),
            Self::MountPrivate => call::mount(c"", c"/", g::MS_REC | g::MS_PRIVATE, c""),
            Self::NewRoot { at, data } => new_root(state, at, data),
            Self::EnterRoot(at) => enter_root(state, at),
            Self::Dir { path, mode } => may_exist(call::mkdir(path, mode)),
            Self::File { path, mode } => may_exist(call::make_file(path, mode)),
            Self::Symlink { target, path } => may_exist(call::symlink(target, path)),
            Self::Unlink(path) => call::unlink(path),
            Self::Bind { from, to, attrs } => bind(from, to, attrs),
            Self::BindFd { from, to, attrs } => attach(from, to, attrs),
            Self::BindNode { from, to } => bind_node(from, to),
            Self::Mount { kind, to, flags, data } => {
                mount_at(state.root, to, || call::mount(kind, c".", flags, data))
            }
            Self::Cover(path) => cover(path),
            Self::Mask { path, with } => mask(path, with),
            Self::SetAttr { path, attrs } => set_attr(CWD, path, false, attrs),
            Self::PivotRoot => call::pivot_here(),
            Self::Hostname(name) => call::sethostname(name),
            Self::Loopback => loopback(),
            Self::OpenTerminal => pty::open(state),
            Self::SecureBits => call::prctl(p::PR_SET_SECUREBITS, SECURE_BITS).map(drop),
            Self::DropBounding(last) => drop_bounding(last),
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
            Self::LandlockPath(rights) => landlock_path(state.ruleset, rights),
            Self::LandlockPort { port, allowed } => call::landlock_port(state.ruleset, allowed, port),
            Self::LandlockRestrict => call::landlock_restrict(state.ruleset),
            Self::CloseOnExec(first) => call::close_range(first, u32::MAX, true),
            Self::Keep(fd) => call::keep_on_exec(fd),
            Self::ResetSignals => reset_signals(),
            Self::Seccomp(filter) => call::seccomp(filter),
            Self::SelfProbe(forbidden) => forbidden.check(),
            Self::Exec { candidates, argv, envp } => Err(exec(candidates, argv, envp)),
        }
    }
}

/// NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE and their locks, and KEEP_CAPS' lock.
const SECURE_BITS: usize = 0b1110_1111;

fn die_with_parent() -> Result<()> {
    call::prctl(p::PR_SET_PDEATHSIG, 9).map(drop)
}

/// Closes the gaps between the kept descriptors; `keep` is ascending and does not hold the status socket.
fn close_inherited(keep: &[Fd], status: Fd) -> Result<()> {
    let mut next = 0_u32;
    let mut status_left = true;
    for &fd in keep {
        if status_left && status < fd {
            next = close_up_to(next, status)?;
            status_left = false;
        }
        next = close_up_to(next, fd)?;
    }
    if status_left {
        next = close_up_to(next, status)?;
    }
    call::close_range(next, u32::MAX, false)
}

/// Closes from `first` up to, not including, `kept`; returns what follows `kept`.
fn close_up_to(first: u32, kept: Fd) -> Result<u32> {
    let kept = u32::try_from(kept).map_err(|_| Errno::INVAL)?;
    if first < kept {
        call::close_range(first, kept.saturating_sub(1), false)?;
    }
    Ok(kept.saturating_add(1))
}

fn id_maps(uid: &[u8], gid: &[u8]) -> Result<()> {
    call::write_file(c"/proc/self/setgroups", b"deny")?;
    call::write_file(c"/proc/self/uid_map", uid)?;
    call::write_file(c"/proc/self/gid_map", gid)
}

fn await_go(status: Fd) -> Result<()> {
    let mut go = [0_u8; 2];
    match call::read(status, &mut go)? {
        2 if go == crate::wire::Command::Go.encode() => Ok(()),
        _ => Err(Errno::PIPE),
    }
}

fn become_user(uid: u32, gid: u32) -> Result<()> {
    call::drop_groups()?;
    call::become_user(uid, gid)
}

fn new_root(state: &mut State, at: &CStr, data: &CStr) -> Result<()> {
    call::mount(c"tmpfs", at, g::MS_NOSUID | g::MS_NODEV, data)?;
    enter_root(state, at)
}

fn enter_root(state: &mut State, at: &CStr) -> Result<()> {
    call::chdir(at)?;
    state.root = call::open(c".", g::O_PATH)?;
    Ok(())
}

/// `mount(2)` takes paths only: the target is entered through a safe walk, and left again.
fn mount_at(root: Fd, to: &CStr, mount: impl FnOnce() -> Result<()>) -> Result<()> {
    call::fchdir(walk(CWD, to, g::RESOLVE_NO_SYMLINKS | g::RESOLVE_BENEATH)?)?;
    mount()?;
    call::fchdir(root)
}

/// Leftovers of an earlier op are fine: rules may share parents.
fn may_exist(done: Result<()>) -> Result<()> {
    match done {
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

pub(crate) fn walk(dir: Fd, path: &CStr, resolve: u32) -> Result<Fd> {
    let flags = u64::from(g::O_PATH | g::O_CLOEXEC | g::O_NOFOLLOW);
    call::openat2(dir, path, abi::OpenHow { flags, mode: 0, resolve: u64::from(resolve) })
}

fn bind(from: &CStr, to: &CStr, attrs: u64) -> Result<()> {
    let source = walk(CWD, from, g::RESOLVE_NO_SYMLINKS)?;
    let tree = call::clone_tree(source)?;
    attach(tree, to, attrs)
}

fn attach(tree: Fd, to: &CStr, attrs: u64) -> Result<()> {
    set_attr(tree, c"", true, attrs)?;
    let target = walk(CWD, to, g::RESOLVE_NO_SYMLINKS | g::RESOLVE_BENEATH)?;
    call::move_mount(tree, target)
}

fn set_attr(fd: Fd, path: &CStr, recursive: bool, attrs: u64) -> Result<()> {
    call::mount_setattr(fd, path, recursive, abi::MountAttr { set: attrs, ..abi::MountAttr::default() })
}

fn bind_node(from: &CStr, to: &CStr) -> Result<()> {
    may_exist(call::make_file(to, 0o666))?;
    call::move_mount_to(call::clone_path(from)?, to)
}

fn cover(path: &CStr) -> Result<()> {
    let target = walk(CWD, path, g::RESOLVE_NO_SYMLINKS | g::RESOLVE_BENEATH)?;
    call::move_mount(call::fresh_tmpfs(c"1m", c"0555")?, target)
}

/// A path that this host lacks needs no mask. The cover cannot be opened: devices are refused on its mount.
fn mask(path: &CStr, with: &CStr) -> Result<()> {
    let target = match walk(CWD, path, g::RESOLVE_NO_SYMLINKS | g::RESOLVE_BENEATH) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    let cover = call::clone_path(with)?;
    // MOUNT_ATTR_RDONLY | NOSUID | NODEV | NOEXEC
    set_attr(cover, c"", false, 0b1111)?;
    call::move_mount(cover, target)
}

fn loopback() -> Result<()> {
    let socket = call::socket(2, 2)?;
    let mut name = [0_u8; 16];
    for (to, from) in name.iter_mut().zip(b"lo") {
        *to = *from;
    }
    // IFF_UP | IFF_RUNNING
    let mut request = abi::IfReq { name, flags: 0x41, rest: [0; 22] };
    let done = call::ioctl_with(socket, 0x8914, &mut request);
    call::close(socket);
    done.map(drop)
}

fn drop_bounding(last: u32) -> Result<()> {
    for capability in 0..=last {
        call::prctl(p::PR_CAPBSET_DROP, call::word(capability))?;
    }
    Ok(())
}

fn landlock_path(ruleset: Fd, rights: PathRights<'_>) -> Result<()> {
    let fd = match call::open(rights.path, g::O_PATH) {
        Err(Errno::NOENT | Errno::ACCES) if rights.optional => return Ok(()),
        other => other?,
    };
    let done = call::landlock_path(ruleset, &abi::LandlockPath { allowed: rights.allowed, parent_fd: fd });
    call::close(fd);
    done
}

/// The supervisor's runtime ignores SIGPIPE; a program must not inherit that.
fn reset_signals() -> Result<()> {
    call::default_signal(13)?;
    call::set_signal_mask(0)
}

/// Tries the candidates in order, as a shell's search does: a refused one is remembered, a missing one is not.
fn exec(candidates: &[&CStr], argv: &[*const u8], envp: &[*const u8]) -> Errno {
    let mut worst = Errno::NOENT;
    for path in candidates {
        // SAFETY: `Exec` is built from null-terminated arrays whose strings the parent keeps until the child is gone.
        match unsafe { call::execve(path, argv.as_ptr(), envp.as_ptr()) } {
            Errno::NOENT | Errno::NOTDIR => {}
            Errno::ACCES => worst = Errno::ACCES,
            other => return other,
        }
    }
    worst
}

/// Closes every descriptor but one.
pub(super) fn close_all_but(kept: Fd) -> Result<()> {
    let next = close_up_to(0, kept)?;
    call::close_range(next, u32::MAX, false)
}
