//! The filter of `@default`: what gets through, what is refused, and what it costs.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use belljar_bpf::{
    Action, Filter, FilterBuilder, SeccompData, constant_value, disassemble, groups, groups_with,
    parse_condition, syscall_name, syscall_number, syscalls,
};

fn constant(name: &str) -> u64 {
    constant_value(name).unwrap()
}

fn with(names: &[&str]) -> FilterBuilder {
    names.iter().fold(Filter::builder(), |builder, name| builder.allow_group(name).unwrap())
}

fn default_filter() -> Filter {
    with(&["@default"]).compile().unwrap()
}

fn verdict(filter: &Filter, name: &str, args: &[u64]) -> Action {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    filter.eval(&SeccompData::x86_64(syscall_number(name).unwrap(), all))
}

#[test]
fn is_small_and_shallow() {
    let filter = default_filter();
    let len = filter.insns().len();
    assert!(len < 500, "{len} instructions\n{}", disassemble(&filter));
    let mut steps = Vec::new();
    for number in 0..600 {
        steps.push(filter.trace(&SeccompData::x86_64(number, [0; 6])).1);
    }
    // Architecture, number and verdict are four steps; the search comes on top, then the tests of arguments.
    assert!(steps.iter().max() <= Some(&40), "{steps:?}");
    let mean = steps.iter().sum::<usize>() / steps.len();
    assert!(mean <= 14, "the kernel runs the filter for every number at load: {mean} steps");
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
                assert_eq!(verdict(&filter, name, &args), action, "{name}");
            }
        }
    }
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

#[test]
fn every_group_is_closed_compiles_and_gives_reasons() {
    for group in groups() {
        assert!(!group.about().is_empty() && !group.rows().is_empty(), "{}", group.name());
        for row in group.rows() {
            assert!(row.reason().len() > 2, "{} {:?}", group.name(), syscall_name(row.syscall()));
        }
        match group.never_granted() {
            Some(_) => assert!(Filter::builder().allow_group(group.name()).is_err()),
            None => assert!(with(&["@default", group.name()]).compile().is_ok(), "{}", group.name()),
        }
    }
}

/// Of two groups the one added first would win, so all must give the same answer.
#[test]
fn groups_agree_on_answers() {
    let mut seen = std::collections::BTreeMap::new();
    for row in groups().flat_map(|group| group.rows()) {
        if let Some(errno) = row.answer() {
            assert_eq!(
                *seen.entry(row.syscall()).or_insert(errno),
                errno,
                "{:?}",
                syscall_name(row.syscall())
            );
        }
    }
    assert!(seen.len() > 5);
}

#[test]
fn privileged_calls_are_never_granted() {
    for name in ["reboot", "init_module", "settimeofday", "open_by_handle_at"] {
        assert!(Filter::builder().allow(name).is_err(), "{name}");
        assert!(Filter::builder().allow_when(name, "arg0 == 1").is_err(), "{name}");
        assert!(Filter::builder().deny(name, None, Action::ENOSYS).is_ok(), "{name}");
    }
    assert!(Filter::builder().deny("read", None, Action::Allow).is_err());
    assert!(Filter::builder().deny("read", None, Action::Errno(0)).is_err(), "it would report success");
    assert!(Filter::builder().unknown(Action::Allow).is_err());
    assert!(Filter::builder().known_denied(Action::Log).is_err());
}

#[test]
fn deny_wins_in_any_order() {
    let before =
        Filter::builder().deny("socket", None, Action::Errno(13)).unwrap().allow_group("@default").unwrap();
    let after = with(&["@default"]).deny("socket", None, Action::Errno(13)).unwrap();
    for builder in [before, after] {
        assert_eq!(verdict(&builder.compile().unwrap(), "socket", &[1, 1, 0]), Action::Errno(13));
        let none = builder.deny_group("@network", Action::EPERM).unwrap().compile().unwrap();
        assert_eq!(verdict(&none, "sendto", &[]), Action::EPERM);
    }
}

#[test]
fn narrowing_grants_nothing() {
    let narrowed =
        with(&["@default"]).narrow("socket", "arg0 in {AF_UNIX, AF_PACKET}").unwrap().compile().unwrap();
    assert_eq!(verdict(&narrowed, "socket", &[1, 1, 0]), Action::Allow);
    assert_eq!(verdict(&narrowed, "socket", &[2, 1, 0]), Action::EPERM);
    assert_eq!(verdict(&narrowed, "socket", &[17, 3, 0]), Action::EPERM, "the group does not grant it");
    assert!(Filter::builder().narrow("read", "arg0 == 0").unwrap().compile().is_err(), "nothing is granted");
}

/// The filter is compiled at each start; far below this in a release build.
#[test]
fn compiling_takes_less_than_two_milliseconds() {
    let fastest = (0..50).map(|_| {
        let start = std::time::Instant::now();
        assert!(!default_filter().insns().is_empty());
        start.elapsed()
    });
    assert!(fastest.min() < Some(std::time::Duration::from_millis(2)));
}

#[test]
fn groups_can_be_taken_away() {
    let without =
        |name: &str| with(&["@default"]).deny_group(name, Action::EPERM).unwrap().compile().unwrap();
    for group in groups() {
        // These hold half of a family; a policy that takes them away has to say more.
        if !["@basic", "@descriptor", "@filter", "@memory", "@thread"].contains(&group.name()) {
            assert!(!without(group.name()).insns().is_empty(), "{}", group.name());
        }
    }
    let network = without("@network");
    for args in [[1, 1, 0], [2, 1, 0], [17, 3, 0]] {
        assert_eq!(verdict(&network, "socket", &args), Action::EPERM);
    }
    let debug = without("@debug");
    assert_eq!(verdict(&debug, "ptrace", &[0]), Action::EPERM);
    assert_eq!(verdict(&debug, "prctl", &[constant("PR_SET_NAME")]), Action::Allow, "a call of many uses");
    let nested = without("@nested");
    assert_eq!(verdict(&nested, "clone", &[17]), Action::Allow);
    assert_eq!(verdict(&nested, "clone", &[constant("CLONE_NEWUSER")]), Action::EPERM);
    assert_eq!(verdict(&nested, "clone3", &[]), Action::ENOSYS, "the C library falls back only after ENOSYS");
    let clone3 = with(&["@default"]).deny("clone3", None, Action::EPERM).unwrap().compile().unwrap();
    assert_eq!(verdict(&clone3, "clone3", &[]), Action::ENOSYS);
}

#[test]
fn nested_namespaces_are_granted_by_name() {
    let nested = with(&["@default", "@nested"]).compile().unwrap();
    for flags in [17, constant("CLONE_NEWUSER"), u64::MAX] {
        assert_eq!(verdict(&nested, "clone", &[flags]), Action::Allow);
        assert_eq!(verdict(&nested, "unshare", &[flags]), Action::Allow);
    }
    assert_eq!(verdict(&nested, "clone3", &[]), Action::Allow);
}

#[test]
fn too_many_instructions_are_an_error() {
    let values: Vec<String> = (0..3000).map(|value| (value * 2).to_string()).collect();
    let cond = parse_condition(&format!("arg1 in {{{}}}", values.join(","))).unwrap();
    let one = Filter::builder().planned(16, Some(&cond), Action::Allow).unwrap();
    let filter = one.compile().unwrap();
    assert_eq!(verdict(&filter, "ioctl", &[0, 2468]), Action::Allow);
    assert_eq!(verdict(&filter, "ioctl", &[0, 2469]), Action::EPERM);
    let two = one.planned(72, Some(&cond), Action::Allow).unwrap();
    assert!(matches!(two.compile(), Err(belljar_bpf::CompileError::TooLarge { instructions: 4097.. })));
}

#[test]
fn surface_counts_calls_and_conditions() {
    let surface = with(&["@default"]).spec().surface();
    assert_eq!(surface.to_string(), "279 of 383 calls reachable, 15 with conditions");
    let denied = with(&["@default"]).deny("read", None, Action::EPERM);
    assert_eq!(denied.unwrap().spec().surface().reachable, 278);
}

#[test]
fn a_call_can_be_explained() {
    let nr = |name| syscall_number(name).unwrap();
    let spec = with(&["@default"]).deny("ioctl", Some("arg1 == TCSETS"), Action::EPERM).unwrap().spec();
    let ioctl = spec.explain(nr("ioctl"));
    assert_eq!(ioctl.rules[0].to_string(), "errno EPERM ioctl when arg1 == 0x5402");
    assert_eq!((ioctl.rules[1].action(), ioctl.otherwise), (Action::Allow, Action::EPERM));
    assert_eq!(spec.explain(nr("clone3")).otherwise, Action::ENOSYS);
    assert_eq!(spec.explain(9999).otherwise, Action::ENOSYS);
    let names: Vec<&str> = groups_with(nr("mount")).map(|(group, _)| group.name()).collect();
    assert_eq!(names, ["@nested"]);
    let (_, row) = groups_with(nr("seccomp")).next().unwrap();
    assert!(row.condition_text().starts_with("arg0"), "{}", row.condition_text());
}

#[test]
fn the_disassembly_reads_as_text() {
    let filter = Filter::builder().allow_when("ioctl", "arg1 == TCGETS").unwrap().compile().unwrap();
    let expected = "   0  load arch
   1  if == 0xc000003e goto 2 else 15
   2  load nr
   3  if >= 0x1a8 goto 10 else 4  ; pidfd_send_signal
   4  if >= 0x11 goto 9 else 5  ; pread64
   5  if >= 0x10 goto 6 else 12  ; ioctl
   6  load arg1.low
   7  if == 0x5401 goto 8 else 12
   8  ret  allow
   9  if >= 0x151 goto 14 else 12
  10  if >= 0x40000000 goto 13 else 11
  11  if >= 0x1d6 goto 14 else 12
  12  ret  errno EPERM
  13  if >= 0x80000000 goto 14 else 15
  14  ret  errno ENOSYS
  15  ret  kill process
";
    assert_eq!(disassemble(&filter), expected);
}

#[test]
fn the_filter_group_reads_and_starts_nothing_else() {
    let filter = with(&["@filter"]).compile().unwrap();
    let table: &[(&str, &[u64], bool)] = &[
        ("execve", &[], true),
        ("openat", &[0, 0, 0o2_000_000], true),
        ("openat", &[0, 0, 1], false),            // O_WRONLY
        ("openat", &[0, 0, 0o100], false),        // O_CREAT
        ("openat", &[0, 0, 0o10_000_000], false), // O_PATH
        ("clone", &[0x3D_0F00], true),            // a thread
        ("clone", &[17], false),                  // a process
        ("fork", &[], false),
        ("socket", &[1, 1, 0], false),
        ("unlink", &[], false),
        ("kill", &[], false),
        ("ioctl", &[0, 0x5401], true),
        ("ioctl", &[0, 0x5402], false),
    ];
    for (name, args, allowed) in table {
        let expected = if *allowed { Action::Allow } else { Action::EPERM };
        assert_eq!(verdict(&filter, name, args), expected, "{name} {args:x?}");
    }
}
