//! What the broker's threads give up before the first call: the rights that the jar's user lacks, and every system call that
//! answering does not take. A Landlock domain, where there can be one, they have from the thread that starts the first of them.

use std::io;

use belljar_bpf::{Action, CompileError, Filter, RuleError, parse_condition, syscall_number};
use belljar_sys::abi::SockFilter;
use belljar_sys::{call, notify};

/// How threads are confined.
#[derive(Debug)]
pub(super) struct Confinement {
    /// Whom files are used as; none = as whoever runs the supervisor.
    pub(super) user: Option<(u32, u32)>,
    filter: Vec<SockFilter>,
}

/// Whose file mode mask a thread has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    /// Its own, to be set to that of each caller.
    Own,
    /// That of the whole process, which is not touched: what is made can have less than its maker asked for, never more.
    Shared,
}

/// Calls of any thread that lives, works with memory and ends.
const LIVING: &[&str] = &[
    "futex",
    "mmap",
    "munmap",
    "mremap",
    "madvise",
    "brk",
    "exit",
    "gettid",
    "getpid",
    "tgkill",
    "rt_sigprocmask",
    "rt_sigaction",
    "rt_sigreturn",
    "sigaltstack",
    "sched_yield",
    "clock_gettime",
    "restart_syscall",
];

/// The same, in one form only: memory that nobody runs.
const LIVING_FORMS: &[(&str, &str)] = &[("mprotect", "arg2 & 4 == 0")];

/// Calls that answering takes beside those, each once.
const CALLS: &[&str] = &[
    // the calls themselves, on what is open
    "openat",
    // as the C library of the shipped program spells openat
    "open",
    "openat2",
    "readlinkat",
    "readlink",
    "fstat",
    "newfstatat",
    "statx",
    "fstatfs",
    "faccessat2",
    "faccessat",
    "mkdirat",
    "mknodat",
    "unlinkat",
    "renameat",
    "renameat2",
    "linkat",
    "symlinkat",
    "ftruncate",
    "chmod",
    "fchmodat",
    "fchmodat2",
    "fchownat",
    "utimensat",
    "setxattr",
    "getxattr",
    "listxattr",
    "removexattr",
    "lsetxattr",
    "lgetxattr",
    "llistxattr",
    "lremovexattr",
    "umask",
    "inotify_add_watch",
    // the caller and its memory
    "process_vm_readv",
    "pidfd_open",
    "pidfd_getfd",
    "pwrite64",
    "pread64",
    // copies of the host's files
    "memfd_create",
    // descriptors and waiting
    "read",
    "write",
    "close",
    "fcntl",
    "dup",
    "poll",
    "ppoll",
    "pipe2",
    "tee",
    "eventfd2",
    "lseek",
    "getdents64",
    // threads of its own, time and the end
    "set_robust_list",
    "rseq",
    "sched_getaffinity",
    "membarrier",
    "getrandom",
    "clock_nanosleep",
    "nanosleep",
    "exit_group",
];

/// Calls that connecting takes, where the broker is to do that.
const CONNECTING: &[&str] = &[
    "socket",
    "socketpair",
    "bind",
    "listen",
    "accept4",
    "connect",
    "getsockname",
    "getpeername",
    "recvfrom",
    "getsockopt",
];

/// Calls that pass in one form only. 0x10000 is `CLONE_THREAD`, 0x200 `CLONE_FS`; the requests are those of a listener.
const FORMS: &[(&str, &str)] = &[
    ("clone", "arg0 & 0x10000 != 0"),
    ("unshare", "arg0 == 0x200"),
    ("prctl", "arg0 in {15, 0x53564d41}"),
    ("ioctl", "arg1 in {0xC0502100, 0xC0182101, 0x40082102, 0x40182103}"),
];

/// What connecting takes in one form only: to hear who sends (`SO_PASSCRED`), to take IPv4 in the form of IPv6 (`IPV6_V6ONLY`).
const CONNECTING_FORMS: &[(&str, &str)] =
    &[("setsockopt", "arg1 == SOL_SOCKET && arg2 == 16 || arg1 == IPPROTO_IPV6 && arg2 == 26")];

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilterError {
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Compile(#[from] CompileError),
}

impl Confinement {
    /// Whom files are used as.
    pub(super) fn ids(&self) -> (u32, u32) {
        let own = || (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        self.user.unwrap_or_else(own)
    }

    pub(super) fn new(user: Option<(u32, u32)>, connects: bool) -> Result<Self, FilterError> {
        let connecting = CONNECTING.iter().filter(|_| connects);
        let forms = FORMS.iter().chain(CONNECTING_FORMS.iter().filter(|_| connects));
        Ok(Self { user, filter: thread_filter(CALLS.iter().chain(connecting), forms)? })
    }
}

/// A filter of threads that get along with these calls, with others in these forms, and with those that any thread takes.
pub(crate) fn thread_filter<'a>(
    calls: impl Iterator<Item = &'a &'a str>,
    forms: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> Result<Vec<SockFilter>, FilterError> {
    let mut builder = Filter::builder();
    // Neither a closed set nor meant for programs: what is missing here is refused to these threads alone.
    for name in LIVING.iter().chain(calls) {
        builder = builder.planned(number(name), None, Action::Allow)?;
    }
    for (name, form) in LIVING_FORMS.iter().chain(forms) {
        let form = parse_condition(form)
            .map_err(|source| RuleError::Condition { syscall: (*name).to_owned(), source })?;
        builder = builder.planned(number(name), Some(&form), Action::Allow)?;
    }
    // The C library takes clone after this answer.
    builder = builder.planned(number("clone3"), None, Action::ENOSYS)?;
    let insns = builder.compile()?;
    let insn = |insn: &belljar_bpf::Insn| SockFilter { code: insn.code, jt: insn.jt, jf: insn.jf, k: insn.k };
    Ok(insns.insns().iter().map(insn).collect())
}

/// An unknown name is an unknown number, which no rule takes.
fn number(name: &str) -> u32 {
    syscall_number(name).unwrap_or(u32::MAX)
}

/// The first thread: what it gives up, threads that it starts never have.
pub(super) fn first(confinement: &Confinement) -> io::Result<Mask> {
    let mask = next()?;
    if let Some((uid, gid)) = confinement.user {
        notify::files_as(uid, gid).map_err(os_error)?;
    }
    const NO_NEW_PRIVS: u32 = 38;
    call::prctl(NO_NEW_PRIVS, 1).map_err(os_error)?;
    call::seccomp(&confinement.filter).map_err(os_error)?;
    Ok(mask)
}

/// Every thread: signals are the supervisor's business, folder and mask are its own.
pub(super) fn next() -> io::Result<Mask> {
    call::block_signals().map_err(os_error)?;
    match notify::own_mask() {
        Ok(()) => Ok(Mask::Own),
        // Container engines refuse it to everybody but root.
        Err(belljar_sys::Errno::PERM) => Ok(Mask::Shared),
        Err(errno) => Err(os_error(errno)),
    }
}

fn os_error(errno: belljar_sys::Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}
