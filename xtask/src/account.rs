//! Who runs tests and benches: the invoking account and, when that is root, an ordinary user too.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::stage::Stage;

/// What passes of our own environment: cargo puts library paths and much else into it that would change what programs do
/// and cost.
const KEPT: &[&str] = &["PATH", "LANG", "TERM", "CI", "BELLJAR_MUST", "RUST_BACKTRACE"];

/// The ordinary user when the machine has none: no name, no home of its own.
const NAMELESS: u32 = 12345;

/// An account that programs are run as.
pub(crate) struct Account {
    kind: Kind,
    home: PathBuf,
    work: PathBuf,
    is_root: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Invoking,
    Ordinary { uid: u32, gid: u32 },
}

/// The accounts of this run.
pub(crate) fn all(stage: &Stage) -> Result<Vec<Account>> {
    let is_root = fs::metadata("/proc/self")?.uid() == 0;
    let mut accounts = vec![Account::new(stage, Kind::Invoking, is_root)?];
    if is_root {
        let (uid, gid) = ordinary(&fs::read_to_string("/etc/passwd")?).unwrap_or((NAMELESS, NAMELESS));
        accounts.push(Account::new(stage, Kind::Ordinary { uid, gid }, false)?);
    }
    Ok(accounts)
}

/// Where cargo and rustup live, for an account whose home is another than theirs.
fn toolchain() -> impl Iterator<Item = (&'static str, PathBuf)> {
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")].into_iter().filter_map(|(name, folder)| {
        let set = std::env::var_os(name).map(PathBuf::from);
        Some((name, set.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(folder)))?))
    })
}

/// User and group of the last ordinary user that /etc/passwd names: accounts of people come after those of systems.
fn ordinary(passwd: &str) -> Option<(u32, u32)> {
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut numbers = fields.filter_map(|row| Some((row.get(2)?.parse().ok()?, row.get(3)?.parse().ok()?)));
    numbers.rfind(|(uid, _)| (1000..60000).contains(uid))
}

impl Account {
    /// Makes the account's folders: a home, and a folder to work in beside it.
    fn new(stage: &Stage, kind: Kind, is_root: bool) -> Result<Self> {
        // Short names: paths of sockets inside are limited to 108 bytes.
        let suffix = if matches!(kind, Kind::Invoking) { "i" } else { "o" };
        let home = stage.folder(&format!("home-{suffix}"), 0o700)?;
        let work = stage.folder(&format!("work-{suffix}"), 0o700)?;
        if let Kind::Ordinary { uid, gid } = kind {
            chown(&home, Some(uid), Some(gid))?;
            chown(&work, Some(uid), Some(gid))?;
        }
        Ok(Self { kind, home, work, is_root })
    }

    /// A folder of this account that is not its home.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    pub(crate) fn is_invoking(&self) -> bool {
        matches!(self.kind, Kind::Invoking)
    }

    pub(crate) fn is_root(&self) -> bool {
        self.is_root
    }

    pub(crate) fn name(&self) -> String {
        match self.kind {
            Kind::Invoking if self.is_root => "root".to_owned(),
            Kind::Invoking => "the invoking user".to_owned(),
            Kind::Ordinary { uid, .. } => format!("user {uid}"),
        }
    }

    /// A command that starts `program` as this account, with a private home and temporary folder, killed after
    /// `seconds`.
    pub(crate) fn command(&self, program: &Path, seconds: u32) -> Command {
        let limit = seconds.to_string();
        let timeout = ["timeout", "--kill-after=5", &limit].map(OsStr::new);
        let identity = self.identity();
        let words: Vec<&OsStr> =
            identity.iter().map(OsStr::new).chain(timeout).chain([program.as_os_str()]).collect();
        let mut command = crate::command::program(words[0], &words[1..]);
        command.env_clear().envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("HOME", &self.home).env("TMPDIR", &self.home);
        if self.is_invoking() {
            command.envs(toolchain());
        }
        command
    }

    fn identity(&self) -> Vec<String> {
        match self.kind {
            Kind::Invoking => Vec::new(),
            Kind::Ordinary { uid, gid } => {
                let groups =
                    [format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()];
                std::iter::once("setpriv".to_owned()).chain(groups).chain(["--".to_owned()]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_ordinary_user_is_neither_system_nor_nobody() {
        let passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:100::/:/bin/sh\n\
                      nobody:x:65534:65534::/:/bin/false\n";
        assert_eq!(super::ordinary(passwd), Some((1001, 100)));
        assert_eq!(super::ordinary("root:x:0:0::/root:/bin/sh\nbroken\n"), None);
    }
}
