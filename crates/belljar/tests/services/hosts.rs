//! Services on hosts that let nobody make namespaces: each start says what is missing, and nothing of it was begun.

use std::ffi::OsString;
use std::fs::File;

use belljar::error::{PlanError, StartError};
use belljar::probe::Userns;
use belljar::service::{
    Amount, Dns, FileArgs, Level, Log, LogLimit, Net, Only, Random, Remote, ServiceError, Time, Users,
};
use belljar_sys::Op;

use crate::able;
use crate::support::jars::{Place, file};
use crate::support::poorer::{self, MOUNT, Poorer, USER};

#[test]
fn without_user_namespaces_by_limit() {
    if able() {
        let init = [Op::MountPrivate, Op::LimitNamespaces { inside: false }];
        on(Poorer { namespaces: USER | MOUNT, init: &init, program: &[] });
    }
}

#[test]
fn without_user_namespaces_by_filter() {
    let filter = poorer::container_filter();
    on(Poorer { namespaces: 0, init: &[], program: &[Op::NoNewPrivs, Op::Seccomp(&filter)] });
}

fn on(host: Poorer<'_>) {
    let passed = ["PATH", "HOME", "TMPDIR", "BELLJAR_MUST"].map(|name| (name, std::env::var_os(name)));
    let variables: Vec<(&str, OsString)> =
        passed.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
    poorer::run("hosts::inside", &variables, host);
}

type Start = fn(&Place) -> Result<(), ServiceError>;

/// Each service with its name.
const STARTS: &[(&str, Start)] = &[
    ("fileargs", |place| FileArgs::start([place.granted().join("victim")]).map(drop)),
    ("dns", |_| Dns::start(["localhost"]).map(drop)),
    ("net", |_| Net::start([Remote::new("localhost", 9)]).map(drop)),
    ("users", |_| Users::start(Only::All).map(drop)),
    ("time", |_| Time::start(Only::All).map(drop)),
    ("random", |_| Random::start(Amount::Bytes(9)).map(drop)),
    ("log", |place| {
        let to = File::options().append(true).open(place.granted().join("log")).unwrap();
        Log::start("program", to, LogLimit::upto(Level::Notice)).map(drop)
    }),
];

/// Threads, descriptors and children of this process.
fn own() -> [usize; 3] {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let children = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    [count("task"), count("fd"), children.split_whitespace().count()]
}

/// Not a test: what the poorer host runs.
#[test]
#[ignore = "started by the other tests"]
fn inside() {
    let facts = belljar::probe::probe();
    assert_ne!(facts.userns, Userns::Available, "started by the other tests");
    let place = Place::new();
    file(&place.granted().join("log"), "before\n");
    for (name, start) in STARTS {
        let before = own();
        let error = start(&place).unwrap_err();
        let ServiceError::Start(StartError::Plan(PlanError::NeedsUserns { rule, .. })) = &error else {
            panic!("{name}: {error:?}")
        };
        assert_eq!(rule, &format!("service {name}"));
        assert!(error.to_string().contains("needs user namespaces, which this host refuses"), "{error}");
        let ServiceError::Start(start) = error else { continue };
        assert!(start.hint(&facts).contains("belljar doctor"), "{}", start.hint(&facts));
        assert_eq!(own(), before, "{name} has left something");
    }
    let log = std::fs::read_to_string(place.granted().join("log")).unwrap();
    assert_eq!(log, "before\n");
}
