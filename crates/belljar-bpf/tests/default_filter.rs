//! The filter of `@default`: what gets through, what is refused, and what it costs.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;

use belljar_bpf::{Action, SeccompData, disassemble, syscalls};

use calls::{constant, default_filter, verdict, with};

#[test]
fn is_small_and_shallow() {
    let filter = default_filter();
    let len = filter.insns().len();
    assert!(len < 300, "{len} instructions\n{}", disassemble(&filter));
    let mut steps = Vec::new();
    for number in 0..600 {
        steps.push(filter.trace(&SeccompData::x86_64(number, [0; 6])).1);
    }
    // Architecture, number and verdict are four steps; the search comes on top, then the tests of arguments.
    assert!(steps.iter().max() <= Some(&26), "{steps:?}");
    let mean = steps.iter().sum::<usize>() / steps.len();
    assert!(mean <= 12, "the kernel runs the filter for every number at load: {mean} steps");
}

/// The kernel takes time for each instruction that it loads.
#[test]
fn every_instruction_is_on_a_way_from_the_first() {
    let filter = default_filter();
    let mut reached = vec![false; filter.insns().len()];
    reached[0] = true;
    for (at, insn) in filter.insns().iter().enumerate() {
        assert!(reached[at], "{at}\n{}", disassemble(&filter));
        let skipped = match insn.code {
            0x06 => vec![],
            0x05 => vec![insn.k],
            0x15 | 0x25 | 0x35 | 0x45 => vec![insn.jt.into(), insn.jf.into()],
            _ => vec![0],
        };
        skipped.into_iter().for_each(|skip| reached[at + 1 + usize::try_from(skip).unwrap()] = true);
    }
}

/// The kernel answers a call from its bitmap only if the filter reads nothing but the number and the architecture.
#[test]
fn calls_decided_by_number_read_no_argument() {
    let filter = default_filter();
    let argument_loads = |nr| {
        let data = SeccompData::x86_64(nr, [0; 6]);
        filter.path(&data).iter().filter(|insn| insn.code == 0x20 && insn.k >= 8).count()
    };
    let conditional: Vec<u32> = with(&["@default"])
        .spec()
        .rules()
        .iter()
        .filter(|rule| rule.when().is_some())
        .map(|rule| rule.syscall())
        .collect();
    for (name, nr) in syscalls() {
        assert_eq!(argument_loads(nr) > 0, conditional.contains(&nr), "{name}");
        // Architecture (2), number (1, and a jump around a return) and verdict come on top of the search.
        let steps = filter.trace(&SeccompData::x86_64(nr, [0; 6])).1;
        assert!(conditional.contains(&nr) || steps <= 5 + 12, "{name}: {steps} steps");
    }
}

#[test]
fn other_tables_die() {
    let filter = default_filter();
    let write = SeccompData::x86_64(1, [0; 6]);
    assert_eq!(filter.eval(&write), Action::Allow);
    let i386 = SeccompData { arch: 0x4000_0003, ..write };
    assert_eq!(filter.eval(&i386), Action::KillProcess);
    for nr in [0x4000_0000, 0x4000_0001, 0x4000_0208, 0x7FFF_FFFF] {
        assert_eq!(filter.eval(&SeccompData { nr, ..write }), Action::KillProcess, "{nr:#x}");
    }
    for nr in [335 + 2, 400, 423, 470, 999, 0x3FFF_FFFF, 0x8000_0000, 0xC000_0001, u32::MAX] {
        assert_eq!(filter.eval(&SeccompData { nr, ..write }), Action::ENOSYS, "{nr}");
    }
}

#[test]
fn dangerous_calls_are_refused() {
    const REFUSED: &str = "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp modify_ldt bpf \
        perf_event_open keyctl add_key request_key mount umount2 open_tree move_mount fsopen fsconfig fsmount fspick \
        mount_setattr open_tree_attr pivot_root chroot setns name_to_handle_at open_by_handle_at clock_settime \
        settimeofday adjtimex clock_adjtime swapon swapoff reboot kexec_load kexec_file_load init_module \
        finit_module delete_module quotactl quotactl_fd acct sethostname setdomainname io_setup io_submit io_destroy \
        io_getevents io_cancel io_pgetevents shmget shmat shmctl semget semop msgget msgsnd syslog vhangup \
        lookup_dcookie iopl ioperm fanotify_init fanotify_mark migrate_pages move_pages vmsplice process_madvise \
        uselib ustat sysfs _sysctl nfsservctl sched_setattr";
    const ABSENT: &str = "io_uring_setup io_uring_enter io_uring_register userfaultfd clone3 memfd_secret statmount \
        listmount";
    let filter = default_filter();
    for (names, action) in [(REFUSED, Action::EPERM), (ABSENT, Action::ENOSYS)] {
        for name in names.split_whitespace() {
            for args in [[0; 6], [u64::MAX; 6], [1; 6]] {
                assert_eq!(
                    verdict(&filter, name, &args),
                    action,
                    "{name} is not for programs that nobody trusts"
                );
            }
        }
    }
}

/// A snapshot shows what is hidden, a key that is taken away locks the user out, a map tells of the whole disk.
#[test]
fn file_systems_answer_the_usual_questions_only() {
    const OWN: &[u64] = &[
        0x5000_9401, // BTRFS_IOC_SNAP_CREATE
        0x5000_9417, // BTRFS_IOC_SNAP_CREATE_V2
        0xD000_9412, // BTRFS_IOC_INO_LOOKUP
        0xC040_6618, // FS_IOC_REMOVE_ENCRYPTION_KEY
        0x800C_6613, // FS_IOC_SET_ENCRYPTION_POLICY
        0xC0C0_583B, // FS_IOC_GETFSMAP
        0xC004_5877, // FIFREEZE
        0xC004_5878, // FITHAW
        0x8004_587D, // XFS_IOC_GOINGDOWN
        0x8004_CF04, // CIFS_IOC_SHUTDOWN
        0x4018_BC10, // BCH_IOCTL_SUBVOLUME_CREATE
        0xB702,      // NS_GET_PARENT
    ];
    const USUAL: &[&str] = &[
        "FS_IOC_GETFLAGS",
        "FS_IOC_SETFLAGS",
        "FS_IOC_FIEMAP",
        "FS_IOC_FSGETXATTR",
        "FS_IOC_FSSETXATTR",
        "FS_IOC_GETVERSION",
        "FICLONE",
        "FICLONERANGE",
        "FIDEDUPERANGE",
        "FIONREAD",
    ];
    let filter = default_filter();
    for dirty in [0, 1 << 32] {
        for cmd in OWN {
            assert_eq!(verdict(&filter, "ioctl", &[3, cmd | dirty]), Action::EPERM, "{cmd:x}");
        }
        for name in USUAL {
            assert_eq!(verdict(&filter, "ioctl", &[3, constant(name) | dirty]), Action::Allow, "{name}");
        }
    }
}

/// Pages that are locked for sending count against the user.
#[test]
fn sockets_send_by_copying() {
    let (filter, socket) = (default_filter(), constant("SOL_SOCKET"));
    assert_eq!(verdict(&filter, "setsockopt", &[3, socket, constant("SO_ZEROCOPY")]), Action::EPERM);
    assert_eq!(verdict(&filter, "setsockopt", &[3, socket, constant("SO_KEEPALIVE")]), Action::Allow);
}

/// A 32-bit argument is the same with every upper half; a 64-bit one is not.
#[test]
fn upper_halves_neither_hide_nor_grant() {
    let filter = default_filter();
    for dirty in [1 << 32, 0xFFFF_FFFF << 32, 0x8000_0000 << 32] {
        for name in ["TIOCSTI", "TIOCLINUX", "TIOCSETD"] {
            assert_eq!(verdict(&filter, "ioctl", &[0, constant(name)]), Action::EPERM);
            assert_eq!(
                verdict(&filter, "ioctl", &[0, constant(name) | dirty]),
                Action::EPERM,
                "{name} {dirty:x}"
            );
        }
        assert_eq!(verdict(&filter, "ioctl", &[0, constant("TCGETS") | dirty]), Action::Allow);
        assert_eq!(verdict(&filter, "socket", &[2 | dirty, 1 | dirty, 6 | dirty]), Action::Allow);
        assert_eq!(verdict(&filter, "clone", &[constant("CLONE_NEWUSER") | dirty]), Action::EPERM);
        assert_eq!(verdict(&filter, "clone", &[17 | dirty]), Action::Allow);
        assert_eq!(verdict(&filter, "unshare", &[constant("CLONE_FS") | dirty]), Action::EPERM);
        assert_eq!(verdict(&filter, "prlimit64", &[dirty, 7, 0, 0]), Action::Allow);
    }
}

#[test]
fn only_tcgets_means_only_tcgets() {
    let filter = with(&["@default"]).only_when("ioctl", "arg1 == TCGETS").unwrap().compile().unwrap();
    assert_eq!(verdict(&filter, "ioctl", &[0, 0x5401]), Action::Allow);
    assert_eq!(verdict(&filter, "ioctl", &[0, 0xFFFF_FFFF_0000_5401]), Action::Allow);
    for cmd in [0x5402, 0x5400, 0x5412, 0x5401_0000_0000, 0] {
        assert_eq!(verdict(&filter, "ioctl", &[0, cmd]), Action::EPERM, "{cmd:x}");
    }
}

#[test]
fn sockets_are_those_of_the_list() {
    const CLOEXEC: u64 = 0o2_000_000;
    let filter = default_filter();
    let allowed: &[[u64; 3]] =
        &[[1, 1, 0], [1, 5, 0], [2, 1, 6], [2, 2, 17], [10, 1, 0], [10, 2, 0], [16, 3, 0]];
    let refused: &[[u64; 3]] = &[
        [2, 1, 262], // MPTCP
        [2, 1, 132], // SCTP
        [2, 5, 132],
        [2, 3, 1], // raw
        [2, 2, 1], // ping
        [10, 3, 58],
        [16, 3, 1],  // usersock
        [16, 3, 9],  // audit
        [16, 3, 16], // generic
        [17, 3, 3],  // packet
        [38, 5, 0],  // kernel crypto
        [40, 1, 0],  // vsock
        [44, 3, 0],  // xdp
        [1, 1, 9],
        [0, 1, 0],
    ];
    for (list, action) in [(allowed, Action::Allow), (refused, Action::EPERM)] {
        for &[family, kind, protocol] in list {
            assert_eq!(
                verdict(&filter, "socket", &[family, kind, protocol]),
                action,
                "{family} {kind} {protocol}"
            );
            assert_eq!(verdict(&filter, "socket", &[family, kind | CLOEXEC, protocol]), action);
        }
    }
    let offline = with(&["@offline"]).compile().unwrap();
    assert_eq!(verdict(&offline, "socket", &[1, 1, 0]), Action::EPERM);
    assert_eq!(verdict(&offline, "socketpair", &[1, 1, 0]), Action::Allow);
}

#[test]
fn checked_calls_follow_their_lists() {
    let table: &[(&str, &[u64], bool)] = &[
        ("personality", &[0xFFFF_FFFF], true),
        ("personality", &[0], true),
        ("personality", &[0x0004_0000], false),
        ("personality", &[0x0040_0000], false),
        ("prctl", &[15], true),     // PR_SET_NAME
        ("prctl", &[35], false),    // PR_SET_MM
        ("prctl", &[28], false),    // PR_SET_SECUREBITS
        ("prctl", &[22, 2], true),  // a filter of its own
        ("prctl", &[59], false),    // syscall user dispatch
        ("prctl", &[47, 2], false), // raise an ambient capability
        ("prctl", &[47, 4], true),  // clear them
        ("seccomp", &[1, 0], true),
        ("seccomp", &[1, 8], false), // a listener
        ("seccomp", &[1, 0x20], false),
        ("unshare", &[0x400], true),
        ("unshare", &[0x1000_0000], false),
        ("prlimit64", &[1, 7, 1], false),
        ("mknod", &[0, 0o100_644], true),
        ("mknod", &[0, 0o020_666], false),
        ("mknodat", &[0, 0, 0o060_600], false),
        ("memfd_create", &[0, 1], true),
        ("sched_setscheduler", &[0, 1], false),
        ("setsockopt", &[3, 1, 50], false), // SO_ATTACH_BPF
        ("setsockopt", &[3, 1, 26], false), // SO_ATTACH_FILTER
        ("prctl", &[53, 0, 4], true),       // speculation off
        ("prctl", &[53, 0, 2], false),
        ("setsockopt", &[3, 0, 64], false), // packet filter table
        ("setsockopt", &[3, 6, 1], true),   // TCP_NODELAY
        ("arch_prctl", &[0x1002], true),
        ("arch_prctl", &[0x1012], false), // cpuid faulting
    ];
    let filter = default_filter();
    for (name, args, allowed) in table {
        let expected = if *allowed { Action::Allow } else { Action::EPERM };
        assert_eq!(verdict(&filter, name, args), expected, "{name} {args:x?}");
    }
    let sealed =
        with(&["@offline"]).only_when("memfd_create", "arg1 & MFD_NOEXEC_SEAL == MFD_NOEXEC_SEAL").unwrap();
    assert_eq!(verdict(&sealed.compile().unwrap(), "memfd_create", &[0, 1]), Action::EPERM);
    let debug = with(&["@default", "@debug"]).compile().unwrap();
    assert_eq!(verdict(&debug, "personality", &[0x0004_0000]), Action::Allow);
    assert_eq!(verdict(&debug, "ptrace", &[0]), Action::Allow);
}
