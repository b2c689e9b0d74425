//! Collects the facts of this host.

use std::path::PathBuf;

use belljar_sys::ask;
use rustix::thread::{CapabilitySet, SecureComputingMode};

use super::peek;
use super::userns::{self, Userspace};
use super::{Cgroup, HostFacts};

/// Entries of `/` that distributions make symlinks into `/usr` or into the store, and that most policies grant.
const ROOT_LINKS: [&str; 4] = ["/bin", "/sbin", "/lib", "/lib64"];

/// What every container engine covers in `/proc`. The kernel refuses a fresh `/proc` to an own user namespace where the
/// visible one is covered.
const COVERED: &str = "/proc/sys";

/// `SECCOMP_ADDFD_FLAG_SEND` cannot be asked for without a listener; it came with this kernel.
const ADDFD_SEND: (u16, u16) = (5, 14);

fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// First two numbers of the kernel's release.
pub(crate) fn kernel() -> (u16, u16) {
    numbers(&release())
}

/// What plans look at; the rest as it is on most hosts.
pub(super) fn facts() -> HostFacts {
    let release = release();
    let kernel = numbers(&release);
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid().as_raw());
    let admin = uid.is_root() && holds_sys_admin();
    let notify = ask::seccomp_notify();
    HostFacts {
        kernel,
        release,
        uid: uid.as_raw(),
        gid,
        extra_groups: ask::holds_groups_besides(gid),
        admin,
        userns: userns::judge(admin, &Userspace),
        landlock: ask::landlock_abi(),
        seccomp: notify.is_ok() || rustix::thread::secure_computing_mode().is_ok(),
        seccomp_notify: notify.is_ok() && kernel >= ADDFD_SEND,
        mount_fds: ask::open_tree().is_ok() && ask::mount_setattr().is_ok(),
        proc_mount: true,
        mseal: false,
        cgroup: Cgroup::None,
        root_links: ROOT_LINKS.iter().filter_map(|path| root_link(path)).collect(),
        inside_seccomp: false,
        yama: 0,
    }
}

/// What is for people: hints and findings.
pub(super) fn complete(facts: &mut HostFacts) {
    facts.proc_mount = peek::mounted_at(COVERED) == Some(false);
    facts.mseal = ask::mseal().is_ok();
    facts.inside_seccomp = matches!(rustix::thread::secure_computing_mode(), Ok(SecureComputingMode::Filter));
    facts.yama =
        peek::switch("/proc/sys/kernel/yama/ptrace_scope").map_or(0, |digit| digit.saturating_sub(b'0'));
}

/// First two numbers of a release such as `6.1.0-18-amd64`; a part that is none counts as 0.
fn numbers(release: &str) -> (u16, u16) {
    let mut parts = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn holds_sys_admin() -> bool {
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN))
}

fn root_link(path: &str) -> Option<(String, PathBuf)> {
    Some((path.trim_start_matches('/').to_owned(), peek::link(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_many_kinds_are_read() {
        assert_eq!(numbers("6.18.44-fc-v669"), (6, 18));
        assert_eq!(numbers("5.15.153.1-microsoft-standard-WSL2"), (5, 15));
        assert_eq!(numbers("4.4.0"), (4, 4));
        assert_eq!(numbers("7-rc1"), (7, 0));
        assert_eq!(numbers(""), (0, 0));
        assert_eq!(numbers("99999999.3"), (0, 3));
    }

    #[test]
    fn links_of_the_root_are_the_real_ones() {
        for (name, target) in facts().root_links {
            assert_eq!(std::fs::read_link(format!("/{name}")).unwrap(), target);
        }
    }

    #[test]
    fn ids_are_those_of_this_process() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(2).unwrap().parse::<u32>().unwrap()
        };
        let facts = facts();
        assert_eq!((facts.uid, facts.gid), (field("Uid:"), field("Gid:")));
    }

    #[test]
    fn asking_leaves_no_process_behind() {
        let children = || std::fs::read_to_string("/proc/thread-self/children").unwrap();
        let before = children();
        facts();
        assert_eq!(children(), before);
    }
}
