//! Hosts without user namespaces: by the limit of an outer namespace, by a container's filter, by facts. Landlock and
//! the filter hold what they can, the rest is refused by name. Judged from outside; each attack first does its harm
//! without a jar.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "test program"
)]

#[path = "../support/mod.rs"]
mod support;

mod files;
mod services;

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use belljar::error::{PlanError, StartError};
use belljar::probe::Userns;
use belljar::report::{Layer, Verdict};
use belljar::{Command, HostFacts};
use belljar_sys::Op;
use files::*;
use services::*;
use support::jars::{self, Place};
use support::poorer::{self, MOUNT, Poorer, USER};
use support::{has, has_python, watch};

/// What is done on a host without user namespaces.
type Scenario = fn(&HostFacts);

/// Not a test: what the poorer host runs.
#[test]
#[ignore = "started by the other tests"]
fn inside() {
    let name = std::env::var("BELLJAR_SCENARIO").expect("started by the other tests");
    let facts = belljar::probe::probe();
    assert_ne!(facts.userns, Userns::Available, "the host is poorer");
    SCENARIOS.iter().find(|row| row.0 == name).expect("a scenario").1(&facts);
}

fn start(scenario: &str, host: Poorer<'_>) {
    let passed = ["PATH", "HOME", "TMPDIR", "BELLJAR_MUST"].map(|name| (name, std::env::var_os(name)));
    let mut variables: Vec<(&str, OsString)> =
        passed.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    variables.push(("BELLJAR_SCENARIO", scenario.into()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
    poorer::run("inside", &variables, host);
}

/// `user.max_user_namespaces` is 0 in an outer user namespace.
fn by_limit(scenario: &str) {
    if support::has_userns() {
        let init = [Op::MountPrivate, Op::LimitNamespaces { inside: false }];
        start(scenario, Poorer { namespaces: USER | MOUNT, init: &init, program: &[] });
    }
}

/// A container engine's filter.
fn by_filter(scenario: &str) {
    let filter = poorer::container_filter();
    let program = [Op::NoNewPrivs, Op::Seccomp(&filter)];
    start(scenario, Poorer { namespaces: 0, init: &[], program: &program });
}

/// Facts alone.
fn by_facts(scenario: Scenario) {
    let mut facts = belljar::probe::probe();
    facts.userns = Userns::Refused;
    scenario(&facts);
}

macro_rules! scenarios {
    ($($name:ident;)*) => {
        const SCENARIOS: &[(&str, Scenario)] = &[$((stringify!($name), $name)),*];

        mod limit {
            $(#[test] fn $name() { super::by_limit(stringify!($name)); })*
        }
        mod filter {
            $(#[test] fn $name() { super::by_filter(stringify!($name)); })*
        }
        mod facts {
            $(#[test] fn $name() { super::by_facts(super::$name); })*
        }
    };
}

scenarios! {
    the_default_policy_is_refused_and_says_what_would_accept_it;
    what_is_granted_works_and_nothing_is_made_on_the_host;
    reading_outside_is_refused;
    a_hidden_file_in_a_granted_folder_is_refused;
    writing_outside_is_refused;
    attributes_outside_stay;
    ways_of_opening_outside_are_refused;
    a_file_that_may_be_read_is_not_emptied;
    narrower_grants_below_a_grant_for_reading_hold;
    sockets_are_refused;
    answers_of_services_stop_the_start;
    services_that_are_grants_are_held;
    what_the_self_probe_is_refused_is_not_told;
    what_is_nowhere_is_not_told_as_refused;
    queues_and_shared_memory_are_refused;
    signals_to_processes_outside_are_refused;
    schedules_of_processes_outside_stay;
    watching_folders_outside_is_refused;
    every_right_is_given_up;
    nothing_outlives_the_program;
    nothing_outlives_the_supervisor;
}

/// What the user must accept to get anything at all here.
fn weaker(facts: &HostFacts) -> Vec<(&'static str, &'static str)> {
    let mut flags = vec![("--allow-weaker", "fs")];
    if facts.landlock < 6 {
        flags.push(("--allow-weaker", "ipc"));
    }
    flags
}

/// A script in a jar that may write to the granted folder.
fn jar(facts: &HostFacts, place: &Place, script: &str) -> Command {
    let granted = place.granted();
    jar_under(facts, place, &[("-w", granted.to_str().unwrap())], script)
}

fn jar_under(facts: &HostFacts, place: &Place, flags: &[(&str, &str)], script: &str) -> Command {
    let mut command = jars::shell(place, &[&weaker(facts)[..], flags].concat(), script);
    command.host(facts.clone());
    command
}

/// The script does its harm without a jar, and none in one.
fn refused(facts: &HostFacts, script: &str, harmed: fn(&Place, &str) -> bool) {
    let place = Place::new();
    let printed = jars::control(&place, script);
    assert!(harmed(&place, &printed), "the attack does not work: {script}: {printed}");
    let place = Place::new();
    let done = jars::finish(&mut jar(facts, &place, script)).unwrap();
    assert!(!harmed(&place, &done.out), "{script}: {done:?}");
}

fn the_default_policy_is_refused_and_says_what_would_accept_it(facts: &HostFacts) {
    let place = Place::new();
    let mut command = jars::shell(&place, &[("-w", ".")], "touch $G/run");
    let error = command.host(facts.clone()).spawn().unwrap_err();
    let StartError::Plan(plan @ PlanError::NotEnforceable { gaps }) = &error else { panic!("{error}") };
    assert!(gaps.iter().any(|gap| gap.subject == "fs" && gap.why.contains("exist")), "{gaps:?}");
    assert!(plan.hint().contains("--allow-weaker fs"), "{}", plan.hint());
    let report = command.run();
    assert_eq!((report.verdict, report.verdict.exit_code()), (Verdict::SetupFailed, 125));
    assert!(
        report.reason.contains("cannot enforce") && report.hint.contains("--allow-weaker fs"),
        "{report:?}"
    );
    assert_eq!(Place::names(&place.granted()), ["victim"], "nothing was run");
}

fn what_is_granted_works_and_nothing_is_made_on_the_host(facts: &HostFacts) {
    let place = Place::new();
    let script = "cat $G/victim && echo new > $G/new && mkdir $G/folder && mv $G/new $G/folder/ && ls /usr && cat /etc/passwd";
    let done = jars::finish(&mut jar(facts, &place, script)).unwrap();
    assert_eq!(done.report.verdict, Verdict::Exited { code: 0 }, "{done:?}");
    assert!(done.out.starts_with("unharmed") && done.out.contains("root:"), "{done:?}");
    assert_eq!(Place::names(&place.granted()), ["folder", "victim"]);
    assert_eq!(Place::names(place.path()), ["granted", "outside"]);
    let rows = &done.report.enforced;
    assert!(rows.iter().any(|row| row.gap.is_some()), "the report says what is weaker");
    assert!(rows.iter().all(|row| !row.layers.contains(&Layer::Namespaces)), "and claims no namespace");
}

/// A listener outside that says what it was told.
const LISTENERS: &str = "import os, socket, sys
made = {'inet': lambda: socket.socket(), 'unix': lambda: socket.socket(socket.AF_UNIX)}
kind, at = sys.argv[1], sys.argv[2]
s = made[kind]()
s.settimeout(3)
s.connect(('127.0.0.1', int(at)) if kind == 'inet' else at.replace('@', chr(0)))
s.send(b'harm')";

fn sockets_are_refused(facts: &HostFacts) {
    if !has_python() {
        return;
    }
    let place = Place::new();
    let path = place.granted().join("socket");
    let inet = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
    jars::file(&place.granted().join("client"), LISTENERS);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    inet.set_nonblocking(true).unwrap();
    unix.set_nonblocking(true).unwrap();
    let port = inet.local_addr().unwrap().port();
    let script = format!("python3 $G/client inet {port}; python3 $G/client unix $G/socket");
    let heard = || (inet.accept().is_ok(), unix.accept().is_ok());
    jars::control(&place, &script);
    assert_eq!(heard(), (true, true), "without a jar both are reached");
    let done = jars::finish(&mut jar(facts, &place, &script)).unwrap();
    assert_eq!(heard(), (false, false), "{done:?}");
    assert_eq!(done.err.matches("PermissionError").count(), 2, "{done:?}");
}

fn queues_and_shared_memory_are_refused(facts: &HostFacts) {
    if !has_python() {
        return;
    }
    for (call, arguments) in
        [("shmget", "0, 4096, 0o1666"), ("semget", "0, 1, 0o1666"), ("msgget", "0, 0o1666")]
    {
        let script = format!(
            "python3 -c 'import ctypes as c; l=c.CDLL(None); i=l.{call}({arguments}); print(\"made\" if i>=0 else \"no\"); \
             l.shmctl(i,0,0) if \"{call}\"==\"shmget\" else l.semctl(i,0,0) if \"{call}\"==\"semget\" else l.msgctl(i,0,0)'"
        );
        refused(facts, &script, |_, printed| printed.contains("made"));
    }
}

fn schedules_of_processes_outside_stay(facts: &HostFacts) {
    for jarred in [false, true] {
        let mark = watch::mark();
        let mut victim = jars::as_jar_user("/bin/sleep").arg(&mark).spawn().unwrap();
        // Until then it is not yet a process of the jar's user.
        assert!(watch::within(watch::LONG, || !watch::marked(&mark).is_empty()));
        let place = Place::new();
        let before = schedule(victim.id());
        let script = format!("renice -n 19 -p {0}; chrt --idle -p 0 {0}", victim.id());
        if jarred {
            jars::finish(&mut jar(facts, &place, &script)).unwrap();
        } else {
            jars::control(&place, &script);
        }
        let after = schedule(victim.id());
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_eq!(after, if jarred { before } else { ["19", "5"].map(str::to_owned) });
    }
}

/// Nice value and scheduling class of a process.
fn schedule(process: u32) -> [String; 2] {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    [16, 38].map(|field| fields[field].to_owned())
}

fn watching_folders_outside_is_refused(facts: &HostFacts) {
    if !has_python() {
        return;
    }
    let script = "python3 -c 'import ctypes as c, sys; l=c.CDLL(None); \
        print(\"watched\" if l.inotify_add_watch(l.inotify_init1(0), sys.argv[1].encode(), 4095) > 0 else \"no\")' $G/..";
    refused(facts, script, |_, printed| printed.contains("watched"));
}

fn signals_to_processes_outside_are_refused(facts: &HostFacts) {
    if !has("landlock:6", facts.landlock >= 6) {
        return;
    }
    for jarred in [false, true] {
        let mut victim = jars::as_jar_user("/bin/sleep").arg(watch::mark()).spawn().unwrap();
        let place = Place::new();
        let script = format!("sleep 0.1; kill -9 {}", victim.id());
        if jarred {
            let done = jars::finish(&mut jar(facts, &place, &script)).unwrap();
            assert!(done.err.contains("not permitted"), "{done:?}");
        } else {
            jars::control(&place, &script);
        }
        let limit = if jarred { Duration::from_millis(50) } else { watch::LONG };
        let died = watch::within(limit, || victim.try_wait().unwrap().is_some());
        assert_eq!(died, !jarred);
        drop(victim.kill());
        victim.wait().unwrap();
    }
}

fn every_right_is_given_up(facts: &HostFacts) {
    let place = Place::new();
    let mark = watch::mark();
    let mut child = jar(facts, &place, &format!("exec sleep {mark}")).spawn().unwrap();
    assert!(watch::within(watch::LONG, || !watch::marked(&mark).is_empty()));
    let pid = watch::marked(&mark)[0];
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(watch::status(pid, set), "0000000000000000", "{set}");
    }
    assert_eq!(watch::status(pid, "NoNewPrivs"), "1");
    assert_eq!(watch::status(pid, "Seccomp"), "2");
    assert!(!watch::status(pid, "Uid").split_whitespace().any(|uid| uid == "0"));
    assert!(!support::is_root() || watch::status(pid, "Groups").is_empty());
    child.kill().unwrap();
    assert!(watch::marked(&mark).is_empty());
}

/// Not a test: an ordinary user who holds a capability.
#[test]
#[ignore = "started by the other tests"]
fn capable() {
    let own = std::process::id().try_into().unwrap();
    assert_ne!(watch::status(own, "CapAmb"), "0000000000000000", "started by the other tests");
    by_facts(every_right_is_given_up);
}

#[test]
fn capabilities_of_an_ordinary_caller_are_given_up_too() {
    if has("root", support::is_root()) {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=+net_raw"]);
        command.arg("--ambient-caps=+net_raw").arg(std::env::current_exe().unwrap());
        let output = command.args(["capable", "--exact", "--ignored"]).env("HOME", "/").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn nothing_outlives_the_program(facts: &HostFacts) {
    let place = Place::new();
    let mark = watch::mark();
    let script = format!("setsid sleep {mark} >&- 2>&- & (sleep {mark} >&- 2>&- &) ; sleep 0.2");
    jars::control(&place, &script);
    let left = watch::marked(&mark);
    assert_eq!(left.len(), 2, "without a jar both live on");
    watch::end(&left);
    let done = jars::finish(&mut jar(facts, &place, &script)).unwrap();
    assert!(watch::marked(&mark).is_empty(), "{done:?}");
}

/// Not a test: a supervisor to be killed. Without a jar when there is no host to run it on.
#[test]
#[ignore = "started by the other tests"]
fn supervise() {
    let facts = std::env::var("BELLJAR_FACTS").expect("started by the other tests");
    let mark = std::env::var("BELLJAR_MARK").unwrap();
    let script = format!("setsid sleep {mark} & sleep {mark} & sleep {mark}");
    let place = Place::new();
    if facts == "none" {
        jars::control(&place, &script);
        return;
    }
    let facts: HostFacts = serde_json::from_str(&facts).unwrap();
    drop(jars::finish(&mut jar(&facts, &place, &script)));
}

fn nothing_outlives_the_supervisor(facts: &HostFacts) {
    let told = serde_json::to_string(facts).unwrap();
    for (facts, survive) in [("none", true), (told.as_str(), false)] {
        let (mark, place) = (watch::mark(), Place::new());
        let mut supervisor = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["supervise", "--exact", "--ignored"])
            .env("BELLJAR_FACTS", facts)
            .env("BELLJAR_MARK", &mark)
            .env(jars::PLACES, place.outside())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let all = || watch::marked(&mark).len() == 3;
        assert!(watch::within(watch::LONG, all), "{:?}", watch::marked(&mark));
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
        let limit = if survive { Duration::from_millis(200) } else { watch::LONG };
        let gone = watch::within(limit, || watch::marked(&mark).is_empty());
        let left = watch::marked(&mark);
        watch::end(&left);
        assert_eq!(gone, !survive, "{left:?}");
    }
}
