//! What the planner says on recorded hosts, as text that is checked in, and what holds for every plan. After a change
//! of texts or presets: `INSTA_UPDATE=always cargo test -p belljar --test plans`, then read the difference.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};

use belljar::HostFacts;
use belljar::error::PlanError;
use belljar::plan::{Call, Placed, Plan, Step, compiled, plan};
use belljar::policy::Policy;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use support::recorded::{HERE, host, policy, try_policy};

fn every_host() -> Vec<HostFacts> {
    let files = std::fs::read_dir(Path::new(HERE).join("hosts")).unwrap();
    let read = |path: PathBuf| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.map(|entry| read(entry.unwrap().path())).collect()
}

/// A plan or its refusal as people read it. The length of the filter changes with every group file: it is left out.
fn told(result: Result<Plan, PlanError>) -> String {
    match result {
        Ok(plan) => {
            let length = format!("{} instructions", plan.filter.instructions.len());
            plan.to_string().replace(&length, "N instructions")
        }
        Err(error) => format!("refused: {error}\nhint: {}\n", error.hint()),
    }
}

/// Command lines that are planned on each host.
const COMMANDS: &[&[(&str, &str)]] = &[
    &[],
    &[("-p", "@filter")],
    &[("-p", "@dev")],
    &[("-n", "host")],
    &[
        ("-n", "example.org"),
        ("-n", "10.0.0.0/8:5432"),
        ("--deny-net", "www.example.org"),
        ("--reach", "localhost:8080"),
    ],
    &[("--cow", "."), ("--throw-away", "64M")],
    &[
        ("-m", "512M"),
        ("--pids", "64"),
        ("--cpu", "10s"),
        ("--files", "256"),
        ("--fsize", "64M"),
        ("-t", "1m"),
        ("--output", "1M"),
    ],
];

fn section(host: &HostFacts, flags: &[(&str, &str)], call: Call) -> String {
    let words: Vec<String> = flags.iter().map(|(flag, value)| format!(" {flag} {value}")).collect();
    let text = told(plan(&policy(flags), host, call));
    format!("$ belljar plan{}\n{text}\n", words.concat())
}

/// Every command line on one host; where it is refused, also with everything weaker that the refusal names.
fn check(name: &str) {
    let host = host(name);
    let mut text = String::new();
    for flags in COMMANDS {
        text += &section(&host, flags, Call::new(0, false));
        let subjects = named(&plan(&policy(flags), &host, Call::new(0, false)));
        let weaker: Vec<(&str, &str)> =
            flags.iter().copied().chain(subjects.iter().map(|word| ("--allow-weaker", *word))).collect();
        if !subjects.is_empty() {
            text += &section(&host, &weaker, Call::new(0, false));
        }
    }
    text += "in a terminal, as a foreground job:\n";
    text += &section(&host, &[], Call::new(7, true));
    insta::with_settings!({
        snapshot_path => Path::new(HERE).join("plans"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!(name, text) });
}

/// Words for `--allow-weaker` that a refusal names.
fn named(result: &Result<Plan, PlanError>) -> Vec<&'static str> {
    let Err(PlanError::NotEnforceable { gaps }) = result else { return Vec::new() };
    let mut words: Vec<_> = gaps.iter().map(|gap| gap.subject).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The filters that are compiled with the program are what the planner would compile now, wherever it takes one.
#[test]
fn ready_filters_are_those_that_would_be_compiled() {
    let mut taken = 0;
    for host in every_host() {
        for flags in COMMANDS.iter().copied().chain([[("-n", "off")].as_slice()]) {
            for tells in [false, true] {
                let mut call = Call::new(0, true);
                call.tells = tells;
                let policy = policy(flags);
                let (Ok(plan), Ok(Some((shape, surface, filter)))) =
                    (plan(&policy, &host, call), compiled(&policy, &host, call))
                else {
                    continue;
                };
                assert_eq!(plan.filter, filter, "run `cargo xtask generate filters`");
                assert_eq!(plan.program.contains(&Step::TellingSeccomp), shape.tells);
                assert!(plan.enforced.iter().any(|row| row.rule == surface));
                taken += 1;
            }
        }
    }
    assert!(taken > 20, "{taken}");
}

macro_rules! hosts {
    ($($test:ident => $name:literal;)*) => {$(
        #[test]
        fn $test() {
            check($name);
        }
    )*};
}

hosts! {
    debian_12_user => "debian-12-user";
    debian_12_root => "debian-12-root-systemd";
    debian_12_without_user_namespaces => "debian-12-max-user-namespaces-0";
    docker_root => "docker-default-seccomp-root";
    fedora_41_delegated => "fedora-41-delegated-cgroup-v2";
    kernel_4_18 => "kernel-4.18-old";
    linux_6_18_user => "linux-6.18-user";
    linux_6_18_root => "linux-6.18-root-cgroup-v1";
    no_seccomp => "no-seccomp-no-userns-kernel";
    rhel_9_without_landlock => "rhel-9-no-landlock";
    ubuntu_22_04 => "ubuntu-22.04-kernel-5.15-abi-1";
    ubuntu_24_04_restricted => "ubuntu-24.04-apparmor-restricted";
    inside_belljar => "inside-belljar";
}

#[test]
fn what_needs_a_root_of_its_own_is_refused_without_one_and_no_word_helps() {
    let restricted = host("ubuntu-24.04-apparmor-restricted");
    let asked = [
        ("--hide", "/opt/out/key"),
        ("-r", "/opt/out/bin"),
        ("-r", "/opt/tool:/usr/local/tool"),
        ("--hostname", "inside"),
    ];
    for (flag, value) in asked {
        let all = [
            ("-p", "@base"),
            ("-w", "/opt/out"),
            (flag, value),
            ("--allow-weaker", "fs"),
            ("--allow-weaker", "ipc"),
        ];
        let error = plan(&policy(&all), &restricted, Call::default()).unwrap_err();
        assert!(matches!(error, PlanError::NeedsUserns { .. }), "{error}");
        assert!(error.to_string().contains(&format!("{flag} {value}")), "{error}: names the flag");
        assert!(error.hint().contains("belljar doctor"), "{}", error.hint());
        plan(&policy(&all), &host("linux-6.18-user"), Call::default()).unwrap();
    }
}

#[test]
fn an_unmet_requirement_names_its_line_and_what_holds_instead() {
    let demand = [("--require", "fs=landlock")];
    let error = plan(&policy(&demand), &host("rhel-9-no-landlock"), Call::default()).unwrap_err();
    let PlanError::RequirementUnmet { subject, origin, .. } = &error else { panic!("{error}") };
    assert_eq!((*subject, origin.as_str()), ("fs", "--require fs=landlock"));
    let hidden = plan(&policy(&demand), &host("linux-6.18-user"), Call::default());
    // Hidden paths of the preset are held by namespaces alone.
    assert!(matches!(hidden, Err(PlanError::RequirementUnmet { .. })));
    plan(&policy(&[("--require", "net=2")]), &host("linux-6.18-user"), Call::default()).unwrap();
}

/// Values of every flag that changes a plan.
const FLAGS: &[(&str, &str)] = &[
    ("-p", "@strict"),
    ("-p", "@filter"),
    ("-p", "@dev"),
    ("-p", "@base"),
    ("-p", "@low-integrity"),
    ("-r", "/opt/a"),
    ("-r", "/opt/a/b/c"),
    ("-r", "/opt/a:/opt/z"),
    ("-w", "/opt/a/b"),
    ("-w", "/srv/out"),
    ("--hide", "/opt/a/secret"),
    ("--read-noexec", "/opt/data"),
    ("--root", "/srv/root"),
    ("--cwd", "/opt/a"),
    ("--tmp", "16M"),
    ("--proc", "none"),
    ("--dev", "none"),
    ("-n", "off"),
    ("-n", "none"),
    ("-n", "host"),
    ("-e", "A=1"),
    ("-m", "64M"),
    ("--pids", "9"),
    ("--cpu", "3s"),
    ("--data", "32M"),
    ("--files", "20"),
    ("--umask", "077"),
    ("--hostname", "box"),
    ("--pass-fd", "7:read"),
    ("--deny-syscall", "ptrace"),
    ("--allow-syscall", "@unix-sockets"),
];

const SUBJECTS: [&str; 8] = ["fs", "net", "ipc", "syscalls", "memory", "pids", "cpu", "privileges"];

type Flags = Vec<(&'static str, &'static str)>;

fn some_host() -> impl Strategy<Value = HostFacts> {
    (select(every_host()), any::<[bool; 6]>(), select(vec![0_u32, 1, 2, 3, 4, 5, 6, 7])).prop_map(
        |(mut host, [uid, admin, userns, mounts, proc, seccomp], landlock)| {
            host.landlock = landlock;
            host.uid = if uid { 0 } else { 1000 };
            host.admin = uid && admin;
            host.mount_fds = mounts;
            host.proc_mount = proc;
            host.seccomp |= seccomp;
            if userns {
                host.userns = belljar::probe::Userns::Available;
            }
            host
        },
    )
}

/// Flags that do not contradict one another.
fn some_flags() -> impl Strategy<Value = Flags> {
    let flags = vec(select(FLAGS.to_vec()), 0..7);
    flags.prop_filter("contradictory", |flags| try_policy(flags).is_ok())
}

fn with_weaker(flags: &Flags, subjects: &[&'static str]) -> Policy {
    let weaker = subjects.iter().map(|word| ("--allow-weaker", *word));
    policy(&flags.iter().copied().chain(weaker).collect::<Vec<_>>())
}

type Kind = fn(&Step) -> bool;

fn at(steps: &[Step], wanted: Kind) -> Option<usize> {
    steps.iter().position(wanted)
}

fn last(steps: &[Step], wanted: Kind) -> Option<usize> {
    steps.iter().rposition(wanted)
}

/// Each pair that is there stands in this order.
fn ordered(steps: &[Step], pairs: &[(Kind, Kind)]) {
    for (first, then) in pairs {
        if let (Some(first), Some(then)) = (last(steps, *first), at(steps, *then)) {
            assert!(first < then, "{:?} after {:?}", steps[first], steps[then]);
        }
    }
}

macro_rules! is {
    ($pattern:pat) => {
        |step: &Step| matches!(step, $pattern)
    };
}

/// What holds for every plan, whatever was asked on whatever host.
fn sound(plan: &Plan, host: &HostFacts, policy: &Policy) {
    let own = plan.namespaces != 0;
    ordered(
        &plan.init,
        &[
            (is!(Step::DieWithParent), is!(Step::CloseInherited)),
            (is!(Step::MapIds | Step::BecomeUser { .. }), is!(Step::NewRoot | Step::DropCapabilities)),
            (is!(Step::NewRoot), is!(Step::Place(_))),
            (is!(Step::Place(_) | Step::MaskProc | Step::OpenTerminal), is!(Step::PivotRoot)),
            (is!(Step::PivotRoot), is!(Step::SealRoot)),
            (
                is!(Step::SealRoot | Step::Hostname(_) | Step::Loopback | Step::SecureBits),
                is!(Step::DropCapabilities),
            ),
            (is!(Step::DropCapabilities), is!(Step::NoNewPrivs)),
        ],
    );
    ordered(
        &plan.program,
        &[
            (is!(Step::NewSession), is!(Step::UseTerminal(_))),
            (is!(Step::Chdir(_)), is!(Step::Landlock)),
            (is!(Step::Landlock), is!(Step::CloseOnExec(_) | Step::Rlimit(..))),
        ],
    );
    let end = plan.program.len().saturating_sub(3);
    assert_eq!(plan.program[end..], [Step::Seccomp, Step::SelfProbe, Step::Exec], "the end of every start");
    assert!(plan.init.contains(&Step::NoNewPrivs), "before the program exists, and so before the filter");
    assert!(plan.init.contains(&Step::CloseInherited));
    assert_eq!(plan.program.contains(&Step::Landlock), host.landlock > 0);
    assert_eq!(plan.landlock.is_some(), host.landlock > 0);
    let hands_over =
        |call: &str| plan.broker.as_ref().is_some_and(|broker| broker.calls.iter().any(|c| c == call));
    let brokered = ["open", "openat", "creat", "unlink", "rename", "truncate"].into_iter().all(hands_over);
    assert!(own || host.landlock > 0 || brokered, "one of the three walls around files is there");
    assert!(plan.init.contains(&Step::DropCapabilities));
    assert_eq!(plan.init.contains(&Step::PivotRoot), own);
    let limited = [Step::LimitNamespaces, Step::LimitInside].map(|step| plan.init.contains(&step));
    assert_eq!(limited.into_iter().filter(|found| *found).count(), usize::from(own));
    let nobody = Step::BecomeUser { uid: 65534, gid: 65534 };
    assert_eq!(plan.init.contains(&nobody), host.uid == 0, "never the host's root");
    assert!(!plan.filter.instructions.is_empty());
    told_in_full(plan, policy);
}

/// Every rule of the policy is in the table, and every row is held by a layer or says what is missing.
fn told_in_full(plan: &Plan, policy: &Policy) {
    for row in &plan.enforced {
        assert!(!row.layers.is_empty() || row.gap.is_some(), "nothing holds {row:?}");
        assert!(!row.rule.is_empty() && !row.origin.is_empty(), "{row:?}");
    }
    for place in plan.init.iter().filter_map(|step| match step {
        Step::Place(place) => Some(place),
        _ => None,
    }) {
        if let Placed::Host { from, origin, .. } = &place.what {
            let path = from.display().to_string();
            let row = plan.enforced.iter().find(|row| row.rule.ends_with(&path) && row.origin == *origin);
            assert!(row.is_some(), "no row for {path} ({origin})");
        }
    }
    assert!(plan.enforced.len() > policy.env.pass.len().min(3), "a table");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_plan_is_in_order_and_survives_json(
        host in some_host(),
        flags in some_flags(),
        terminals in 0_u8..8,
        foreground in any::<bool>(),
    ) {
        let policy = with_weaker(&flags, &SUBJECTS);
        if let Ok(plan) = plan(&policy, &host, Call::new(terminals, foreground)) {
            sound(&plan, &host, &policy);
            let text = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Plan>(&text).unwrap(), &plan);
            let own = plan.engine == belljar::plan::Engine::Namespaces;
            prop_assert_eq!(plan.init.contains(&Step::DieWithParent), foreground && own);
            prop_assert_eq!(plan.program.contains(&Step::UseTerminal(terminals)), terminals != 0);
        }
    }

    #[test]
    fn a_plan_is_made_only_when_each_gap_was_accepted(
        host in some_host(),
        flags in some_flags(),
        accepted in proptest::sample::subsequence(SUBJECTS.to_vec(), 0..=SUBJECTS.len()),
    ) {
        let make = |subjects: &[&'static str]| plan(&with_weaker(&flags, subjects), &host, Call::default());
        match (make(&SUBJECTS), make(&accepted)) {
            (Ok(full), Ok(made)) => prop_assert_eq!(full.enforced, made.enforced),
            (Ok(full), Err(PlanError::NotEnforceable { gaps })) => {
                prop_assert!(!gaps.is_empty());
                let rows = full.enforced.iter().filter(|row| row.gap.is_some()).count();
                prop_assert!(gaps.len() <= rows);
                prop_assert!(gaps.iter().all(|gap| !accepted.contains(&gap.subject)));
                let more: Vec<_> = accepted.iter().copied().chain(gaps.iter().map(|gap| gap.subject)).collect();
                prop_assert_eq!(make(&more).unwrap().enforced, full.enforced);
            }
            (Ok(_), Err(other)) => prop_assert!(false, "accepting more cures {other}"),
            (Err(_), made) => prop_assert!(made.is_err()),
        }
        if let Ok(bare) = make(&[]) {
            prop_assert!(bare.enforced.iter().all(|row| row.gap.is_none()));
        }
    }
}
