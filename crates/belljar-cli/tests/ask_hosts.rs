//! Questions about hosts: what an answer lets a jar reach, and what none can.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;
#[path = "../../belljar/tests/support/server.rs"]
mod server;
#[path = "seen/stage.rs"]
mod stage;

use seen::{belljar, json};
use server::Server;
use stage::Stage;

/// Says what a server answered, or why there was none; `slow` leaves the socket non-blocking.
const GET: &str = r"
import socket, errno, select, sys
def get(host, port, slow=False):
    try:
        address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    except socket.gaierror:
        return 'no such name'
    s = socket.socket(address[0], socket.SOCK_STREAM)
    s.settimeout(20)
    s.setblocking(not slow)
    try:
        code = s.connect_ex(address[4])
        if code == errno.EINPROGRESS:
            select.select([], [s], [], 20)
            code = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return errno.errorcode[code]
        s.settimeout(20)
        s.sendall(b'GET / HTTP/1.0\r\n\r\n')
        return s.recv(4096).decode().split()[-1]
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
";

fn is_ready() -> bool {
    seen::is_ready(&["--require=net=namespaces", "--", "python3", "-c", "1"])
}

fn get(stage: &Stage, more: &[&str], script: &str) -> seen::Seen {
    let script = format!("python3 - <<'END'\n{GET}\n{script}\nEND\n");
    stage.run(more, &script)
}

fn objects(stage: &Stage) -> Vec<String> {
    let one = |asked: &serde_json::Value| {
        format!("{} {}", asked["kind"].as_str().unwrap(), asked["object"].as_str().unwrap())
    };
    stage.questions().iter().map(one).collect()
}

#[test]
fn an_answer_opens_one_host_at_one_port_for_this_run() {
    if !is_ready() {
        return;
    }
    let (server, other) = (Server::start("mirror"), Server::start("mirror"));
    let stage = Stage::new("host-once", &["once", "never", "never"]);
    let (port, closed) = (server.port, other.port);
    let script = format!(
        "print(get('mirror.test', {port}), get('Mirror.Test.', {port}, True), get('mirror.test', {closed}), \
         get('mirror.test', {closed}), get('other.test', {port}))"
    );
    let hosts = ["--host=mirror.test=127.0.0.1", "--host=other.test=127.0.0.1"];
    let seen = get(&stage, &hosts, &script);
    assert_eq!(seen.out, "mirror mirror ECONNREFUSED ECONNREFUSED ECONNREFUSED\n", "{seen:?}");
    let asked = [
        format!("connect mirror.test:{port}"),
        format!("connect mirror.test:{closed}"),
        format!("connect other.test:{port}"),
    ];
    assert_eq!(objects(&stage), asked, "each once");
    assert_eq!((server.visits(), other.visits()), (2, 0));
    let report = json(&stage.path("report"));
    let events: Vec<String> = report["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            format!(
                "{} {} {}",
                event["verdict"].as_str().unwrap(),
                event["object"].as_str().unwrap(),
                event["rule"].as_str().unwrap()
            )
        })
        .collect();
    assert!(events.contains(&format!("granted mirror.test:{port} granted once")), "{events:?}");
    assert!(events.contains(&format!("denied mirror.test:{closed} refused by the user")), "{events:?}");
    assert!(!stage.path("mine.toml").try_exists().unwrap());
}

#[test]
fn what_is_always_granted_is_a_line_with_which_a_later_run_connects() {
    if !is_ready() {
        return;
    }
    let server = Server::start("mirror");
    let stage = Stage::new("host-always", &["always"]);
    let script = format!("print(get('mirror.test', {}))", server.port);
    let host = "--host=mirror.test=127.0.0.1";
    let seen = get(&stage, &[host], &script);
    assert_eq!(seen.out, "mirror\n", "{seen:?}");
    let text = std::fs::read_to_string(stage.path("mine.toml")).unwrap();
    assert!(text.contains(&format!("\"mirror.test:{}\"", server.port)), "{text}");
    assert!(text.contains("# allowed when asked, 20"), "{text}");
    let policy = format!("--policy={}", stage.path("mine.toml").display());
    let program = format!("{GET}\n{script}");
    let later = belljar(["run", &policy, host, "--", "python3", "-c", &program]);
    assert_eq!((later.status, later.out.as_str()), (0, "mirror\n"), "{later:?}");
    assert_eq!(server.visits(), 2);
}

#[test]
fn no_answer_can_grant_what_trusts_its_neighbours() {
    if !is_ready() {
        return;
    }
    let server = Server::start("mirror");
    let stage = Stage::new("host-never", &["always"; 20]);
    let port = server.port;
    let script = format!(
        "for host, port in [('169.254.169.254', 80), ('::ffff:169.254.169.254', 80), ('10.0.0.1', 443), ('192.168.1.1', {port}),
        ('127.0.0.1', {port}), ('localhost', {port}), ('::1', {port}), ('fd00::1', 443), ('198.18.0.99', 80),
        ('metadata.google.internal', 80), ('printer', 631), ('nas.local', 445), ('denied.test', {port})]:
    print(host, get(host, port))"
    );
    let seen = get(&stage, &["--deny-net=denied.test", "--net=a.test:1"], &script);
    let reached: Vec<&str> = seen
        .out
        .lines()
        .filter(|line| !line.ends_with("ECONNREFUSED") && !line.ends_with("no such name"))
        .collect();
    assert_eq!((seen.out.lines().count(), reached), (13, Vec::new()), "{seen:?}");
    assert_eq!(objects(&stage), Vec::<String>::new());
    assert_eq!(server.visits(), 0);
}

#[test]
fn whoever_wrote_that_there_is_no_network_is_not_asked() {
    if !is_ready() {
        return;
    }
    let server = Server::start("mirror");
    let stage = Stage::new("host-none", &["always"; 9]);
    let script = format!("print(get('mirror.test', {0}), get('93.184.216.34', {0}))", server.port);
    let seen = get(&stage, &["--net=none"], &script);
    assert_eq!(seen.out, "no such name ENETUNREACH\n", "{seen:?}");
    assert_eq!((objects(&stage).len(), server.visits()), (0, 0));
}

#[test]
fn proxies_ask_as_well() {
    if !is_ready() {
        return;
    }
    let server = Server::start("mirror");
    let stage = Stage::new("host-proxy", &["once", "never"]);
    let script = format!(
        "import os, urllib.request, urllib.error
def ask(host):
    try:
        return urllib.request.urlopen('http://' + host + ':{}/', timeout=20).read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code)
print(ask('mirror.test'), ask('other.test'))",
        server.port
    );
    let more = ["--proxy", "--host=mirror.test=127.0.0.1", "--host=other.test=127.0.0.1", "--net=a.test:1"];
    let seen = get(&stage, &more, &script);
    assert_eq!(seen.out, "mirror 403\n", "{seen:?}");
    let questions = stage.questions();
    assert_eq!(questions.len(), 2);
    for asked in &questions {
        assert!(asked["program"].as_str().unwrap().contains("/python3"), "{asked}");
        assert!(asked["pid"].is_u64() && asked["call"] == "HTTP proxy", "{asked}");
    }
    assert_eq!(server.visits(), 1);
}

#[test]
fn a_flood_of_hosts_is_refused_after_a_few_questions_and_files_count_with_it() {
    if !is_ready() {
        return;
    }
    let server = Server::start("mirror");
    let stage = Stage::new("host-flood", &["never"; 40]);
    let script = format!(
        "for n in range(12):
    try: open('{}/host/a' if n % 2 else '{}/host/b')
    except OSError: pass
print({{get('h%d.test' % n, {}) for n in range(60)}})",
        stage.folder.path().display(),
        stage.folder.path().display(),
        server.port
    );
    let seen = get(&stage, &[], &script);
    assert_eq!(seen.out, "{'ECONNREFUSED'}\n", "{seen:?}");
    assert_eq!((objects(&stage).len(), server.visits()), (20, 0), "two files and eighteen hosts");
}

#[test]
fn the_jars_own_servers_are_nobodys_business() {
    if !is_ready() {
        return;
    }
    let stage = Stage::new("host-own", &["always"; 9]);
    let script = "import threading
l = socket.create_server(('', 0)); port = l.getsockname()[1]
def serve():
    for _ in range(3): c, _a = l.accept(); c.recv(99); c.sendall(b'own'); c.close()
threading.Thread(target=serve, daemon=True).start()
u, v = socket.socketpair(); u.send(b'x')
d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); d.connect(('192.0.2.7', 9))
print(get('127.0.0.1', port), get('::ffff:127.0.0.1', port), get('127.0.0.9', port, True), d.getpeername())";
    let seen = get(&stage, &[], script);
    assert_eq!(seen.out, "own own own ('192.0.2.7', 9)\n", "{seen:?}");
    assert_eq!(objects(&stage), Vec::<String>::new());
}
