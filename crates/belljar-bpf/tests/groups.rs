//! Groups, and what the builder does with them.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;

use belljar_bpf::{
    Action, Filter, disassemble, groups, groups_with, parse_condition, syscall_name, syscall_number,
};

use calls::{constant, default_filter, verdict, with};

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

/// Two groups may answer differently: templates refuse files as the programs do that they are made after.
#[test]
fn answers_do_not_depend_on_the_order_of_groups() {
    let mut both = 0;
    for (a, b) in groups().flat_map(|a| groups().map(move |b| (a, b))) {
        if a.never_granted().is_some() || b.never_granted().is_some() {
            continue;
        }
        let (one, other) = (with(&[a.name(), b.name()]).spec(), with(&[b.name(), a.name()]).spec());
        for row in a.rows().iter().filter(|row| row.answer().is_some()) {
            assert_eq!(
                one.fallback(row.syscall()),
                other.fallback(row.syscall()),
                "{} {}",
                a.name(),
                b.name()
            );
            both += 1;
        }
    }
    assert!(both > 1000, "{both}");
    let open = syscall_number("open").unwrap();
    assert_eq!(with(&["@preauth", "@renderer"]).spec().fallback(open), Action::EPERM);
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
        let halves = [
            "@basic",
            "@bytes",
            "@channel",
            "@decoder",
            "@descriptor",
            "@filter",
            "@memory",
            "@preauth",
            "@renderer",
            "@sealed",
            "@thread",
            "@worker",
            "@zygote",
        ];
        if !halves.contains(&group.name()) {
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
    // Another argument: the same list would be searched once for both calls.
    let other = parse_condition(&format!("arg2 in {{{}}}", values.join(","))).unwrap();
    let two = one.planned(72, Some(&other), Action::Allow).unwrap();
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
   1  if == 0xc000003e goto 2 else 14
   2  load nr
   3  if >= 0x151 goto 8 else 4
   4  if == 0x10 goto 5 else 10  ; ioctl
   5  load arg1.low
   6  if == 0x5401 goto 7 else 10
   7  ret  allow
   8  if >= 0x1a8 goto 9 else 13
   9  if >= 0x1d6 goto 11 else 10
  10  ret  errno EPERM
  11  if >= 0x40000000 goto 12 else 13
  12  if >= 0x80000000 goto 13 else 14
  13  ret  errno ENOSYS
  14  ret  kill process
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
