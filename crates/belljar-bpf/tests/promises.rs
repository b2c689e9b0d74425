//! Promises: what each set allows, what it refuses, and which promise a refused call is told to need.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;

use belljar_bpf::{
    Action, Filter, MEANINGLESS, PromiseError, Promises, SeccompData, TICKETED, Ticket, joint_promises,
    promise_for, promises, syscall_name, syscall_number,
};

use calls::{constant, verdict};

fn set(text: &str) -> Promises {
    text.parse().unwrap()
}

fn filter(text: &str) -> Filter {
    set(text).rules(Action::Trap).unwrap().compile().unwrap()
}

fn all_args(args: &[u64]) -> [u64; 6] {
    let mut all = [0; 6];
    all[..args.len()].copy_from_slice(args);
    all
}

#[test]
fn every_promise_says_what_it_is_and_why_and_compiles() {
    let names: Vec<&str> = promises().map(belljar_bpf::Promise::name).collect();
    assert!(names.len() >= 25, "{names:?}");
    for promise in promises().chain(joint_promises()) {
        assert!(promise.about().len() > 10, "{}", promise.name());
        assert!(!promise.rows().is_empty() || promise.name() == "error", "{}", promise.name());
        for row in promise.rows() {
            assert!(row.reason().len() > 2, "{} {:?}", promise.name(), syscall_name(row.syscall()));
        }
        for (rights, path) in promise.paths() {
            assert!(path.starts_with('/') && rights.chars().all(|right| "rwxc".contains(right)), "{path}");
        }
        let words = promise.name().replace('+', " ");
        let compiled = filter(&words);
        assert!(compiled.insns().len() > 5, "{words}");
        let (others, why) = promise.never_with();
        assert_eq!(others.is_empty(), why.is_empty());
        for other in others {
            assert!(set(other).iter().count() == 1);
            let both = format!("{other} {}", promise.name()).parse::<Promises>();
            assert!(matches!(both, Err(PromiseError::Together { .. })), "{other} {}", promise.name());
        }
    }
}

#[test]
fn no_promise_grants_what_no_policy_gets() {
    let everything: Vec<&str> = promises()
        .map(belljar_bpf::Promise::name)
        .filter(|name| !["sendfd", "recvfd", "unix"].contains(name))
        .collect();
    let all = filter(&everything.join(" ").replace("error", ""));
    let never = belljar_bpf::groups().filter(|group| group.never_granted().is_some());
    for row in never.flat_map(|group| group.rows()) {
        let name = syscall_name(row.syscall()).unwrap();
        assert_eq!(verdict(&all, name, &[]), Action::Trap, "{name}");
    }
    for name in ["ptrace", "mount", "setns", "bpf", "process_vm_writev", "pidfd_getfd", "personality"] {
        assert_eq!(verdict(&all, name, &[]), Action::Trap, "{name}");
    }
    for namespace in ["CLONE_NEWUSER", "CLONE_NEWNET", "CLONE_NEWNS"] {
        assert_eq!(verdict(&all, "clone", &[constant(namespace)]), Action::Trap, "{namespace}");
        assert_eq!(verdict(&all, "unshare", &[constant(namespace)]), Action::Trap, "{namespace}");
    }
}

#[test]
fn nothing_promised_leaves_only_the_end() {
    let nothing = filter("");
    let open = belljar_bpf::syscalls()
        .filter(|(_, nr)| nothing.eval(&SeccompData::x86_64(*nr, [0; 6])) == Action::Allow);
    let names: Vec<&str> = open.map(|(name, _)| name).collect();
    assert_eq!(names, ["rt_sigreturn", "exit", "restart_syscall", "exit_group"]);
}

#[test]
fn words_are_checked_and_told_apart() {
    assert!(matches!(
        "stdoi".parse::<Promises>(),
        Err(PromiseError::Unknown { suggestion: Some("stdio"), .. })
    ));
    for word in MEANINGLESS {
        let refused = format!("stdio {}", word.name).parse::<Promises>().unwrap_err();
        assert!(refused.to_string().contains(word.remedy), "{refused}");
    }
    for odd in ["always", "rpath+wpath", "stdio,rpath", "STDIO"] {
        assert!(odd.parse::<Promises>().is_err(), "{odd}");
    }
    assert_eq!(set(" stdio\t rpath stdio ").to_string(), "rpath stdio");
    let (wide, narrow) = (set("stdio rpath dns"), set("stdio"));
    assert!(narrow.is_within(wide) && !wide.is_within(narrow) && narrow.is_within(narrow));
    assert_eq!(wide.beyond(narrow).map(belljar_bpf::Promise::name).collect::<Vec<_>>(), ["dns", "rpath"]);
}

#[test]
fn opening_takes_the_promises_that_its_flags_say() {
    let [create, truncate, tmpfile] = ["O_CREAT", "O_TRUNC", "O_TMPFILE"].map(constant);
    let rows: &[(u64, &str)] = &[
        (0, "rpath"),
        (constant("O_PATH"), "rpath"),
        (1, "wpath"),
        (1 | truncate, "wpath"),
        (2, "rpath wpath"),
        (truncate, "rpath wpath"),
        (create, "rpath cpath"),
        (1 | create, "wpath cpath"),
        (1 | create | truncate, "wpath cpath"),
        (2 | create, "rpath wpath cpath"),
        (2 | tmpfile, "rpath wpath cpath"),
    ];
    let words = ["rpath", "wpath", "cpath"];
    for (flags, needed) in rows {
        for chosen in 0..8_usize {
            let has: Vec<&str> = (0..3).filter(|at| chosen >> at & 1 == 1).map(|at| words[at]).collect();
            let enough = needed.split(' ').all(|word| has.contains(&word));
            let made = filter(&format!("stdio {}", has.join(" ")));
            let expected = if enough { Action::Allow } else { Action::Trap };
            assert_eq!(verdict(&made, "openat", &[0, 0, *flags, 0o644]), expected, "{flags:#x} with {has:?}");
            assert_eq!(verdict(&made, "open", &[0, *flags, 0o644]), expected, "{flags:#x} with {has:?}");
        }
        let told = promise_for(257, &[0, 0, *flags, 0o644, 0, 0]).unwrap();
        assert_eq!(told.replace('+', " "), *needed, "{flags:#x}");
    }
    let full = filter("stdio rpath wpath cpath fattr");
    assert_eq!(verdict(&full, "openat", &[0, 0, 1 | create, 0o4755]), Action::Trap, "set-user-id");
    assert_eq!(verdict(&full, "openat", &[0, 0, 3, 0]), Action::Trap, "neither reading nor writing");
}

/// A call of each promise that no other set of this table allows: `stdio` with the promise, and without.
const VERBS: &[(&str, &str, &[u64])] = &[
    ("rpath", "getdents64", &[]),
    ("wpath", "truncate", &[]),
    ("cpath", "unlink", &[]),
    ("dpath", "mknod", &[0, 0o010_644]),
    ("tmppath", "unlink", &[]),
    ("inet", "socket", &[2, 1, 0]),
    ("mcast", "setsockopt", &[3, 0, 35]),
    ("fattr", "fchmod", &[3, 0o600]),
    ("chown", "fchown", &[]),
    ("flock", "flock", &[]),
    ("unix", "socket", &[1, 1, 0]),
    ("dns", "socket", &[16, 3, 0]),
    ("getpw", "openat", &[]),
    ("sendfd", "sendmsg", &[]),
    ("recvfd", "recvmsg", &[]),
    ("tty", "ioctl", &[0, 0x5402]),
    ("proc", "fork", &[]),
    ("exec", "execve", &[]),
    ("prot_exec", "mmap", &[0, 4096, 5]),
    ("ps", "sysinfo", &[]),
    ("vminfo", "sysinfo", &[]),
    ("id", "setuid", &[]),
    ("unveil", "landlock_restrict_self", &[]),
];

#[test]
fn each_promise_allows_what_nothing_else_does() {
    let stdio = filter("stdio");
    for (name, call, args) in VERBS {
        assert_eq!(verdict(&stdio, call, args), Action::Trap, "{call} without {name}");
        assert_eq!(
            verdict(&filter(&format!("stdio {name}")), call, args),
            Action::Allow,
            "{call} with {name}"
        );
        assert_eq!(verdict(&filter("stdio error"), call, args), Action::ENOSYS, "{call} with error");
        assert!(promise_for(syscall_number(call).unwrap(), &all_args(args)).is_some(), "{call}");
    }
    let named = |name: &str| VERBS.iter().any(|(promise, ..)| *promise == name);
    let forgotten: Vec<&str> =
        promises().map(belljar_bpf::Promise::name).filter(|name| !named(name)).collect();
    assert_eq!(forgotten, ["error", "stdio"]);
}

#[test]
fn descriptors_pass_only_when_promised() {
    for text in ["stdio", "stdio inet", "stdio unix", "stdio inet unix", "stdio rpath unix"] {
        for call in ["sendmsg", "sendmmsg", "recvmsg", "recvmmsg"] {
            assert_eq!(verdict(&filter(text), call, &[]), Action::Trap, "{call} with {text}");
        }
    }
}

#[test]
fn the_name_service_cache_is_refused_quietly() {
    assert_eq!(verdict(&filter("stdio dns"), "socket", &[1, 1, 0]), Action::Errno(13));
    assert_eq!(verdict(&filter("stdio getpw"), "socket", &[1, 1, 0]), Action::Errno(13));
    assert_eq!(verdict(&filter("stdio getpw unix"), "socket", &[1, 1, 0]), Action::Allow);
}

#[test]
fn a_ticket_opens_three_calls_and_nothing_else() {
    let ticket = Ticket { first: 0xDEAD_BEEF, second: 0x1234_5678 };
    let promised = set("stdio").rules(Action::Notify).unwrap().compile().unwrap();
    let policy = Filter::builder().allow_group("@default").unwrap().compile().unwrap();
    let whole = promised.then(&policy).unwrap().ticketed(ticket).unwrap();
    let (first, second) = (u64::from(ticket.first) << 32, u64::from(ticket.second) << 32);
    for (call, [a, b], expected) in TICKETED {
        let mut args = [7; 6];
        (args[*a as usize], args[*b as usize]) = (first | 3, second | 5);
        assert_eq!(verdict(&whole, call, &args), *expected, "{call}");
        for wrong in [[first, 0], [0, second], [second, first], [first ^ (1 << 32), second]] {
            (args[*a as usize], args[*b as usize]) = (wrong[0], wrong[1]);
            assert_eq!(verdict(&whole, call, &args), Action::Notify, "{call} {wrong:x?}");
        }
        let foreign = SeccompData { arch: 0x4000_0003, ..SeccompData::x86_64(358, [first; 6]) };
        assert_eq!(whole.eval(&foreign), Action::KillProcess);
    }
}

#[test]
fn of_two_filters_in_one_the_first_refusal_is_seen() {
    let promised = set("stdio inet").rules(Action::Notify).unwrap().compile().unwrap();
    let policy = Filter::builder()
        .allow_group("@default")
        .unwrap()
        .deny("socket", None, Action::Errno(13))
        .unwrap()
        .compile()
        .unwrap();
    let both = promised.then(&policy).unwrap();
    for (name, nr) in belljar_bpf::syscalls() {
        for args in [[0; 6], [2, 1, 0, 0, 0, 0], [0x8000_0000_0000_0000; 6]] {
            let data = SeccompData::x86_64(nr, args);
            let expected = match promised.eval(&data) {
                Action::Allow => policy.eval(&data),
                refusal => refusal,
            };
            assert_eq!(both.eval(&data), expected, "{name}");
        }
    }
    assert_eq!(verdict(&both, "socket", &[2, 1, 0]), Action::Errno(13));
    assert_eq!(verdict(&both, "socket", &[1, 1, 0]), Action::Notify);
}
