//! Who made a call, as `/proc` of the supervisor shows it. All of it can be gone or belong to another process a moment later:
//! whoever looks asks afterwards whether the call still waits.

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// `AT_FDCWD`.
pub(super) const AT_CWD: i32 = -100;

/// A thread of the jar, by its number here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) pid: u32,
}

/// What the kernel tells about a thread in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// File mode mask.
    pub(super) umask: u32,
    /// Its process, numbered here.
    pub(super) group: u32,
    /// Its process, numbered in its own PID namespace.
    pub(super) own_group: u32,
    /// Itself, numbered there.
    pub(super) own_thread: u32,
}

impl Numbers {
    /// From a `status` of `/proc`.
    pub(super) fn read(status: &str) -> Option<Self> {
        let last = |name: &str| field(status, name)?.split_whitespace().last()?.parse().ok();
        let umask = u32::from_str_radix(field(status, "Umask:")?, 8).ok()? & 0o777;
        let (group, own_group, own_thread) = (last("Tgid:")?, last("NStgid:")?, last("NSpid:")?);
        Some(Self { umask, group, own_group, own_thread })
    }

    /// Whether a name in `/proc` is the caller's: of its process or of the thread itself.
    pub(super) fn are(&self, name: &OsStr) -> bool {
        let text = name.to_str().unwrap_or_default();
        text == self.own_group.to_string() || text == self.own_thread.to_string()
    }
}

impl Caller {
    /// Its root folder.
    pub(super) fn root(self) -> Result<OwnedFd, Errno> {
        self.link("root").map_err(refused)
    }

    /// The folder, or whatever else it is, behind a descriptor number or `AT_FDCWD`.
    pub(super) fn descriptor(self, fd: i32) -> Result<OwnedFd, Errno> {
        match fd {
            AT_CWD => self.link("cwd").map_err(refused),
            0.. => self.link(&format!("fd/{fd}")).map_err(|errno| match errno {
                Errno::NOENT => Errno::BADF,
                other => refused(other),
            }),
            _ => Err(Errno::BADF),
        }
    }

    /// Status flags of a descriptor, with `O_CLOEXEC`.
    pub(super) fn flags(self, fd: i32) -> Result<u32, Errno> {
        let text =
            std::fs::read_to_string(format!("/proc/{}/fdinfo/{fd}", self.pid)).map_err(|_| Errno::BADF)?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok()).ok_or(Errno::BADF)
    }

    /// The file that it runs.
    pub(super) fn program(self) -> Result<OwnedFd, Errno> {
        self.link("exe").map_err(refused)
    }

    fn link(self, name: &str) -> Result<OwnedFd, Errno> {
        let path = format!("/proc/{}/{name}", self.pid);
        openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
    }

    /// Its terminal, as the minor number of a pseudo terminal.
    pub(super) fn terminal(self) -> Option<u32> {
        terminal(&std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?)
    }

    /// A signal waits to be handled by it, and by no other thread of its process.
    pub(super) fn is_interrupted(self) -> bool {
        std::fs::read_to_string(format!("/proc/{}/status", self.pid)).is_ok_and(|text| is_interrupted(&text))
    }

    /// Its mask and its numbers.
    pub(super) fn numbers(self) -> Result<Numbers, Errno> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).map_err(|_| Errno::SRCH)?;
        Numbers::read(&text).ok_or(Errno::SRCH)
    }
}

/// The terminal in a `stat` of `/proc`.
pub(crate) fn terminal(stat: &str) -> Option<u32> {
    let number: u32 = crate::stat::fields(stat)?.nth(4)?.parse().ok()?;
    let (major, minor) = ((number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xF_FF00));
    (136..=143).contains(&major).then(|| (major - 136).saturating_mul(1 << 20).saturating_add(minor))
}

/// Whether a `status` of `/proc` has a signal that waits to be handled by this thread.
pub(super) fn is_interrupted(status: &str) -> bool {
    let mask = |name| field(status, name).and_then(|value| u64::from_str_radix(value, 16).ok()).unwrap_or(0);
    let shared = if field(status, "Threads:") == Some("1") { mask("ShdPnd:") } else { 0 };
    (mask("SigPnd:") | shared) & mask("SigCgt:") & !mask("SigBlk:") != 0
}

/// A field of a `status`: the kernel writes names in it without line ends.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// The supervisor's own name of an open descriptor.
pub(super) fn own_name(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// What the supervisor has no power over is refused to the jar.
fn refused(errno: Errno) -> Errno {
    match errno {
        Errno::PERM | Errno::NOENT | Errno::SRCH => Errno::ACCESS,
        other => other,
    }
}
