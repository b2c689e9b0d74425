//! A user who answers questions by a list.
#![allow(dead_code, reason = "each test file uses a part")]

#[path = "../../../belljar/tests/support/user.rs"]
mod user;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use serde_json::Value;

use crate::seen::{Folder, Seen, belljar};

/// Files of the host and a program of the user that answers by a list.
pub(crate) struct Stage {
    pub(crate) folder: Folder,
    asked: Receiver<Value>,
}

impl Stage {
    /// Gives each answer in turn, then no more.
    pub(crate) fn new(name: &str, answers: &'static [&'static str]) -> Self {
        let folder = Folder::new(name);
        fs::create_dir(folder.path().join("host")).unwrap();
        for file in ["a", "b"] {
            let path = folder.path().join("host").join(file);
            fs::write(&path, format!("text of {file}\n")).unwrap();
            // The jar of root runs as nobody.
            fs::set_permissions(path, PermissionsExt::from_mode(0o666)).unwrap();
        }
        let asked = user::answering(&folder.path().join("ask"), answers);
        Self { folder, asked }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, more: &[&str], script: &str) -> Seen {
        let way = format!("--ask=socket:{}", self.path("ask").display());
        let save = format!("--ask-save={}", self.path("mine.toml").display());
        let report = format!("--report={}", self.path("report").display());
        let home = format!("--env=DIR={}", self.folder.path().display());
        let words = ["run", "-q", &way, &save, &report, &home].into_iter().chain(more.iter().copied());
        belljar(words.chain(["--", "sh", "-c", script]))
    }

    pub(crate) fn questions(&self) -> Vec<Value> {
        self.asked.try_iter().collect()
    }
}
