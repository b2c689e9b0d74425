//! What a plan takes away from the system calls that the policy's groups grant.

use belljar_bpf::Action;
use belljar_policy::NetMode;

use super::filter::never_granted;
use super::{Draft, Engine, broker, network};

pub(super) const EPERM: Action = Action::Errno(1);
pub(super) const EACCES: Action = Action::Errno(13);
const EINVAL: Action = Action::Errno(22);

const NEGATIVE_1: &str = "arg1 & 0x8000000000000000 != 0";
const NEGATIVE_2: &str = "arg2 & 0x8000000000000000 != 0";
const EOPNOTSUPP: Action = Action::Errno(95);
/// Questions about interfaces and routes, which any socket answers for its network: what is left of `0x89..` is about the socket.
const INTERFACES: &str =
    "arg1 & 0xFF00 == 0x8900 && !(arg1 in {0x8901, 0x8902, 0x8903, 0x8904, 0x8905, 0x8906, 0x8907})";
/// `MSG_FASTOPEN`: sending that connects.
const FAST_OPEN_2: &str = "arg2 & 0x20000000 != 0";
const FAST_OPEN_3: &str = "arg3 & 0x20000000 != 0";

/// What the planner takes away from the groups, by engine and network mode. Deny wins over any allow.
pub(super) struct Removal {
    pub(super) call: &'static str,
    pub(super) when: Option<&'static str>,
    pub(super) action: Action,
    applies: fn(&Draft<'_>) -> bool,
}

const REMOVALS: &[Removal] = &[
    // A path socket in a granted folder reaches a process outside; Landlock cannot see it before ABI 9.
    Removal {
        call: "socket",
        when: Some("arg0 == AF_UNIX"),
        action: EACCES,
        applies: |draft| !allows(draft, "@socket-unix") && !network::tells_peers(draft),
    },
    // Whom a stream reaches is decided when it connects; packets without a connection go wherever each of them says.
    Removal {
        call: "socket",
        when: Some("arg0 == AF_UNIX && arg1 & 0xF != SOCK_STREAM"),
        action: EACCES,
        applies: |draft| network::tells_peers(draft) && network::logs(draft).is_none(),
    },
    // Where there is a log the broker makes those for datagrams, and of another kind.
    Removal {
        call: "socket",
        when: Some("arg0 == AF_UNIX && !(arg1 & 0xF in {SOCK_STREAM, SOCK_DGRAM})"),
        action: EACCES,
        applies: |draft| network::tells_peers(draft) && network::logs(draft).is_some(),
    },
    // A datagram socket of a pair can still send to any path or abstract name; the other kinds cannot.
    Removal {
        call: "socketpair",
        when: Some("!(arg1 & 0xF in {SOCK_STREAM, SOCK_SEQPACKET})"),
        action: EACCES,
        applies: |draft| !allows(draft, "@socket-unix"),
    },
    Removal {
        call: "socket",
        when: None,
        action: EACCES,
        applies: |draft| no_sockets(draft) && !network::tells_peers(draft),
    },
    Removal {
        call: "socket",
        when: Some("arg0 != AF_UNIX"),
        action: EACCES,
        applies: |draft| no_sockets(draft) && network::tells_peers(draft),
    },
    // In the host's network the jar's sockets are connected by the broker, and do nothing else.
    Removal {
        call: "socket",
        when: Some("!(arg0 in {AF_UNIX, AF_INET, AF_INET6})"),
        action: EACCES,
        applies: network::is_relayed,
    },
    // Without sockets there are pairs, and they belong to the host's network: a name that one end takes is one of the host's.
    Removal {
        call: "bind",
        when: None,
        action: EPERM,
        applies: |draft| no_sockets(draft) && !network::tells_peers(draft),
    },
    Removal { call: "listen", when: None, action: EACCES, applies: hosts_listeners },
    Removal { call: "ioctl", when: Some(INTERFACES), action: EACCES, applies: sees_interfaces },
    Removal { call: "sendto", when: Some(FAST_OPEN_3), action: EOPNOTSUPP, applies: network::is_relayed },
    Removal { call: "sendmsg", when: Some(FAST_OPEN_2), action: EOPNOTSUPP, applies: network::is_relayed },
    Removal { call: "sendmmsg", when: Some(FAST_OPEN_3), action: EOPNOTSUPP, applies: network::is_relayed },
    Removal {
        call: "io_uring_setup",
        when: None,
        action: EPERM,
        applies: |draft| !allows(draft, "io_uring_setup"),
    },
    // A set-user-id file in a granted folder would be run by others on the host. 0x400040: O_CREAT and O_TMPFILE's own
    // bit, with either of which the mode counts.
    Removal { call: "chmod", when: Some("arg1 & 0xC00 != 0"), action: EPERM, applies: always },
    Removal { call: "fchmod", when: Some("arg1 & 0xC00 != 0"), action: EPERM, applies: always },
    Removal { call: "fchmodat", when: Some("arg2 & 0xC00 != 0"), action: EPERM, applies: always },
    Removal { call: "fchmodat2", when: Some("arg2 & 0xC00 != 0"), action: EPERM, applies: always },
    Removal { call: "creat", when: Some("arg1 & 0xC00 != 0"), action: EPERM, applies: always },
    Removal {
        call: "open",
        when: Some("arg1 & 0x400040 != 0 && arg2 & 0xC00 != 0"),
        action: EPERM,
        applies: always,
    },
    Removal {
        call: "openat",
        when: Some("arg2 & 0x400040 != 0 && arg3 & 0xC00 != 0"),
        action: EPERM,
        applies: always,
    },
    Removal { call: "mknod", when: Some("arg1 & 0xC00 != 0"), action: EPERM, applies: always },
    Removal { call: "mknodat", when: Some("arg2 & 0xC00 != 0"), action: EPERM, applies: always },
    // Leases and watches make the caller's other processes wait, F_SETSIG makes signals of any number. An owner (8, 15) gets
    // SIGIO, and is looked up in the jar's own process namespace where there is one.
    Removal { call: "fcntl", when: Some("arg1 in {10, 1024, 1026}"), action: EPERM, applies: always },
    Removal { call: "fcntl", when: Some("arg1 in {8, 15}"), action: EPERM, applies: host_tree },
    // FIOSETOWN and SIOCSPGRP name the same owner.
    Removal { call: "ioctl", when: Some("arg1 in {0x8901, 0x8902}"), action: EPERM, applies: host_tree },
    // Pipes of more than the usual size count against the user, whatever the namespace.
    Removal { call: "fcntl", when: Some("arg1 == 1031 && arg2 > 65536"), action: EPERM, applies: always },
    // MSG_OOB: in the code for urgent bytes of unix sockets the kernel has had bugs that any program could use. Of what programs
    // are still in use, telnet's send any. The answer is that of a kernel without it.
    Removal { call: "sendto", when: Some("arg3 & 1 != 0"), action: EOPNOTSUPP, applies: always },
    Removal { call: "sendmsg", when: Some("arg2 & 1 != 0"), action: EOPNOTSUPP, applies: always },
    Removal { call: "sendmmsg", when: Some("arg3 & 1 != 0"), action: EOPNOTSUPP, applies: always },
    // Where nothing is both writable and executable, a file in memory must not be either; nobody runs it where no exec is.
    Removal {
        call: "memfd_create",
        when: None,
        action: EPERM,
        applies: |draft| {
            let runs = !draft.call.workers && !never_granted(draft, "execve");
            runs && !super::files::has_writable_code(draft)
        },
    },
    // A file in memory belongs to no process: the watch would not see it.
    Removal { call: "memfd_create", when: None, action: EPERM, applies: super::limits::watched_memory },
    // Its mode lies in memory.
    Removal { call: "openat2", when: None, action: Action::Errno(38), applies: always },
    // What the broker cannot look at it cannot answer. Who hides from its workers has no call left that the broker would answer.
    Removal {
        call: "prctl",
        when: Some("arg0 == 4 && arg1 == 0"),
        action: EPERM,
        applies: |draft| brokered(draft) && !draft.call.workers,
    },
    // The third way to open reads and writes nothing, so Landlock asks for no right; ioctls work through it.
    Removal { call: "open", when: Some("arg1 & 3 == 3"), action: EACCES, applies: host_tree },
    Removal { call: "openat", when: Some("arg2 & 3 == 3"), action: EACCES, applies: host_tree },
    // Before ABI 3 Landlock does not see truncation, unless the file is opened for writing.
    Removal { call: "truncate", when: None, action: EACCES, applies: truncates },
    // What a descriptor that is open for writing can do was granted; a negative place is an error anyway.
    Removal { call: "ftruncate", when: Some(NEGATIVE_1), action: EINVAL, applies: truncates },
    Removal { call: "fallocate", when: Some(NEGATIVE_2), action: EINVAL, applies: truncates },
    Removal {
        call: "open",
        when: Some("arg1 & 0x200 != 0 && arg1 & 3 == 0"),
        action: EACCES,
        applies: truncates,
    },
    Removal {
        call: "openat",
        when: Some("arg2 & 0x200 != 0 && arg2 & 3 == 0"),
        action: EACCES,
        applies: truncates,
    },
    // Landlock does not guard attributes: outside a root of its own the jar could change them anywhere.
    Removal { call: "chmod", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fchmod", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fchmodat", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fchmodat2", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "chown", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "lchown", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fchown", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fchownat", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "utime", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "utimes", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "futimesat", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "utimensat", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "setxattr", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "lsetxattr", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fsetxattr", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "setxattrat", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "removexattr", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "lremovexattr", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "fremovexattr", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "removexattrat", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "file_setattr", when: None, action: EPERM, applies: unbrokered },
    // Without a PID namespace these reach the caller's other processes: only 0, the caller itself, passes.
    Removal { call: "sched_setaffinity", when: Some("arg0 != 0"), action: EPERM, applies: host_tree },
    Removal { call: "sched_setscheduler", when: Some("arg0 != 0"), action: EPERM, applies: host_tree },
    Removal { call: "sched_setparam", when: Some("arg0 != 0"), action: EPERM, applies: host_tree },
    Removal { call: "sched_setattr", when: Some("arg0 != 0"), action: EPERM, applies: host_tree },
    Removal { call: "setpriority", when: Some("arg0 != 0 || arg1 != 0"), action: EPERM, applies: host_tree },
    Removal { call: "ioprio_set", when: Some("arg0 != 1 || arg1 != 0"), action: EPERM, applies: host_tree },
    Removal { call: "prlimit64", when: Some("arg0 != 0"), action: EPERM, applies: host_tree },
    // Landlock does not guard looking at changes.
    Removal { call: "inotify_init", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "inotify_init1", when: None, action: EPERM, applies: unbrokered },
    Removal { call: "inotify_add_watch", when: None, action: EACCES, applies: unbrokered },
    // Nor reading attributes.
    Removal { call: "getxattr", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "lgetxattr", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "fgetxattr", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "flistxattr", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "getxattrat", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "listxattr", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "llistxattr", when: None, action: EOPNOTSUPP, applies: unbrokered },
    Removal { call: "listxattrat", when: None, action: EOPNOTSUPP, applies: unbrokered },
    // Without an IPC namespace these reach the caller's other processes.
    Removal { call: "shmget", when: None, action: EPERM, applies: host_tree },
    Removal { call: "shmat", when: None, action: EPERM, applies: host_tree },
    Removal { call: "shmctl", when: None, action: EPERM, applies: host_tree },
    Removal { call: "semget", when: None, action: EPERM, applies: host_tree },
    Removal { call: "semop", when: None, action: EPERM, applies: host_tree },
    Removal { call: "semtimedop", when: None, action: EPERM, applies: host_tree },
    Removal { call: "semctl", when: None, action: EPERM, applies: host_tree },
    Removal { call: "msgget", when: None, action: EPERM, applies: host_tree },
    Removal { call: "msgsnd", when: None, action: EPERM, applies: host_tree },
    Removal { call: "msgrcv", when: None, action: EPERM, applies: host_tree },
    Removal { call: "msgctl", when: None, action: EPERM, applies: host_tree },
    Removal { call: "mq_open", when: None, action: EPERM, applies: host_tree },
    Removal { call: "mq_unlink", when: None, action: EPERM, applies: host_tree },
];

/// Which rows of the table take something away: one bit each.
pub(super) fn bits(draft: &Draft<'_>) -> u128 {
    const { assert!(REMOVALS.len() <= 128) };
    let bits = REMOVALS.iter().enumerate().filter(|(_, removal)| (removal.applies)(draft));
    bits.fold(0, |bits, (at, _)| bits | 1 << at)
}

/// The rows that take something away, in the order of the table.
pub(super) fn in_force(draft: &Draft<'_>) -> impl Iterator<Item = &'static Removal> {
    REMOVALS.iter().filter(move |removal| (removal.applies)(draft))
}

fn allows(draft: &Draft<'_>, name: &str) -> bool {
    draft.policy.syscalls.allow.iter().any(|item| item.value == name)
}

pub(super) fn no_sockets(draft: &Draft<'_>) -> bool {
    match draft.policy.net.mode.value {
        NetMode::Off => true,
        NetMode::Host => false,
        _ => !draft.namespaced() && !network::is_relayed(draft),
    }
}

/// Nothing of the jar may wait for connections in the host's network, unless all of it is granted.
fn hosts_listeners(draft: &Draft<'_>) -> bool {
    let all = draft.policy.net.mode.value == NetMode::Host;
    let own = network::is_relayed(draft) || network::tells_peers(draft) && network::is_hosts(draft) && !all;
    // Where some are published the broker decides about each.
    own && !network::serves(draft)
}

/// The jar is in the host's network, which is not granted as it is, or gets sockets of it: its addresses and names are nobody's
/// business.
fn sees_interfaces(draft: &Draft<'_>) -> bool {
    let has_its_sockets = network::is_hosts(draft) || network::lists_peers(draft);
    has_its_sockets && draft.policy.net.mode.value != NetMode::Host
}

fn always(_: &Draft<'_>) -> bool {
    true
}

fn host_tree(draft: &Draft<'_>) -> bool {
    !draft.namespaced()
}

fn brokered(draft: &Draft<'_>) -> bool {
    host_tree(draft) && broker::able(draft)
}

fn unbrokered(draft: &Draft<'_>) -> bool {
    host_tree(draft) && !broker::able(draft)
}

fn truncates(draft: &Draft<'_>) -> bool {
    draft.engine == Engine::Landlock && draft.host.landlock < 3
}
