//! Questions about hosts, on a host with namespaces and on one without: the same questions, and the same comes of the answers.

use belljar::HostFacts;
use belljar::ask::{Ask, PolicyFile, Way};
use serde_json::Value;

use super::conformance::{self, WEAKER};
use super::relayed::{can_relay, poorer};
use super::support::jars::{self, Place};
use super::support::user;
use super::{ASK, Server};

/// What one run with a user who answers has shown.
#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) out: String,
    pub(super) asked: Vec<String>,
    /// Verdict, object and rule of each event about a connection.
    told: Vec<String>,
    pub(super) saved: String,
}

pub(super) fn run(
    facts: Option<HostFacts>,
    flags: &[(&str, &str)],
    answers: &'static [&'static str],
    script: &str,
) -> Shown {
    let place = Place::new();
    let (user, saved) = (place.path().join("ask"), place.path().join("mine.toml"));
    let asked = user::answering(&user, answers);
    std::fs::write(place.granted().join("script.py"), format!("{ASK}\n{script}")).unwrap();
    let flags = [flags, if facts.is_some() { &WEAKER } else { &[] }].concat();
    let mut command = jars::shell(&place, &flags, "exec python3 script.py");
    let mut ask = Ask::new(Way::Socket(user));
    command.ask(ask.save(PolicyFile { path: saved.clone(), bases: Vec::new() }).clone());
    if let Some(facts) = facts {
        command.host(facts);
    }
    let done = jars::finish(&mut command).unwrap();
    assert_eq!(done.report.verdict.exit_code(), 0, "{done:?}");
    let events = done.report.events.iter().filter(|event| event.call == "connect");
    let mut told: Vec<String> =
        events.map(|event| format!("{:?} {} {}", event.verdict, event.object, event.rule)).collect();
    told.sort();
    let saved = std::fs::read_to_string(saved).unwrap_or_default();
    let object = |asked: Value| format!("{} {}", asked["kind"], asked["object"]).replace('"', "");
    Shown { out: done.out, asked: asked.try_iter().map(object).collect(), told, saved }
}

/// The same on every kind of host; what it was.
pub(super) fn everywhere(flags: &[(&str, &str)], answers: &'static [&'static str], script: &str) -> Shown {
    let [rich, poor, bare, poorest] =
        conformance::hosts().map(|(_, facts)| run(Some(facts), flags, answers, script));
    for other in [&poor, &bare, &poorest] {
        assert_eq!((&rich.out, &rich.asked), (&other.out, &other.asked));
    }
    poorest
}

const HOSTS: [(&str, &str); 2] = [("--host", "a.test=127.0.0.1"), ("--host", "b.test=127.0.0.1")];

#[test]
fn an_answer_opens_one_host_at_one_port_for_this_run() {
    if !can_relay() {
        return;
    }
    let (server, other) = (Server::start("wanted"), Server::start("other"));
    let (port, closed) = (server.port, other.port);
    let script = format!(
        "print(ask('a.test', {port}), ask('A.Test.', {port}), ask('a.test', {closed}), ask('a.test', {closed}), ask('b.test', {port}))"
    );
    let shown = everywhere(&HOSTS, &["once", "never", "never"], &script);
    assert_eq!(shown.out, "wanted wanted ECONNREFUSED ECONNREFUSED ECONNREFUSED\n", "{shown:?}");
    let asked = [("a.test", port), ("a.test", closed), ("b.test", port)];
    assert_eq!(shown.asked, asked.map(|(name, port)| format!("connect {name}:{port}")), "each once");
    let granted = format!("Granted a.test:{port} granted once");
    let refused = format!("Denied a.test:{closed} refused by the user");
    assert!(shown.told.contains(&granted) && shown.told.contains(&refused), "{shown:?}");
    assert_eq!((server.visits(), other.visits(), shown.saved.as_str()), (8, 0, ""), "two of each run");
}

#[test]
fn what_is_always_granted_is_a_line_with_which_a_later_run_connects() {
    if !can_relay() {
        return;
    }
    let server = Server::start("wanted");
    let (script, grant) =
        (format!("print(ask('a.test', {}))", server.port), format!("a.test:{}", server.port));
    let shown = run(Some(poorer()), &HOSTS, &["always"], &script);
    assert_eq!(shown.out, "wanted\n", "{shown:?}");
    assert!(shown.saved.contains(&format!("\"{grant}\"")), "{shown:?}");
    let later = run(Some(poorer()), &[&HOSTS[..], &[("-n", &grant)]].concat(), &[], &script);
    assert_eq!((later.out.as_str(), later.asked.len(), server.visits()), ("wanted\n", 0, 2), "{later:?}");
}

#[test]
fn no_answer_can_grant_what_trusts_its_neighbours() {
    if !can_relay() {
        return;
    }
    let server = Server::start("wanted");
    let port = server.port;
    let script = format!(
        "hosts = [('169.254.169.254', 80), ('::ffff:169.254.169.254', 80), ('10.0.0.1', 443), ('192.168.1.1', {port}),
    ('127.0.0.1', {port}), ('localhost', {port}), ('::1', {port}), ('fd00::1', 443), ('64:ff9b::10.0.0.1', {port}),
    ('198.18.0.99', 80), ('metadata.google.internal', 80), ('printer', 631), ('nas.local', 445), ('b.test', {port})]
print(*['%s %s\\n' % (host, ask(host, port)) for host, port in hosts])"
    );
    let rules = [("--deny-net", "b.test"), ("-n", "c.test:1"), ("--reach", "localhost:9")];
    let shown = everywhere(&[&HOSTS[..], &rules].concat(), &["always"; 20], &script);
    let lines: Vec<&str> = shown.out.lines().filter(|line| !line.trim().is_empty()).collect();
    let refused = |line: &&&str| line.ends_with("ECONNREFUSED") || line.ends_with("no such name");
    assert_eq!((lines.len(), lines.iter().filter(refused).count()), (14, 14), "{shown:?}");
    assert_eq!((shown.asked.len(), shown.saved.as_str(), server.visits()), (0, "", 0), "{shown:?}");
}

#[test]
fn whoever_wrote_that_there_is_no_network_is_not_asked() {
    if !can_relay() {
        return;
    }
    let server = Server::start("wanted");
    let script = format!(
        "
try: print(ask('a.test', {0}), ask('93.184.216.34', {0}))
except OSError: print('no sockets')",
        server.port
    );
    let shown = run(Some(poorer()), &[&HOSTS[..], &[("-n", "none")]].concat(), &["always"; 9], &script);
    assert_eq!((shown.out.as_str(), shown.asked.len(), server.visits()), ("no sockets\n", 0, 0));
}

#[test]
fn proxies_ask_as_well() {
    if !can_relay() {
        return;
    }
    let server = Server::start("wanted");
    let script = format!(
        "import urllib.request, urllib.error
def get(host):
    try:
        return urllib.request.urlopen('http://' + host + ':{}/', timeout=20).read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code)
print(get('a.test'), get('b.test'))",
        server.port
    );
    let flags = [&HOSTS[..], &[("--proxy", ""), ("-n", "c.test:1")]].concat();
    let shown = everywhere(&flags, &["once", "never"], &script);
    assert_eq!((shown.out.as_str(), shown.asked.len(), server.visits()), ("wanted 403\n", 2, 4), "{shown:?}");
}

/// Nobody answers: the one who asked waits, others go on.
#[test]
fn who_waits_for_an_answer_waits_alone() {
    if !can_relay() {
        return;
    }
    let server = Server::start("wanted");
    let script = format!(
        "import os, threading, time
waits = threading.Thread(target=ask, args=('b.test', {0}))
waits.start()
time.sleep(0.3)
print(ask('c.test', {0}), waits.is_alive(), flush=True)
os._exit(0)",
        server.port
    );
    let grant = format!("c.test:{}", server.port);
    let flags = [("-n", grant.as_str()), ("--host", "c.test=127.0.0.1"), HOSTS[1]];
    let shown = run(Some(poorer()), &flags, &[], &script);
    assert_eq!((shown.out.as_str(), server.visits()), ("wanted True\n", 1), "{shown:?}");
    assert_eq!(shown.asked, [format!("connect b.test:{}", server.port)]);
}
