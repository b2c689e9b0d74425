//! The rows of the hint table and the remedies that they share with the doctor.

use super::{ANY_ERRNO, ANY_STEP, Hint};
use crate::probe::{HostFacts, Userns};

pub(crate) const FIX_APPARMOR: &str = "install Belljar's AppArmor profile: sudo install -m 644 dist/apparmor/belljar \
     /etc/apparmor.d/belljar && sudo apparmor_parser -r /etc/apparmor.d/belljar";
pub(crate) const FIX_CONTAINER: &str = "start the container with a seccomp profile that allows user namespaces (clone, clone3, unshare, mount calls)";
pub(crate) const FIX_LIMIT: &str = "raise the limit: sudo sysctl user.max_user_namespaces=15000";
pub(crate) const FIX_DEBIAN: &str = "allow them: sudo sysctl kernel.unprivileged_userns_clone=1";
pub(crate) const FIX_PROC: &str = "mount /proc first";
pub(crate) const FIX_MASKED_PROC: &str = "uncover the container's /proc (docker and podman: --security-opt systempaths=unconfined), or grant no /proc";
pub(crate) const FIX_LANDLOCK: &str = "add landlock to the lsm= list of the kernel's command line";
pub(crate) const FIX_CHROOT: &str =
    "enter the folder with pivot_root in an own mount namespace instead of chroot";
pub(crate) const FIX_NEWER_KERNEL: &str = "run a kernel of version 5.14 or newer";
pub(crate) const FIX_DELEGATE: &str =
    "start Belljar with: systemd-run --user --scope -p Delegate=yes belljar";
const FIX_DOCTOR: &str = "see what this host lacks: belljar doctor";
const FIX_CALLER_LIMIT: &str = "raise the caller's own limit (ulimit), or lower the policy's";
const FIX_REPORT: &str = "this is a fault of Belljar: report it with the output of belljar doctor --json";

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EIO: i32 = 5;
const E2BIG: i32 = 7;
const ENOEXEC: i32 = 8;
const EBADF: i32 = 9;
const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const EXDEV: i32 = 18;
const ENODEV: i32 = 19;
const ENOTDIR: i32 = 20;
const EINVAL: i32 = 22;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ETXTBSY: i32 = 26;
const EFBIG: i32 = 27;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EPIPE: i32 = 32;
const ENAMETOOLONG: i32 = 36;
const ENOSYS: i32 = 38;
const ELOOP: i32 = 40;
const EUSERS: i32 = 87;
const EOPNOTSUPP: i32 = 95;
const NOT_CONFINED: i32 = 121;

const fn row(step: &'static str, errno: i32, say: &'static str, fix: &'static str) -> Hint {
    Hint { step, errno, when: always, say, fix }
}

const fn row_if(
    step: &'static str,
    errno: i32,
    when: fn(&HostFacts) -> bool,
    say: &'static str,
    fix: &'static str,
) -> Hint {
    Hint { step, errno, when, say, fix }
}

fn always(_: &HostFacts) -> bool {
    true
}

fn apparmor(facts: &HostFacts) -> bool {
    facts.userns == Userns::AppArmor
}

fn filtered(facts: &HostFacts) -> bool {
    facts.inside_seccomp
}

fn switched_off(facts: &HostFacts) -> bool {
    facts.userns == Userns::Sysctl
}

fn refused(facts: &HostFacts) -> bool {
    facts.userns == Userns::Refused
}

fn proc_covered(facts: &HostFacts) -> bool {
    !facts.proc_mount
}

fn no_mount_fds(facts: &HostFacts) -> bool {
    !facts.mount_fds
}

fn no_landlock(facts: &HostFacts) -> bool {
    facts.landlock == 0
}

fn no_seccomp(facts: &HostFacts) -> bool {
    !facts.seccomp
}

/// Within a step: special hosts, then single answers, then every answer. One line a row.
#[rustfmt::skip]
pub(super) static TABLE: &[Hint] = &[
    row(ANY_STEP, EMFILE, "the process has too many open files", "raise the caller's limit: ulimit -n"),
    row(ANY_STEP, ENFILE, "the whole machine has too many open files", "close programs, or raise fs.file-max"),
    row("supervisor", ENOMEM, "there is not enough memory", "free some memory"),
    row("supervisor", EAGAIN, "the user has too many processes, or the surrounding control group has", FIX_CALLER_LIMIT),
    row("supervisor", ANY_ERRNO, "belljar itself lacks something on this host", FIX_DOCTOR),
    row_if("clone", EPERM, apparmor, "this system lets only programs with an AppArmor profile use user namespaces", FIX_APPARMOR),
    row_if("clone", EPERM, switched_off, "user namespaces are switched off for ordinary users", FIX_DEBIAN),
    row_if("clone", EPERM, refused, "a process in a chroot, or without /proc, cannot make user namespaces", FIX_CHROOT),
    row_if("clone", EPERM, filtered, "a filter of the surrounding container refuses namespaces", FIX_CONTAINER),
    row("clone", EPERM, "this system refuses new user namespaces", FIX_DOCTOR),
    row_if("clone", ENOSYS, filtered, "a filter of the surrounding container refuses clone3", FIX_CONTAINER),
    row("clone", ENOSYS, "the kernel is older than 5.3 and lacks clone3", FIX_NEWER_KERNEL),
    row("clone", ENOSPC, "user.max_user_namespaces, or a limit of another namespace, is 0 or used up", FIX_LIMIT),
    row("clone", EUSERS, "user namespaces are nested too deep", "start Belljar further outside"),
    row("clone", EAGAIN, "the user has too many processes, or the surrounding control group has", FIX_CALLER_LIMIT),
    row("clone", ENOMEM, "there is not enough memory for a process, or the PID namespace is ending", "free some memory"),
    row("clone", EINVAL, "the kernel lacks one of the namespaces", FIX_DOCTOR),
    row("clone", ANY_ERRNO, "the kernel did not make the jar's first process", FIX_DOCTOR),
    row("id-maps", ENOENT, "there is no /proc to write the id maps to", FIX_PROC),
    row("id-maps", EPIPE, "the supervisor ended while the jar was built", ""),
    row("id-maps", EINVAL, "the user's id has no meaning in the surrounding user namespace", "map the user's id in the surrounding user namespace"),
    row_if("id-maps", ANY_ERRNO, apparmor, "AppArmor takes the powers of a user namespace away from programs without a profile", FIX_APPARMOR),
    row("id-maps", EPERM, "a security module takes the powers of a new user namespace away", FIX_DOCTOR),
    row("id-maps", EACCES, "a security module takes the powers of a new user namespace away", FIX_DOCTOR),
    row("id-maps", EROFS, "the container's /proc cannot be written", FIX_MASKED_PROC),
    row("id-maps", ANY_ERRNO, "the user could not be mapped into the jar", FIX_DOCTOR),
    row("become-user", EPERM, "the supervisor lacks the capability to change its user", "run Belljar as the user itself"),
    row("become-user", EINVAL, "the user's id has no meaning in this user namespace", "run Belljar as a user that is mapped here"),
    row("become-user", EAGAIN, "that user has too many processes", FIX_CALLER_LIMIT),
    row("become-user", ANY_ERRNO, "the jar's user could not be taken on", FIX_DOCTOR),
    row("cgroup", EACCES, "the control group belongs to someone else", FIX_DELEGATE),
    row("cgroup", EROFS, "the container's control groups cannot be written", "start the container with writable control groups"),
    row("cgroup", EBUSY, "other processes are in the delegated control group", FIX_DELEGATE),
    row("cgroup", ENOSPC, "there are too many control groups", "remove unused control groups"),
    row("cgroup", ANY_ERRNO, "the control group for the limits could not be made", FIX_DOCTOR),
    row("join-cgroup", EACCES, "the move between control groups needs a common ancestor that we may write", FIX_DELEGATE),
    row("join-cgroup", EBUSY, "the control group hands controllers down and takes no processes", FIX_REPORT),
    row("join-cgroup", ENODEV, "the control group was removed by someone else", "start again"),
    row("join-cgroup", EAGAIN, "the control group's process limit is used up", "raise --pids"),
    row("join-cgroup", ANY_ERRNO, "the control group could not be joined", FIX_DOCTOR),
    row("limit-namespaces", ENOENT, "there is no /proc/sys/user", FIX_PROC),
    row("limit-namespaces", EROFS, "the container's /proc/sys cannot be written", FIX_MASKED_PROC),
    row("limit-namespaces", ANY_ERRNO, "nested user namespaces could not be forbidden", FIX_MASKED_PROC),
    row_if("new-root", ANY_ERRNO, apparmor, "AppArmor refuses mounts to programs without a profile", FIX_APPARMOR),
    row("new-root", EACCES, "a security module refuses mounts", FIX_DOCTOR),
    row("new-root", EPERM, "a security module or a filter refuses mounts", FIX_DOCTOR),
    row("new-root", ENOSPC, "there are too many mounts (fs.mount-max)", "unmount what is not used"),
    row("new-root", ENOMEM, "there is not enough memory for the jar's root", "free some memory"),
    row("new-root", ANY_ERRNO, "the jar's own root could not be mounted", FIX_DOCTOR),
    row("layout", ENOSPC, "the jar's root has no room for so many paths", "grant fewer, larger folders"),
    row("layout", ENAMETOOLONG, "a path is too long", "grant a folder nearer to the root"),
    row("layout", ENOTDIR, "a rule places something below a file", "remove the rule below the file"),
    row("layout", ELOOP, "a rule places something below a symlink of the jar", "write the rule with the symlink's target"),
    row("layout", EROFS, "a rule places something below a read-only folder that lacks that path", "make the path on the host, or remove the rule"),
    row("layout", EACCES, "a rule places something below a folder that may not be entered", "grant a folder further up"),
    row("layout", EFBIG, "the caller's limit of a file's size leaves no room for a file of the jar's root", "raise it: ulimit -f"),
    row("layout", ANY_ERRNO, "a path of the jar could not be made", FIX_REPORT),
    row(
        "translate-owners",
        EINVAL,
        "this file system cannot translate owners (tmpfs: from Linux 6.3 on; overlayfs: never), so a jar of root cannot write there",
        "run belljar as the user who owns the folder",
    ),
    row("translate-owners", ANY_ERRNO, "a folder that root grants could not be prepared for the jar's user", FIX_DOCTOR),
    row("bind", ENOENT, "the path vanished after the policy was read", "start again, or mark the path optional with ?"),
    row("bind", EACCES, "a folder above the path may not be entered by this user", "grant a folder that this user can reach"),
    row("bind", ELOOP, "a symlink was put on the path after the policy was read", "start again"),
    row("bind", EXDEV, "the path leads out of the jar's root", FIX_REPORT),
    row("bind", ENOTDIR, "a rule puts a folder over a file, or a file over a folder", "use the same kind on both sides of SRC:DEST"),
    row("bind", EINVAL, "the mount below this path may not be bound, or hides files of its host", "grant a folder that holds no protected mount"),
    row("bind", ENOSPC, "there are too many mounts (fs.mount-max)", "grant fewer, larger folders"),
    row_if("bind", ENOSYS, filtered, "a filter of the surrounding container refuses the mount calls", FIX_CONTAINER),
    row("bind", ENOSYS, "the kernel is older than 5.12 and lacks the mount calls", FIX_NEWER_KERNEL),
    row_if("bind", EPERM, no_mount_fds, "a filter of the surrounding container refuses the mount calls", FIX_CONTAINER),
    row_if("bind", EPERM, apparmor, "AppArmor refuses mounts to programs without a profile", FIX_APPARMOR),
    row("bind", EPERM, "a mount flag of this path is locked by a surrounding sandbox", "grant the path with the access that it has outside"),
    row("bind", ANY_ERRNO, "a granted path could not be put into the jar", FIX_DOCTOR),
    row_if("mount", EPERM, proc_covered, "parts of /proc are covered here, and the kernel then refuses a fresh one", FIX_MASKED_PROC),
    row_if("mount", EPERM, apparmor, "AppArmor refuses mounts to programs without a profile", FIX_APPARMOR),
    row("mount", EPERM, "parts of /proc may be covered here, or a filter refuses mounts", FIX_MASKED_PROC),
    row("mount", EACCES, "a security module refuses mounts", FIX_DOCTOR),
    row("mount", ENODEV, "the kernel lacks this file system", "load the file system's module: sudo modprobe overlay"),
    row("mount", EINVAL, "the kernel does not know a mount option (subset=pid needs 5.8)", FIX_NEWER_KERNEL),
    row("mount", EBUSY, "the file system is mounted there already", FIX_REPORT),
    row("mount", ENOMEM, "there is not enough memory for the file system", "lower the sizes of /tmp and /dev/shm"),
    row("mount", ANY_ERRNO, "a file system of the jar could not be mounted", FIX_DOCTOR),
    row("overlay", EINVAL, "other mounts lie below the folder, or its file system cannot be the lower one of an overlay (so many lie on one another already)", "name a smaller folder as cow, without mounts below it"),
    row("overlay", ENODEV, "the kernel has no overlay file system", "load the file system's module: sudo modprobe overlay"),
    row("overlay", EPERM, "this kernel lets only root mount overlays (ordinary users: from Linux 5.11 on)", FIX_NEWER_KERNEL),
    row("overlay", ANY_ERRNO, "the folder for kept-aside writes could not be laid over the host's", FIX_DOCTOR),
    row("mask", ENOENT, "this host has no /dev/null, by which files are hidden", "make it: mknod -m 666 /dev/null c 1 3"),
    row("mask", ANY_ERRNO, "a path that tells about the host could not be covered", FIX_REPORT),
    row("mount-attributes", EPERM, "a mount flag of this path is locked by a surrounding sandbox", "grant the path with the access that it has outside"),
    row("mount-attributes", ENOSYS, "the kernel is older than 5.12 and lacks mount_setattr", FIX_NEWER_KERNEL),
    row("mount-attributes", ANY_ERRNO, "the rights of a mount could not be set", FIX_DOCTOR),
    row("pivot-root", EINVAL, "the host's root is the kernel's first file system, which cannot be exchanged", "start Belljar from a root that was mounted (switch_root)"),
    row("pivot-root", EPERM, "a filter or a security module refuses pivot_root", FIX_DOCTOR),
    row("pivot-root", ANY_ERRNO, "the jar's root could not take the host's place", FIX_DOCTOR),
    row_if("hostname", ANY_ERRNO, apparmor, "AppArmor takes the powers of a user namespace away from programs without a profile", FIX_APPARMOR),
    row("hostname", ANY_ERRNO, "the jar's host name could not be set", FIX_DOCTOR),
    row_if("loopback", ANY_ERRNO, apparmor, "AppArmor takes the powers of a user namespace away from programs without a profile", FIX_APPARMOR),
    row("loopback", EPERM, "a security module takes the powers of the network namespace away", FIX_DOCTOR),
    row("loopback", ANY_ERRNO, "the jar's loopback interface could not be brought up", FIX_DOCTOR),
    row_if("network", ANY_ERRNO, apparmor, "AppArmor takes the powers of a user namespace away from programs without a profile", FIX_APPARMOR),
    row("network", EPERM, "a security module takes the powers of the network namespace away", FIX_DOCTOR),
    row("network", ANY_ERRNO, "the sockets of the jar's network could not be made", FIX_DOCTOR),
    row("terminal", ENOENT, "the jar has no /dev/pts", "grant /dev, or redirect the standard descriptors"),
    row("terminal", ENOSPC, "there are too many terminals (kernel.pty.max)", "close terminals"),
    row("terminal", EIO, "the terminal was closed while the jar was built", ""),
    row("terminal", EPERM, "the terminal is another session's", FIX_REPORT),
    row("terminal", ANY_ERRNO, "the jar's terminal could not be made", "redirect the standard descriptors"),
    row("capabilities", ANY_ERRNO, "the capabilities could not be given up", FIX_DOCTOR),
    row("no-new-privs", ANY_ERRNO, "the kernel refused to lock privileges", FIX_NEWER_KERNEL),
    row("not-dumpable", ANY_ERRNO, "the jar's first process could not be protected from tracing", FIX_REPORT),
    row("subreaper", ANY_ERRNO, "orphans of the jar could not be adopted", FIX_REPORT),
    row("die-with-parent", ANY_ERRNO, "the jar could not be bound to its supervisor's life", FIX_REPORT),
    row("session", ANY_ERRNO, "the jar could not leave the caller's session", FIX_REPORT),
    row("rlimit", EPERM, "the limit is above the caller's own hard limit", FIX_CALLER_LIMIT),
    row("rlimit", EINVAL, "the kernel refuses the value of this limit", "use a smaller value"),
    row("rlimit", ANY_ERRNO, "a limit could not be set", FIX_CALLER_LIMIT),
    row("umask", ANY_ERRNO, "the file mode mask could not be set", FIX_REPORT),
    row("chdir", ENOENT, "the working folder is not in the jar", "grant it, or name another with --cwd"),
    row("chdir", EACCES, "the working folder may not be entered", "grant it, or name another with --cwd"),
    row("chdir", ENOTDIR, "the working folder is a file", "name a folder with --cwd"),
    row("chdir", ANY_ERRNO, "the working folder could not be entered", "name another with --cwd"),
    row("landlock", ENOENT, "a granted path is not in the finished jar", "mark the path optional with ?"),
    row("landlock", E2BIG, "the process is confined by Landlock sixteen times already", "start Belljar further outside"),
    row("landlock", EOPNOTSUPP, "Landlock was left out when this kernel was started", FIX_LANDLOCK),
    row_if("landlock", ENOSYS, no_landlock, "the kernel lacks Landlock, or a filter hides it", FIX_NEWER_KERNEL),
    row("landlock", EPERM, "the filter of a surrounding sandbox refuses Landlock", FIX_CONTAINER),
    row("landlock", EINVAL, "the kernel does not know one of the rights", FIX_REPORT),
    row("landlock", ANY_ERRNO, "Landlock could not be enforced", FIX_DOCTOR),
    row("signals", ANY_ERRNO, "the signals could not be reset", FIX_REPORT),
    row("channel", ANY_ERRNO, "the channel for actions could not be made", FIX_REPORT),
    row("broker", EBUSY, "this is inside another supervisor that uses notifications, and only one may", "start Belljar outside of it, or without what needs the broker, such as --trace"),
    row("broker", EINVAL, "the kernel cannot keep signals from repeating brokered calls (Linux 5.19 can)", FIX_DOCTOR),
    row("broker", ANY_ERRNO, "the broker could not be put in place", FIX_DOCTOR),
    row("promise", EBUSY, "this is inside another supervisor that uses notifications, and only one may", "start Belljar outside of it; promises tell what broke them by notifications"),
    row("promise", ANY_ERRNO, "the promises could not be put in place", FIX_DOCTOR),
    row_if("seccomp", ANY_ERRNO, no_seccomp, "the kernel has no system call filters", "run a kernel with CONFIG_SECCOMP_FILTER"),
    row("seccomp", EBUSY, "a surrounding sandbox answers system calls already, and only one may", "start Belljar further outside"),
    row("seccomp", ENOMEM, "the filters of the surrounding sandboxes and of the jar are too long together", "start Belljar further outside"),
    row("seccomp", EPERM, "the filter of a surrounding sandbox refuses further filters", FIX_CONTAINER),
    row("seccomp", EACCES, "a filter needs privileges to be locked first", FIX_REPORT),
    row("seccomp", EINVAL, "the kernel refuses the filter", FIX_REPORT),
    row("seccomp", ANY_ERRNO, "the filter could not be loaded", FIX_DOCTOR),
    row("self-probe", NOT_CONFINED, "something that must be refused was allowed, so nothing was run", FIX_REPORT),
    row("self-probe", ANY_ERRNO, "the jar could not be proved tight, so nothing was run", FIX_REPORT),
    row("descriptors", EBADF, "a passed descriptor is not open", "open it in the caller before Belljar starts"),
    row_if("descriptors", ENOSYS, filtered, "a filter of the surrounding container refuses close_range", FIX_CONTAINER),
    row("descriptors", ENOSYS, "the kernel is older than 5.9 and lacks close_range", FIX_NEWER_KERNEL),
    row("descriptors", ANY_ERRNO, "the descriptors of the jar could not be arranged", FIX_REPORT),
    row("program", EAGAIN, "the jar's process limit, or the user's, is used up before the program runs", "raise --pids"),
    row("program", ENOMEM, "there is not enough memory for the program's process", "free some memory"),
    row("program", ANY_ERRNO, "the program's process could not be made", FIX_REPORT),
    row("exec", ENOENT, "the program or its interpreter is not in the jar", "grant the folder that holds it with -r"),
    row("exec", EACCES, "the program is not executable, or lies on a noexec folder", "grant its folder with read instead of read-noexec"),
    row("exec", ENOEXEC, "the program's format is not one of this machine's, or a script lacks its first line", "run it through its interpreter"),
    row("exec", EPERM, "the program needs powers that a jar never has", "use a build of it without file capabilities"),
    row("exec", ENOMEM, "the program does not fit into the memory that is left", "raise the memory limit"),
    row("exec", E2BIG, "the arguments and the environment are too long", "pass less"),
    row("exec", ETXTBSY, "the program is being written", "start again when it is finished"),
    row("exec", EAGAIN, "the user has too many processes", FIX_CALLER_LIMIT),
    row("exec", ANY_ERRNO, "the program could not be started", FIX_DOCTOR),
];
