//! The kernel, `/proc`, control groups, and sandboxes around this process.

use std::os::fd::AsRawFd;

use belljar_sys::Op;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use super::trial::{self, Spaces};
use super::{FURTHER_OUT, Finding, Host, Status};
use crate::error::hints::{FIX_DELEGATE, FIX_NEWER_KERNEL, FIX_PROC};
use crate::limits::{Amounts, Group, LimitError};
use crate::probe::Cgroup;

const FIX_CORE: &str = "let kernel.core_pattern name a file or a pipe";

/// What a jar lacks on a kernel older than this.
const LACKS: [((u16, u16), Status, &str); 3] = [
    ((5, 9), Status::Missing, "jars cannot be built: clone3 and close_range are missing"),
    ((5, 12), Status::Missing, "jars have no root of their own: the mount calls are missing"),
    ((5, 14), Status::Weaker, "requests of jars cannot be answered in one step"),
];

pub(super) fn kernel(host: &Host) -> Finding {
    const ID: &str = "kernel";
    let found = host.facts.release.clone();
    match LACKS.iter().find(|row| host.facts.kernel < row.0) {
        Some((_, status, means)) => {
            Finding::lacking(ID, *status, found, means).remedy(FIX_NEWER_KERNEL.to_owned())
        }
        None => Finding::ok(ID, found),
    }
}

pub(super) fn proc(_: &Host) -> Finding {
    const ID: &str = "proc";
    const PROC_MAGIC: u64 = 0x9fa0;
    let real = rustix::fs::statfs("/proc").is_ok_and(|fs| u64::try_from(fs.f_type) == Ok(PROC_MAGIC));
    if real && std::fs::read_link("/proc/self").is_ok() {
        return Finding::ok(ID, "/proc is there");
    }
    let means = "ids cannot be mapped, so jars have no namespaces";
    Finding::lacking(ID, Status::Missing, "/proc is not there", means).remedy(FIX_PROC.to_owned())
}

/// No grant is followed through a symlink that was not looked at, which takes `openat2`.
pub(super) fn paths(host: &Host) -> Finding {
    const ID: &str = "paths";
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match openat2(CWD, "/", flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(_) => Finding::ok(ID, "a path was looked up without symlinks"),
        Err(errno) => {
            let fix = if host.facts.inside_seccomp { FURTHER_OUT } else { FIX_NEWER_KERNEL };
            let means = "no jar starts: paths cannot be looked up without symlinks";
            Finding::lacking(ID, Status::Missing, format!("openat2: {errno}"), means).remedy(fix.to_owned())
        }
    }
}

/// No limit keeps a crash from a handler that listens at a socket: the kernel asks none.
pub(super) fn core_dumps(_: &Host) -> Finding {
    const ID: &str = "core-dumps";
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    if pattern.starts_with('@') {
        let means = "a program of a jar that crashes sends its memory to that listener";
        return Finding::lacking(ID, Status::Weaker, "the kernel sends core dumps to a socket", means)
            .remedy(FIX_CORE.to_owned());
    }
    Finding::ok(ID, "crashes of jars leave none")
}

pub(super) fn limits(host: &Host) -> Finding {
    const ID: &str = "limits";
    const MEANS: &str =
        "the memory of the whole jar is only looked at every 20 ms; each process is held by its own limit";
    match hold(&host.facts.cgroup) {
        Ok(by) => Finding::ok(ID, format!("a process was held by {by}")),
        Err(LimitError::NoGroup) => {
            let found = "no control group is ours to use";
            let fix = (host.facts.uid != 0 && has_systemd()).then(|| FIX_DELEGATE.to_owned());
            Finding::lacking(ID, Status::Weaker, found, MEANS).remedy(fix)
        }
        Err(error) => Finding::lacking(ID, Status::Weaker, error.to_string(), MEANS),
    }
}

/// Puts a child into a group with limits, for real.
fn hold(cgroup: &Cgroup) -> Result<String, LimitError> {
    let amounts = Amounts { memory: Some(64 << 20), pids: Some(16), cpu_percent: None };
    let group = Group::create(cgroup, &amounts)?;
    let joins: Vec<Op<'_>> = group.procs().map(|fd| Op::JoinCgroup(fd.as_raw_fd())).collect();
    trial::run(Spaces::NONE, &joins, &[]).map_err(|stopped| LimitError::Io {
        action: "join",
        path: group.folders().next().map(std::path::Path::to_path_buf).unwrap_or_default(),
        errno: rustix::io::Errno::from_raw_os_error(stopped.errno),
    })?;
    let held = group.held();
    Ok(held.iter().map(|held| held.by).collect::<Vec<_>>().join(" and "))
}

fn has_systemd() -> bool {
    std::fs::symlink_metadata("/run/systemd/system").is_ok()
}

pub(super) fn outer(host: &Host) -> Finding {
    const ID: &str = "surroundings";
    let filter = host.facts.inside_seccomp.then(|| "a seccomp filter".to_owned());
    let privileges = rustix::thread::no_new_privs().unwrap_or(false).then(|| "no_new_privs".to_owned());
    let landlock = (host.domains > 0).then(|| format!("{} Landlock domain(s)", host.domains));
    let label = crate::probe::apparmor_label().filter(|label| label != "unconfined");
    let label = label.map(|label| format!("AppArmor profile {label}"));
    let around: Vec<String> = [filter, privileges, landlock, label].into_iter().flatten().collect();
    if around.is_empty() {
        return Finding::ok(ID, "no other sandbox is around this process");
    }
    let found = format!("inside {}", around.join(", "));
    if host.facts.inside_seccomp || host.domains > 0 {
        let means = "what the outer sandbox refuses, jars cannot have";
        return Finding::lacking(ID, Status::Weaker, found, means).remedy(FURTHER_OUT.to_owned());
    }
    Finding::ok(ID, found)
}
