//! Steps as a plan names them: symbolic, printable, without a descriptor or a pointer.

use std::fmt;
use std::path::PathBuf;

use belljar_policy::Access;
use serde::{Deserialize, Serialize};

use crate::error::shown;

/// One step of a jar's start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Step {
    /// SIGKILL when the supervisor's thread ends.
    DieWithParent,
    /// Close what init inherited.
    CloseInherited,
    /// Map the user's ids to themselves.
    MapIds,
    /// Wait for the supervisor to map the ids, then become this user.
    BecomeUser {
        /// User id inside and outside.
        uid: u32,
        /// Group id inside and outside.
        gid: u32,
    },
    /// Join the jar's control group.
    JoinCgroup,
    /// No user namespaces below this one, told to the host's `/proc`.
    LimitNamespaces,
    /// The same, told to the jar's own `/proc`, which becomes read-only then.
    LimitInside,
    /// Keep mounts private and start an empty root.
    NewRoot,
    /// Memory of this size in bytes for writes to `cow` folders, dropped at the end.
    Aside(u64),
    /// Put something at a path of the new root.
    Place(Place),
    /// Cover the parts of `/proc` that tell about the host.
    MaskProc,
    /// A terminal of the jar's own.
    OpenTerminal,
    /// The new root becomes `/`, the old one is gone.
    PivotRoot,
    /// The root itself becomes read-only.
    SealRoot,
    /// Name of the host inside.
    Hostname(String),
    /// Bring the loopback interface up.
    Loopback,
    /// Every address belongs to the jar's own loopback.
    OwnAddresses,
    /// Sockets of the jar's network that the supervisor serves: its name service, these TCP ports of every address.
    Serve {
        /// Ports, ascending.
        ports: Vec<u16>,
        /// Proxies, too.
        proxies: bool,
    },
    /// More such sockets, on request, for servers of the jar.
    Errands,
    /// Orphans become init's children.
    Subreaper,
    /// Uid 0 means nothing, locked.
    SecureBits,
    /// Empty every capability set.
    DropCapabilities,
    /// No exec grants anything.
    NoNewPrivs,
    /// Init cannot be traced by the jar.
    NotDumpable,
    /// Session of its own.
    NewSession,
    /// The jar's terminal on these standard descriptors (bit mask).
    UseTerminal(u8),
    /// Resource limit, soft and hard.
    Rlimit(Rlimit, u64, u64),
    /// File mode mask.
    Umask(u32),
    /// Working folder; none = the caller's where it is visible, else `/`.
    Chdir(Option<PathBuf>),
    /// Enforce Landlock.
    Landlock,
    /// Close everything but the standard and the named descriptors at exec.
    CloseOnExec(Vec<u16>),
    /// Default signals.
    ResetSignals,
    /// Hand calls over to the broker.
    Broker,
    /// Load the filter of the program's promises with the policy's own behind it.
    Promise,
    /// Load the filter.
    Seccomp,
    /// Load the filter, whose refusals are told to the supervisor.
    TellingSeccomp,
    /// Try what must be refused.
    SelfProbe,
    /// Become the program.
    Exec,
}

/// What is put at a path of the new root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Path in the jar; none = the same as the source, symlinks resolved.
    pub at: Option<PathBuf>,
    /// What.
    pub what: Placed,
}

/// Kinds of things in the new root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Placed {
    /// A file or folder of the host.
    Host {
        /// Absolute host path.
        from: PathBuf,
        /// What may be done.
        access: Access,
        /// May be absent.
        optional: bool,
        /// May be `/`, the home folder or an engine's socket.
        dangerous: bool,
        /// Who wrote it.
        origin: String,
    },
    /// The program, its interpreter and libraries.
    Program,
    /// Fresh memory-backed folder of this size in bytes.
    Tmpfs(u64),
    /// A read-only file with this text.
    Text(String),
    /// The jar's processes.
    Proc,
    /// The way of requests to the supervisor.
    Channel,
    /// Harmless devices, `pts` and `shm`.
    Dev {
        /// Size of `/dev/shm` in bytes.
        shm: u64,
    },
}

/// A resource limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rlimit {
    /// `RLIMIT_CPU`, seconds.
    Cpu,
    /// `RLIMIT_FSIZE`, bytes.
    Fsize,
    /// `RLIMIT_DATA`, bytes.
    Data,
    /// `RLIMIT_CORE`, bytes.
    Core,
    /// `RLIMIT_NPROC`, processes and threads of the user namespace.
    Nproc,
    /// `RLIMIT_NOFILE`, descriptors.
    Nofile,
    /// `RLIMIT_SIGPENDING`, queued signals.
    Sigpending,
}

impl Rlimit {
    /// The kernel's number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Cpu => 0,
            Self::Fsize => 1,
            Self::Data => 2,
            Self::Core => 4,
            Self::Nproc => 6,
            Self::Nofile => 7,
            Self::Sigpending => 11,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DieWithParent => out.write_str("die with the supervisor"),
            Self::CloseInherited => out.write_str("close inherited descriptors"),
            Self::MapIds => out.write_str("map the user to itself, refuse setgroups"),
            Self::BecomeUser { uid, gid } => write!(out, "become uid {uid}, gid {gid}, no groups"),
            Self::JoinCgroup => out.write_str("join the control group"),
            Self::LimitNamespaces | Self::LimitInside => out.write_str("no user namespaces inside"),
            Self::NewRoot => out.write_str("empty root in memory"),
            Self::Aside(size) => write!(out, "memory of {size} bytes for writes that are thrown away"),
            Self::Place(place) => place.fmt(out),
            Self::MaskProc => out.write_str("mask /proc/keys and /proc/key-users"),
            Self::OpenTerminal => out.write_str("own terminal"),
            Self::PivotRoot => out.write_str("pivot root, detach the host's"),
            Self::SealRoot => out.write_str("seal the root read-only"),
            Self::Hostname(name) => write!(out, "hostname {}", name.escape_debug()),
            Self::Loopback => out.write_str("loopback up"),
            Self::OwnAddresses => out.write_str("every address is the jar's own"),
            Self::Serve { ports, proxies } => {
                let more = if *proxies { ", HTTP and SOCKS5 proxies" } else { "" };
                write!(out, "sockets for the supervisor: names, TCP {}{more}", numbers(ports))
            }
            Self::Errands => out.write_str("sockets on request, for published servers and granted ports"),
            Self::Subreaper => out.write_str("adopt orphans"),
            Self::SecureBits => out.write_str("lock securebits"),
            Self::DropCapabilities => out.write_str("drop all capabilities"),
            Self::NoNewPrivs => out.write_str("no new privileges"),
            Self::NotDumpable => out.write_str("init not traceable"),
            Self::NewSession => out.write_str("own session"),
            Self::UseTerminal(mask) => write!(out, "terminal on descriptors {}", descriptors(*mask)),
            Self::Rlimit(kind, soft, _) => write!(out, "rlimit {kind:?} {soft}"),
            Self::Umask(mask) => write!(out, "umask {mask:03o}"),
            Self::Chdir(Some(path)) => write!(out, "enter {}", shown(path)),
            Self::Chdir(None) => out.write_str("enter the caller's folder, or /"),
            Self::Landlock => out.write_str("landlock"),
            Self::CloseOnExec(keep) if keep.is_empty() => out.write_str("close all descriptors but 0-2"),
            Self::CloseOnExec(keep) => write!(out, "close all descriptors but 0-2 and {keep:?}"),
            Self::ResetSignals => out.write_str("default signals"),
            Self::Promise => out.write_str("hold the program to its promises, then to the filter"),
            Self::Broker => out.write_str("hand calls over to the broker"),
            Self::Seccomp => out.write_str("load the system call filter"),
            Self::TellingSeccomp => out.write_str("load the system call filter, and hear of its refusals"),
            Self::SelfProbe => out.write_str("self-probe: each forbidden action must fail"),
            Self::Exec => out.write_str("exec"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Placed::Host { from, access, .. } => {
                write!(out, "{} {}", access_word(*access), shown(from))?;
                self.at.as_ref().map_or(Ok(()), |at| write!(out, " at {}", shown(at)))
            }
            Placed::Program => out.write_str("read the program and its libraries, nothing else"),
            Placed::Tmpfs(size) => {
                let at = self.at.as_deref().unwrap_or(std::path::Path::new("/tmp"));
                write!(out, "fresh {} of {size} bytes", shown(at))
            }
            Placed::Text(_) => {
                write!(out, "own {}", shown(self.at.as_deref().unwrap_or(std::path::Path::new("/"))))
            }
            Placed::Proc => out.write_str("own /proc, read-only"),
            Placed::Channel => out.write_str("channel for requests"),
            Placed::Dev { .. } => out.write_str("/dev with null zero full random urandom tty pts shm"),
        }
    }
}

/// The policy's word for an access.
#[must_use]
pub(crate) fn access_word(access: Access) -> &'static str {
    match access {
        Access::Hide => "hide",
        Access::Read => "read",
        Access::ReadNoexec => "read-noexec",
        Access::Cow => "cow",
        _ => "write",
    }
}

fn numbers(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    ports.join(" ")
}

fn descriptors(mask: u8) -> String {
    let listed: Vec<String> =
        (0..3).filter(|fd| mask & (1 << fd) != 0).map(|fd: u8| fd.to_string()).collect();
    listed.join(" ")
}
