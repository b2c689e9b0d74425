//! The groups of the worker templates, call by call: what is allowed, what fails, and that everything else ends the process.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;

use belljar_bpf::{Action, EACCES, Filter, SeccompData, syscall_number, syscalls};

use calls::constant;

fn template(group: &str) -> Filter {
    let builder = Filter::builder().known_denied(Action::KillProcess).unwrap();
    builder.allow_group(group).unwrap().compile().unwrap()
}

fn verdict(filter: &Filter, call: &str, args: [u64; 6]) -> Action {
    filter.eval(&SeccompData::x86_64(syscall_number(call).unwrap(), args))
}

/// OpenSSH's list, as its source has it for x86_64.
const SOFT: &[&str] =
    &["lstat", "fstat", "open", "openat", "newfstatat", "stat", "statx", "shmget", "shmat", "shmdt"];
const ALLOWED: &[&str] = &[
    "brk",
    "clock_gettime",
    "close",
    "exit",
    "exit_group",
    "getpgid",
    "getpid",
    "getrandom",
    "gettid",
    "gettimeofday",
    "getuid",
    "geteuid",
    "mremap",
    "munmap",
    "nanosleep",
    "clock_nanosleep",
    "ppoll",
    "poll",
    "pselect6",
    "select",
    "read",
    "rt_sigprocmask",
    "shutdown",
    "time",
    "write",
    "writev",
    "getsockopt",
    "getsockname",
    "getpeername",
    "uname",
];
const CHECKED: &[&str] = &["futex", "madvise", "mmap", "mprotect", "setsockopt"];

#[test]
fn every_call_outside_the_preauth_list_ends_the_process() {
    let filter = template("@preauth");
    let mut ended = 0;
    for (call, _) in syscalls() {
        // Bits that no condition of the list holds with.
        let odd = verdict(&filter, call, [u64::MAX; 6]);
        let expected = match call {
            _ if SOFT.contains(&call) => Action::Errno(EACCES),
            _ if ALLOWED.contains(&call) => Action::Allow,
            _ => Action::KillProcess,
        };
        assert_eq!(odd, expected, "{call}");
        if !CHECKED.contains(&call) {
            assert_eq!(verdict(&filter, call, [0; 6]), expected, "{call}");
            ended += usize::from(expected == Action::KillProcess);
        }
    }
    assert!(ended > 330, "{ended}");
    assert_eq!((SOFT.len(), ALLOWED.len()), (10, 30));
}

/// Call, place of an argument, value, and whether it passes with zeros elsewhere.
const ARGUMENTS: &[(&str, usize, &str, bool)] = &[
    ("futex", 1, "FUTEX_WAIT", true),
    ("futex", 1, "FUTEX_WAKE", true),
    ("futex", 1, "FUTEX_WAIT_BITSET", true),
    ("futex", 1, "FUTEX_WAKE_BITSET", true),
    ("futex", 1, "FUTEX_REQUEUE", true),
    ("futex", 1, "FUTEX_CMP_REQUEUE", true),
    ("futex", 1, "FUTEX_LOCK_PI", false),
    ("futex", 1, "FUTEX_WAIT_REQUEUE_PI", false),
    ("madvise", 2, "MADV_NORMAL", true),
    ("madvise", 2, "MADV_FREE", true),
    ("madvise", 2, "MADV_DONTNEED", true),
    ("madvise", 2, "MADV_DONTFORK", true),
    ("madvise", 2, "MADV_DONTDUMP", true),
    ("madvise", 2, "MADV_WIPEONFORK", true),
    ("madvise", 2, "MADV_KEEPONFORK", false),
    ("madvise", 2, "MADV_MERGEABLE", false),
    ("madvise", 2, "MADV_HWPOISON", false),
    ("mmap", 2, "PROT_READ", true),
    ("mmap", 2, "PROT_WRITE", true),
    ("mmap", 2, "PROT_EXEC", false),
    ("mmap", 3, "MAP_PRIVATE", true),
    ("mmap", 3, "MAP_ANONYMOUS", true),
    ("mmap", 3, "MAP_FIXED", true),
    ("mmap", 3, "MAP_SHARED", false),
    ("mmap", 3, "MAP_HUGETLB", false),
    ("mmap", 3, "MAP_GROWSDOWN", false),
    ("mprotect", 2, "PROT_READ", true),
    ("mprotect", 2, "PROT_WRITE", true),
    ("mprotect", 2, "PROT_EXEC", false),
    ("mprotect", 2, "PROT_GROWSDOWN", false),
];

#[test]
fn the_preauth_list_looks_at_arguments_on_both_halves() {
    let filter = template("@preauth");
    for (call, at, name, passes) in ARGUMENTS {
        let mut args = [0; 6];
        args[*at] = constant(name);
        let expected = if *passes { Action::Allow } else { Action::KillProcess };
        assert_eq!(verdict(&filter, call, args), expected, "{call} {name}");
        // The kernel cuts these to 32 bits, so the upper half must not change the verdict; else it must.
        args[*at] |= 1 << 33;
        let cut = matches!((*call, *at), ("futex" | "madvise", _) | ("mmap", 2));
        let dirty = if cut { expected } else { Action::KillProcess };
        assert_eq!(verdict(&filter, call, args), dirty, "{call} {name} with an upper half");
    }
    for (level, name, passes) in [
        ("IPPROTO_IP", "IP_TOS", true),
        ("IPPROTO_IPV6", "IPV6_TCLASS", true),
        ("IPPROTO_IP", "IPV6_TCLASS", false),
        ("SOL_SOCKET", "IP_TOS", false),
        ("SOL_SOCKET", "SO_ATTACH_FILTER", false),
    ] {
        let got = verdict(&filter, "setsockopt", [4, constant(level), constant(name), 0, 0, 0]);
        assert_eq!(got, if passes { Action::Allow } else { Action::KillProcess }, "{level} {name}");
    }
}

/// Flags of the C library's threads.
const THREAD: u64 = 0x3D_0F00;
const EPERM: Action = Action::EPERM;

/// Chromium's table, row by row: call, arguments, verdict.
const RENDERER: &[(&str, [u64; 6], Action)] = &[
    ("openat", [0; 6], EPERM),
    ("newfstatat", [0; 6], EPERM),
    ("getcwd", [0; 6], EPERM),
    ("chdir", [0; 6], EPERM),
    ("getdents64", [0; 6], EPERM),
    ("fchmod", [0; 6], EPERM),
    ("fchown", [0; 6], EPERM),
    // Memory for a buffer: Chromium's renderers get theirs from their parent.
    ("fallocate", [0; 6], Action::Allow),
    ("fallocate", [0, 1, 0, 0, 0, 0], EPERM),
    ("socket", [1, 1, 0, 0, 0, 0], EPERM),
    ("bind", [0; 6], EPERM),
    ("connect", [0; 6], EPERM),
    ("accept4", [0; 6], EPERM),
    ("listen", [0; 6], EPERM),
    ("socketpair", [1, 1, 0, 0, 0, 0], Action::Allow),
    ("socketpair", [2, 1, 0, 0, 0, 0], Action::KillProcess),
    ("getsockopt", [0, 1, 42, 0, 0, 0], Action::Allow),
    ("getsockopt", [0, 1, 17, 0, 0, 0], Action::KillProcess),
    ("setsockopt", [0, 1, 26, 0, 0, 0], Action::KillProcess),
    ("fork", [0; 6], EPERM),
    ("vfork", [0; 6], EPERM),
    ("clone", [THREAD, 0, 0, 0, 0, 0], Action::Allow),
    ("clone", [THREAD | 0x40_0000, 0, 0, 0, 0, 0], Action::Allow),
    ("clone", [THREAD | 0x2000_0000, 0, 0, 0, 0, 0], Action::KillProcess),
    // The kernel does not see this bit.
    ("clone", [THREAD | 1 << 33, 0, 0, 0, 0, 0], Action::Allow),
    ("clone", [17, 0, 0, 0, 0, 0], Action::KillProcess),
    ("clone3", [0; 6], Action::ENOSYS),
    ("pidfd_open", [0; 6], Action::ENOSYS),
    ("statx", [0; 6], Action::ENOSYS),
    ("kill", [0; 6], EPERM),
    ("tkill", [0; 6], Action::KillProcess),
    ("prctl", [15, 0, 0, 0, 0, 0], Action::Allow),
    ("prctl", [22, 0, 0, 0, 0, 0], Action::KillProcess),
    ("ioctl", [0, 0x5401, 0, 0, 0, 0], Action::Allow),
    ("ioctl", [0, 0x541B, 0, 0, 0, 0], Action::Allow),
    ("ioctl", [0, 0x5412, 0, 0, 0, 0], Action::KillProcess),
    ("mmap", [0, 0, 3, 0x22, 0, 0], Action::Allow),
    ("mmap", [0, 0, 7, 0x22, 0, 0], Action::KillProcess),
    ("mprotect", [0, 0, 5, 0, 0, 0], Action::KillProcess),
    ("madvise", [0, 0, 9, 0, 0, 0], Action::KillProcess),
    ("prlimit64", [0, 3, 0, 0, 0, 0], Action::Allow),
    ("prlimit64", [1, 3, 0, 0, 0, 0], Action::KillProcess),
    ("futex", [0, 6, 0, 0, 0, 0], Action::KillProcess),
    ("shmget", [0; 6], Action::KillProcess),
    ("ptrace", [0; 6], Action::KillProcess),
    ("keyctl", [0; 6], Action::KillProcess),
    ("seccomp", [0; 6], Action::KillProcess),
    ("bpf", [0; 6], Action::KillProcess),
    ("io_uring_setup", [0; 6], Action::KillProcess),
];

#[test]
fn the_renderer_table_is_chromiums() {
    let filter = template("@renderer");
    for (call, args, expected) in RENDERER {
        assert_eq!(verdict(&filter, call, *args), *expected, "{call} {args:x?}");
    }
}

/// Whatever opens, connects, starts, signals or looks elsewhere.
const NO_DECODER: &[&str] = &[
    "socket",
    "connect",
    "accept",
    "bind",
    "fork",
    "vfork",
    "clone",
    "clone3",
    "execve",
    "execveat",
    "kill",
    "tkill",
    "ptrace",
    "openat2",
    "creat",
    "name_to_handle_at",
    "unlink",
    "rename",
    "mount",
    "pidfd_open",
    "prctl",
    "seccomp",
    "dup",
    "dup2",
    "dup3",
    "pipe",
    "ioctl",
    "getdents64",
    "process_vm_readv",
    "shmget",
    "memfd_secret",
    "userfaultfd",
    "io_uring_setup",
    "setsockopt",
    "sendfile",
    "splice",
    "chdir",
];

/// Call, arguments, allowed.
const DECODER: &[(&str, [u64; 6], bool)] = &[
    ("mmap", [0, 4096, 3, 0x22, 0, 0], true),
    ("mmap", [0, 4096, 1, 1, 5, 0], true),
    ("mmap", [0, 4096, 5, 2, 5, 0], false),
    ("mprotect", [0, 4096, 4, 0, 0, 0], false),
    ("memfd_create", [0, 11, 0, 0, 0, 0], true),
    ("memfd_create", [0, 7, 0, 0, 0, 0], false),
    ("fcntl", [5, 1033, 0, 0, 0, 0], true),
    ("fcntl", [5, 0, 0, 0, 0, 0], false),
    ("fcntl", [5, 8, 0, 0, 0, 0], false),
    ("sendto", [4, 1, 2, 0, 0, 0], true),
    ("sendto", [4, 1, 2, 0, 0x1000, 16], false),
];

/// A decoder has its bytes.
#[test]
fn a_decoder_has_what_it_was_given_and_nothing_else() {
    let filter = template("@decoder");
    for call in NO_DECODER {
        assert_eq!(verdict(&filter, call, [0; 6]), Action::KillProcess, "{call}");
        assert_eq!(verdict(&filter, call, [u64::MAX; 6]), Action::KillProcess, "{call}");
    }
    for call in ["open", "openat", "stat", "newfstatat", "statx", "access", "readlink"] {
        assert_eq!(verdict(&filter, call, [0; 6]), Action::Errno(EACCES), "{call}");
    }
    for (call, args, allowed) in DECODER {
        let expected = if *allowed { Action::Allow } else { Action::KillProcess };
        assert_eq!(verdict(&filter, call, *args), expected, "{call} {args:x?}");
    }
}
