//! Door 2 as data: which calls the broker can answer, and who decides about each where it does not.

/// Who decides about a call on a host without namespaces. With namespaces the kernel does, and with `--trace` the broker sees
/// every call that names a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Landlock.
    Landlock,
    /// Landlock does not see it: the broker.
    Broker,
    /// The broker as well; it names no path, so that `--trace` leaves it alone.
    Descriptor,
    /// The jar's own network; the broker where somebody is asked about hosts, where some unix sockets of the host may be
    /// reached, or hosts without such a network; with `--trace` it tells who tried what.
    Peers,
    /// The same on the host's network.
    Addresses,
    /// The jar's own network; the broker where hosts are reached without one.
    Hosts,
    /// The jar's own network; the broker where servers of the jar are published without one.
    Servers,
    /// The filter, which refuses; the broker where programs have a log.
    Log,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    pub(crate) call: &'static str,
    pub(crate) guard: Guard,
    /// Position of open flags that lie in a register.
    pub(crate) opens: Option<u8>,
    /// The form of the call that is meant; empty = every one.
    pub(crate) when: &'static str,
}

const fn door(call: &'static str, guard: Guard) -> Door {
    Door { call, guard, opens: None, when: "" }
}

const fn opens(call: &'static str, at: u8) -> Door {
    Door { call, guard: Guard::Landlock, opens: Some(at), when: "" }
}

const fn when(call: &'static str, guard: Guard, when: &'static str) -> Door {
    Door { call, guard, opens: None, when }
}

use Guard::{Addresses, Broker, Descriptor, Hosts, Landlock, Log, Peers, Servers};

/// A socket for datagrams: it could send anywhere, whatever it is connected to.
const DATAGRAMS: &str = "arg0 in {AF_INET, AF_INET6} && arg1 & 0xF == SOCK_DGRAM";
/// The same between programs.
const MESSAGES: &str = "arg0 == AF_UNIX && arg1 & 0xF == SOCK_DGRAM";
/// Receiving that asks for the sender: of answers to queries only the broker knows it.
const SENDER: &str = "arg4 != 0";
/// `IP_RECVERR` and `IPV6_RECVERR`, which resolvers insist on.
const ERRORS: &str = "arg1 == IPPROTO_IP && arg2 == 11 || arg1 == IPPROTO_IPV6 && arg2 == 25";

/// The calls. What serves each is the broker's table.
pub(crate) const DOORS: &[Door] = &[
    opens("open", 1),
    opens("openat", 2),
    door("creat", Landlock),
    door("stat", Broker),
    door("lstat", Broker),
    door("newfstatat", Broker),
    door("statx", Broker),
    door("statfs", Broker),
    door("access", Broker),
    door("faccessat", Broker),
    door("faccessat2", Broker),
    door("readlink", Broker),
    door("readlinkat", Broker),
    door("mkdir", Landlock),
    door("mkdirat", Landlock),
    door("mknod", Landlock),
    door("mknodat", Landlock),
    door("symlink", Landlock),
    door("symlinkat", Landlock),
    door("link", Landlock),
    door("linkat", Landlock),
    door("rmdir", Landlock),
    door("unlink", Landlock),
    door("unlinkat", Landlock),
    door("rename", Landlock),
    door("renameat", Landlock),
    door("renameat2", Landlock),
    door("truncate", Landlock),
    door("chmod", Broker),
    door("fchmodat", Broker),
    door("fchmodat2", Broker),
    door("fchmod", Descriptor),
    door("chown", Broker),
    door("lchown", Broker),
    door("fchownat", Broker),
    door("fchown", Descriptor),
    door("utime", Broker),
    door("utimes", Broker),
    door("futimesat", Broker),
    door("utimensat", Broker),
    door("setxattr", Broker),
    door("lsetxattr", Broker),
    door("fsetxattr", Descriptor),
    door("getxattr", Broker),
    door("lgetxattr", Broker),
    door("fgetxattr", Descriptor),
    door("listxattr", Broker),
    door("llistxattr", Broker),
    door("flistxattr", Descriptor),
    door("removexattr", Broker),
    door("lremovexattr", Broker),
    door("fremovexattr", Descriptor),
    door("inotify_add_watch", Broker),
    door("connect", Peers),
    door("bind", Addresses),
    door("listen", Servers),
    when("socket", Hosts, DATAGRAMS),
    when("socket", Log, MESSAGES),
    when("recvfrom", Hosts, SENDER),
    door("recvmsg", Hosts),
    door("recvmmsg", Hosts),
    door("getsockname", Hosts),
    when("setsockopt", Hosts, ERRORS),
];
