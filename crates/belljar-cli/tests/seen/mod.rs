//! Runs the built command and keeps what it said.
#![allow(dead_code, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn belljar<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Seen {
    see(&mut command(args))
}

pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_belljar"));
    command.args(args).stdin(Stdio::null());
    command
}

pub(crate) fn see(command: &mut Command) -> Seen {
    let Output { status, stdout, stderr } = command.output().expect("belljar starts");
    Seen {
        status: status.code().expect("belljar itself is not killed"),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // Not below a home: root's jars are nobody's, who gets no further than root's own door.
        let path = Path::new("/var/tmp").join(format!("belljar-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file of the test");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder of the test");
    }
}

/// Whether a jar with these words starts here; says which need is lacking when it does not.
#[allow(clippy::print_stderr, reason = "the runner of the tests reads this line")]
pub(crate) fn is_ready(words: &[&str]) -> bool {
    let ready = belljar([&["run", "-q"], words].concat()).status == 0;
    if !ready {
        eprintln!("SKIP: needs userns");
    }
    ready
}

pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the report was written");
    serde_json::from_str(&text).expect("the report is JSON")
}
