//! The folder a run of tests or benches works in: outside the repository, readable by every account, gone afterwards.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder; removed when dropped.
pub(crate) struct Stage {
    root: PathBuf,
}

impl Stage {
    /// Makes the folder under /var/tmp: jars have a /tmp of their own, so what they should see cannot live there.
    pub(crate) fn new() -> Result<Self> {
        let root = PathBuf::from(format!("/var/tmp/bj.{}", std::process::id()));
        let stage = Self { root };
        stage.folder("", 0o755)?;
        stage.folder("bin", 0o755)?;
        stage.folder("examples", 0o755)?;
        Ok(stage)
    }

    /// Makes a folder inside.
    pub(crate) fn folder(&self, name: &str, mode: u32) -> Result<PathBuf> {
        let path = self.root.join(name);
        DirBuilder::new()
            .mode(mode)
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// Where the programs are.
    pub(crate) fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// Copies a program to where every account can run it.
    pub(crate) fn program(&self, file: &Path) -> Result<PathBuf> {
        self.copy(file, "bin", "")
    }

    /// Copies a build with test hooks: it has the name of the shipped program, which must not be taken for it.
    pub(crate) fn hooked(&self, file: &Path) -> Result<PathBuf> {
        self.copy(file, "bin", "-hooked")
    }

    /// Copies an example to where tests look for it: beside the folder of the tests, as cargo has it.
    pub(crate) fn example(&self, file: &Path) -> Result<PathBuf> {
        self.copy(file, "examples", "")
    }

    fn copy(&self, file: &Path, folder: &str, suffix: &str) -> Result<PathBuf> {
        let mut name = file.file_name().context("a program has a name")?.to_owned();
        name.push(suffix);
        let copy = self.root.join(folder).join(name);
        if !copy.is_file() {
            fs::copy(file, &copy).with_context(|| format!("copying {}", file.display()))?;
        }
        Ok(copy)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.root) {
            crate::command::say(&format!("left behind: {}: {error}", self.root.display()));
        }
    }
}
