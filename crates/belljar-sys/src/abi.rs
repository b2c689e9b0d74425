//! Kernel structures and constants, with sizes asserted against the kernel's own.

pub use linux_raw_sys::general;

/// One instruction of classic BPF, laid out as the kernel reads it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SockFilter {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when true.
    pub jt: u8,
    /// Instructions to skip when false.
    pub jf: u8,
    /// Constant.
    pub k: u32,
}
const _: () = assert!(size_of::<SockFilter>() == 8);

/// A program of [`SockFilter`], as `seccomp(2)` takes it.
#[repr(C)]
#[derive(Debug)]
pub struct SockFprog {
    /// Number of instructions.
    pub len: u16,
    /// First instruction.
    pub filter: *const SockFilter,
}
const _: () = assert!(size_of::<SockFprog>() == 16);

/// Argument of `clone3(2)`, version 2.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct CloneArgs {
    /// Flags without the exit signal.
    pub flags: u64,
    /// Where the parent's pidfd is stored.
    pub pidfd: u64,
    /// Unused.
    pub child_tid: u64,
    /// Unused.
    pub parent_tid: u64,
    /// Signal to the parent at exit.
    pub exit_signal: u64,
    /// 0 = the parent's stack, copied.
    pub stack: u64,
    /// Size of the stack.
    pub stack_size: u64,
    /// Unused.
    pub tls: u64,
    /// Unused.
    pub set_tid: u64,
    /// Unused.
    pub set_tid_size: u64,
    /// Descriptor of a version 2 control group, with `CLONE_INTO_CGROUP`.
    pub cgroup: u64,
}
const _: () = assert!(size_of::<CloneArgs>() == 88);

/// Argument of `mount_setattr(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct MountAttr {
    /// Attributes to set.
    pub set: u64,
    /// Attributes to clear.
    pub clear: u64,
    /// Propagation type.
    pub propagation: u64,
    /// User namespace of an id-mapped mount.
    pub userns_fd: u64,
}
const _: () = assert!(size_of::<MountAttr>() == 32);

/// Argument of `openat2(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenHow {
    /// Open flags.
    pub flags: u64,
    /// Mode of a created file.
    pub mode: u64,
    /// `RESOLVE_*`.
    pub resolve: u64,
}
const _: () = assert!(size_of::<OpenHow>() == 24);

/// Rule argument of `landlock_add_rule(2)` for paths. The kernel's structure is packed.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct LandlockPath {
    /// Granted rights.
    pub allowed: u64,
    /// The file or folder.
    pub parent_fd: i32,
}
const _: () = assert!(size_of::<LandlockPath>() == 12);

/// Interface request with flags only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IfReq {
    /// Interface name, zero terminated.
    pub name: [u8; 16],
    /// Interface flags.
    pub flags: i16,
    /// The rest of the kernel's union.
    pub rest: [u8; 22],
}
const _: () = assert!(size_of::<IfReq>() == 40);

/// Header of `capset(2)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CapHeader {
    /// Layout version.
    pub version: u32,
    /// 0 = the caller.
    pub pid: i32,
}

/// Two of these hold 64 capabilities.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct CapData {
    /// In force.
    pub effective: u32,
    /// May be put in force.
    pub permitted: u32,
    /// Kept over exec of marked files.
    pub inheritable: u32,
}

/// An IPv4 socket address.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SockAddrIn {
    /// `AF_INET`.
    pub family: u16,
    /// Port, network order.
    pub port: [u8; 2],
    /// Address, network order.
    pub addr: [u8; 4],
    /// Padding.
    pub zero: [u8; 8],
}
const _: () = assert!(size_of::<SockAddrIn>() == 16);

/// An IPv6 socket address.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SockAddrIn6 {
    /// `AF_INET6`.
    pub family: u16,
    /// Port, network order.
    pub port: [u8; 2],
    /// Flow label, network order.
    pub flow: [u8; 4],
    /// Address, network order.
    pub addr: [u8; 16],
    /// Interface of link-local addresses.
    pub scope: u32,
}
const _: () = assert!(size_of::<SockAddrIn6>() == 28);

/// Addresses as the kernel reads them: plain bytes without padding.
pub trait SocketAddress: Copy {}
impl SocketAddress for SockAddrIn {}
impl SocketAddress for SockAddrIn6 {}

/// Messages as the kernel reads and writes them: plain words without padding, valid whatever they hold.
pub trait Message: Copy {}

/// `RTM_NEWROUTE` of one route: header, route, interface.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RouteRequest {
    len: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
    family: u8,
    dst_len: u8,
    src_len: u8,
    tos: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    route_kind: u8,
    route_flags: u32,
    attribute_len: u16,
    attribute: u16,
    interface: u32,
}
const _: () = assert!(size_of::<RouteRequest>() == 36);
impl Message for RouteRequest {}

impl RouteRequest {
    /// Every address of the family is a local one, on this interface. The kernel answers.
    #[must_use]
    pub fn every_address(family: u32, interface: u32) -> Self {
        Self {
            len: 36,
            kind: 24,
            // REQUEST | ACK | EXCL | CREATE
            flags: 0x605,
            sequence: 1,
            port: 0,
            family: u8::try_from(family).unwrap_or(0),
            dst_len: 0,
            src_len: 0,
            tos: 0,
            // RT_TABLE_LOCAL, RTPROT_BOOT, RT_SCOPE_HOST, RTN_LOCAL
            table: 255,
            protocol: 3,
            scope: 254,
            route_kind: 2,
            route_flags: 0,
            attribute_len: 8,
            // RTA_OIF
            attribute: 4,
            interface,
        }
    }
}

/// `NLMSG_ERROR`: the answer to a request, with the request's header.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NetlinkAnswer {
    len: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
    error: i32,
    request: [u32; 9],
}
const _: () = assert!(size_of::<NetlinkAnswer>() == 56);
impl Message for NetlinkAnswer {}

impl NetlinkAnswer {
    /// The kernel's error number, 0 = done; none when this is no answer.
    #[must_use]
    pub fn error(&self) -> Option<i32> {
        (self.kind == 2).then(|| self.error.wrapping_neg())
    }
}

/// Signal disposition as `rt_sigaction(2)` takes it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SigAction {
    /// Handler; 0 = default.
    pub handler: usize,
    /// Flags.
    pub flags: u64,
    /// Return trampoline.
    pub restorer: usize,
    /// Signals blocked in the handler.
    pub mask: u64,
}

/// Resource use as `wait4(2)` and `getrusage(2)` fill it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Rusage {
    /// User time, seconds.
    pub user_sec: i64,
    /// User time, microseconds.
    pub user_usec: i64,
    /// System time, seconds.
    pub system_sec: i64,
    /// System time, microseconds.
    pub system_usec: i64,
    /// Largest resident set, KiB.
    pub maxrss: i64,
    /// Counters that are not used.
    pub rest: [i64; 13],
}
const _: () = assert!(size_of::<Rusage>() == 144);

impl Rusage {
    /// Adds what another process has used.
    pub(crate) const fn gather(&mut self, of: &Self) {
        self.user_sec = self.user_sec.wrapping_add(of.user_sec);
        self.user_usec = self.user_usec.wrapping_add(of.user_usec);
        self.system_sec = self.system_sec.wrapping_add(of.system_sec);
        self.system_usec = self.system_usec.wrapping_add(of.system_usec);
        if of.maxrss > self.maxrss {
            self.maxrss = of.maxrss;
        }
    }
}

/// Attributes of `landlock_create_ruleset(2)`. Older kernels refuse the longer forms only when the added words are not 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LandlockRuleset {
    /// File rights that need a rule.
    pub fs: u64,
    /// TCP rights that need a rule.
    pub net: u64,
    /// What may not cross the domain.
    pub scoped: u64,
}
const _: () = assert!(size_of::<LandlockRuleset>() == 24);

/// Terminal settings as `TCGETS` fills them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminalSettings {
    /// Input, output, control and local modes.
    pub modes: [u32; 4],
    /// Line discipline.
    pub line: u8,
    /// Control characters.
    pub keys: [u8; 19],
}
const _: () = assert!(size_of::<TerminalSettings>() == 36);

/// Who gets the signals of an open file (`struct f_owner_ex`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalOwner {
    /// A thread (0), a process (1) or a group (2).
    pub kind: i32,
    /// Its number; 0 = nobody.
    pub id: i32,
}

/// A lock on a file (`struct flock`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FileLock {
    /// `F_WRLCK`, `F_UNLCK`.
    pub kind: i16,
    /// What `start` counts from.
    pub whence: i16,
    /// First byte.
    pub start: i64,
    /// Bytes; 0 = all.
    pub length: i64,
    /// Must be 0 for a lock that belongs to an opening of a file.
    pub pid: i32,
}
const _: () = assert!(size_of::<FileLock>() == 32);

/// Size of a terminal as `TIOCGWINSZ` fills it: rows, columns, width, height.
pub type TerminalSize = [u16; 4];
