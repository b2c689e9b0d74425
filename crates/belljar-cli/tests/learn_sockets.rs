//! Learning services of the host behind unix sockets: a program that looked for one in vain passes with what was learned.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod seen;

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seen::{Folder, Seen, see};

fn is_ready() -> bool {
    seen::is_ready(&["--require=net=namespaces", "--", "python3", "-c", "1"])
}

/// A service of the host that says one word; how often somebody came.
fn service(path: &Path) -> Arc<AtomicUsize> {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (listener, visits) = (UnixListener::bind(path).unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&visits);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            let said = stream.unwrap().write_all(b"word");
            drop(said);
        }
    });
    visits
}

/// A home with a project in it.
struct Home(Folder);

impl Home {
    fn new(name: &str) -> Self {
        let home = Self(Folder::new(name));
        fs::create_dir(home.path("project")).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn belljar(&self, words: &[&str], script: &str, env: &[(&str, &Path)]) -> Seen {
        let mut command = seen::command(words.iter().copied().chain(["--", "python3", "-c", script]));
        command.env_remove("SSH_AUTH_SOCK").env_remove("GNUPGHOME").envs(env.iter().copied());
        see(command.current_dir(self.path("project")).env("HOME", self.0.path()))
    }

    fn learn(&self, script: &str, env: &[(&str, &Path)]) -> Seen {
        self.belljar(&["learn", &format!("--save={}", self.path("learned.toml").display())], script, env)
    }

    fn run_learned(&self, script: &str, env: &[(&str, &Path)]) -> Seen {
        self.belljar(&["run", &format!("--policy={}", self.path("learned.toml").display())], script, env)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path("learned.toml")).unwrap_or_default()
    }
}

/// Says what the service at a path says.
fn asks(path: &str) -> String {
    format!(
        "import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect({path}); print(s.recv(9).decode())"
    )
}

#[test]
fn a_service_is_learned_by_its_path_and_is_not_reached_meanwhile() {
    if !is_ready() {
        return;
    }
    let home = Home::new("learn-socket");
    let path = home.path("services/word.sock");
    let visits = service(&path);
    let script = asks(&format!("'{}'", path.display()));
    let plain = home.belljar(&["run"], &script, &[]);
    assert!(plain.status == 1 && plain.out.is_empty(), "{plain:?}");
    let taught = home.learn(&script, &[]);
    assert!(taught.status == 1 && taught.out.is_empty(), "{taught:?}");
    assert_eq!(visits.load(Ordering::SeqCst), 0, "nothing is granted while learning");
    assert!(taught.err.contains(&format!("--socket {}", path.display())), "{taught:?}");
    let text = home.text();
    let line = format!("sockets = [\"{}\"]", path.display());
    assert!(text.contains(&line) && text.contains("# review: wanted to connect to"), "{text}");
    assert!(!text.contains("socket-unix"), "{text}");
    let again = home.run_learned(&script, &[]);
    assert_eq!((again.status, again.out.as_str()), (0, "word\n"), "{again:?}");
    assert_eq!(visits.load(Ordering::SeqCst), 1);
}

#[test]
fn agents_are_learned_by_their_names() {
    if !is_ready() {
        return;
    }
    let home = Home::new("learn-agents");
    let (agent, keys) = (home.path(".ssh/agent/s.1"), home.path("gnupg"));
    let visits = [service(&agent), service(&keys.join("S.gpg-agent"))];
    let _behind = service(&keys.join("S.gpg-agent.extra"));
    let env = [("SSH_AUTH_SOCK", agent.as_path()), ("GNUPGHOME", keys.as_path())];
    let gpg = keys.join("S.gpg-agent");
    let script =
        format!("{}\n{}", asks("os.environ['SSH_AUTH_SOCK']"), asks(&format!("'{}'", gpg.display())));
    let both = format!(
        "import traceback\nfor part in {:?}.split('import os')[1:]:\n    try: exec('import os' + part)\n    except OSError: lacks = True\nif 'lacks' in globals(): raise SystemExit(3)",
        script
    );
    let taught = home.learn(&both, &env);
    assert_eq!((taught.status, taught.out.as_str()), (3, ""), "{taught:?}");
    assert!(visits.iter().all(|count| count.load(Ordering::SeqCst) == 0), "{taught:?}");
    assert!(
        taught.err.contains("--socket ssh-agent") && taught.err.contains("--socket gpg-agent"),
        "{taught:?}"
    );
    assert!(!home.text().contains("s.1\""), "the name, not its place today: {}", home.text());
    let again = home.run_learned(&both, &env);
    assert_eq!((again.status, again.out.as_str()), (0, "word\nword\n"), "{again:?}");
}

#[test]
fn what_starts_programs_outside_is_named_and_never_proposed() {
    if !is_ready() {
        return;
    }
    let home = Home::new("learn-engine");
    let (engine, link) = (home.path(".docker/run/docker.sock"), home.path("innocent.sock"));
    let (own, looked) = (home.path(".ssh/control"), home.path("seen.sock"));
    for path in [&engine, &own, &looked] {
        service(path);
    }
    std::os::unix::fs::symlink(&engine, &link).unwrap();
    let script = format!(
        "import os, socket
for path in {:?}:
    try: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(path); print('reached')
    except OSError: pass
try: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect('\\0abstract'); print('reached')
except OSError: pass
os.path.exists({looked:?})
raise SystemExit(4)",
        [&engine, &link, &own]
    );
    let taught = home.learn(&script, &[]);
    assert_eq!((taught.status, taught.out.as_str()), (4, ""), "{taught:?}");
    assert_eq!(home.text(), "", "{taught:?}");
    for (path, why) in [
        (&engine, "keys and passwords"),
        (&link, "keys and passwords"),
        (&own, "keys and passwords"),
        (&looked, "only looked for"),
    ] {
        let row = taught.err.lines().find(|line| line.contains(path.to_str().unwrap()));
        assert!(row.is_some_and(|row| row.contains(why)), "{}: {taught:?}", path.display());
    }
}

#[test]
fn the_jars_own_network_works_while_learning() {
    if !is_ready() {
        return;
    }
    let home = Home::new("learn-own");
    let script = "import socket, threading
l = socket.create_server(('127.0.0.1', 0)); threading.Thread(target=lambda: l.accept()[0].sendall(b'own'), daemon=True).start()
print(socket.create_connection(l.getsockname(), 5).recv(9).decode())
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); s.bind((0, 0)); print(s.getsockname()[1] != 0)";
    let plain = home.belljar(&["run"], script, &[]);
    let taught = home.learn(script, &[]);
    assert_eq!((taught.status, &taught.out), (plain.status, &plain.out), "{taught:?} {plain:?}");
    assert!(taught.out.starts_with("own\n"), "{taught:?}");
}
