//! Workers on hosts that offer less: without user namespaces, without Landlock, without both. What cannot be held there stops the
//! start until it is accepted by name; what a worker can do, and how it ends, is then what it is on the usual host.

use std::ffi::OsString;
use std::time::Duration;

use belljar::error::{PlanError, StartError};
use belljar::policy::Policy;
use belljar::probe::Userns;
use belljar::worker::{Limits, Pool, WorkerError, Zygote};
use belljar_sys::Op;
use belljar_sys::abi::SockFilter;

use crate::acts::{self, Act, Outcome, alone};
use crate::attacks::on_host;
use crate::support::jars::Place;
use crate::support::poorer::{self, MOUNT, Poorer, USER};
use crate::{LONG, able, number, program};

/// Variable that names what the poorer host lacks.
const LACKS: &str = "BELLJAR_HOST_LACKS";

/// What a host lacks, and what a policy has to accept there by name.
struct Host {
    lacks: &'static str,
    gaps: &'static [&'static str],
}

const HOSTS: &[Host] = &[
    Host { lacks: "nothing", gaps: &[] },
    Host { lacks: "namespaces by limit", gaps: &["fs"] },
    Host { lacks: "namespaces by filter", gaps: &["fs"] },
    Host { lacks: "landlock", gaps: &[] },
    Host { lacks: "both", gaps: &["fs", "ipc"] },
];

#[test]
fn on_the_usual_host() {
    if able() {
        on("nothing", Poorer { namespaces: 0, init: &[], program: &[] });
    }
}

#[test]
fn without_user_namespaces_by_limit() {
    if able() {
        let init = [Op::MountPrivate, Op::LimitNamespaces { inside: false }];
        on("namespaces by limit", Poorer { namespaces: USER | MOUNT, init: &init, program: &[] });
    }
}

#[test]
fn without_user_namespaces_by_filter() {
    filtered("namespaces by filter", &poorer::container_filter());
}

#[test]
fn without_landlock() {
    if able() {
        filtered("landlock", &without_landlock_then(&[ALLOW]));
    }
}

#[test]
fn without_user_namespaces_and_landlock() {
    filtered("both", &without_landlock_then(&poorer::container_filter()));
}

const ALLOW: SockFilter = SockFilter { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 };

/// A kernel without Landlock: its three calls, which lie side by side, are missing.
fn without_landlock_then(rest: &[SockFilter]) -> Vec<SockFilter> {
    let below = SockFilter { code: 0x35, jt: 0, jf: 2, k: 444 };
    let above = SockFilter { code: 0x35, jt: 1, jf: 0, k: 447 };
    let missing = SockFilter { code: 0x06, jt: 0, jf: 0, k: 0x0005_0000 + 38 };
    let load = SockFilter { code: 0x20, jt: 0, jf: 0, k: 0 };
    [&[load, below, above, missing], rest].concat()
}

fn filtered(lacks: &str, filter: &[SockFilter]) {
    let program = [Op::NoNewPrivs, Op::Seccomp(filter)];
    on(lacks, Poorer { namespaces: 0, init: &[], program: &program });
}

fn on(lacks: &str, host: Poorer<'_>) {
    let passed = ["PATH", "HOME", "TMPDIR", "BELLJAR_MUST"].map(|name| (name, std::env::var_os(name)));
    let mut variables: Vec<(&str, OsString)> =
        passed.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    variables.push((LACKS, lacks.into()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
    poorer::run("hosts::inside", &variables, host);
}

/// Not a test: what the poorer host runs.
#[test]
#[ignore = "started by the other tests"]
fn inside() {
    let lacks = std::env::var(LACKS).expect("started by the other tests");
    let host = HOSTS.iter().find(|host| host.lacks == lacks).expect("a host");
    let facts = belljar::probe::probe();
    let poor = (facts.userns != Userns::Available, facts.landlock == 0);
    assert_eq!(
        poor,
        (lacks.contains("namespaces") || lacks == "both", lacks == "landlock" || lacks == "both")
    );
    gaps_are_accepted_by_name(host);
    let zygote = builder(host).start().unwrap();
    nothing_is_reached(&zygote);
    neighbours_are_not_ended(&zygote);
    drop(zygote);
    a_pool_goes_on(host);
    crate::cycles::settles(0);
}

type Builder = belljar::worker::Builder<Act, Outcome, acts::Questions>;

fn builder_under(policy: &Policy) -> Builder {
    let builder = Zygote::builder(policy, &acts::ACTS).program(program("worker_acts"));
    builder.limits(Limits::memory(64 << 20))
}

fn builder(host: &Host) -> Builder {
    builder_under(&accepting(host.gaps))
}

fn accepting(gaps: &[&str]) -> Policy {
    let accept = |policy: Policy, gap: &&str| policy.set("allow-weaker", gap).unwrap();
    gaps.iter().fold(Policy::none(), accept)
}

/// With one of the gaps missing from the list nothing starts, and the error names it.
fn gaps_are_accepted_by_name(host: &Host) {
    for missing in host.gaps {
        let others: Vec<&str> = host.gaps.iter().copied().filter(|gap| gap != missing).collect();
        let refused = builder_under(&accepting(&others)).start().unwrap_err();
        let WorkerError::Start(StartError::Plan(PlanError::NotEnforceable { gaps })) = &refused else {
            panic!("{}: {missing}: {refused:?}", host.lacks)
        };
        assert_eq!(gaps.iter().map(|gap| gap.subject.to_string()).collect::<Vec<_>>(), [*missing]);
    }
}

/// Each works without belljar, and fails with `EPERM` in a worker.
fn nothing_is_reached(zygote: &Zygote<Act, Outcome, acts::Questions>) {
    let place = Place::new();
    for attack in on_host(&place) {
        assert!(!matches!(alone(&attack), Outcome::Refused(_)), "{attack:?} works without belljar");
        let outcome = zygote.spawn().unwrap().call(&attack, LONG).unwrap();
        assert!(matches!(outcome, Outcome::Refused(1)), "{attack:?}: {outcome:?}");
    }
}

/// Neither a sibling, nor the zygote, nor this process: without a pid namespace a worker sees every number of the host.
fn neighbours_are_not_ended(zygote: &Zygote<Act, Outcome, acts::Questions>) {
    let (mut worker, mut sibling) = (zygote.spawn().unwrap(), zygote.spawn().unwrap());
    let outside = [std::process::id(), crate::cycles::pid(&sibling)].map(u32::cast_signed);
    let victim = i32::try_from(number(&mut sibling, Act::Pid)).unwrap();
    for pid in outside.into_iter().chain([1, 2, victim]) {
        let outcome = worker.call(&Act::Kill(pid), LONG).unwrap();
        assert!(matches!(outcome, Outcome::Refused(1)), "{pid}: {outcome:?}");
    }
    assert_eq!(number(&mut sibling, Act::Warmed(7)), 49);
    assert_eq!(number(&mut zygote.spawn().unwrap(), Act::Warmed(8)), 64);
}

fn a_pool_goes_on(host: &Host) {
    let pool = Pool::builder(&accepting(host.gaps), &acts::ACTS).limits(Limits::memory(64 << 20));
    let pool = pool.workers(|workers| workers.program(program("worker_acts"))).size(2).start().unwrap();
    assert!(matches!(pool.call(&Act::Abort, LONG), Err(WorkerError::Crashed { .. })));
    assert!(matches!(pool.call(&Act::Panic, LONG), Err(WorkerError::Panicked { .. })));
    let late = pool.call(&Act::Spin, Duration::from_millis(30));
    assert!(matches!(late, Err(WorkerError::TimedOut { .. })), "{late:?}");
    assert!(matches!(pool.call(&Act::Allocate(1 << 40), LONG), Err(WorkerError::OutOfMemory { .. })));
    let forged = pool.call(&Act::Forge(acts::Forgery::Noise), LONG);
    assert!(matches!(forged, Err(WorkerError::Protocol(_))), "{forged:?}");
    crate::pools::kill_zygote();
    assert!(matches!(pool.call(&Act::Warmed(3), LONG), Ok(Outcome::Number(9))));
    assert_eq!(pool.stats().restarted, 1);
}
