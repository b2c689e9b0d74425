//! The private folders of one whole run: home, shared caches, a secret, and one work folder per row.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where programs are looked up, outside and inside: a user's plain path, without version managers.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The private folders; removed when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// Parent of everything below.
    pub(crate) base: PathBuf,
    /// `HOME` of all runs.
    pub(crate) home: PathBuf,
    /// Folder the rows share (build caches of `prepare`).
    pub(crate) shared: PathBuf,
    /// File outside of every grant.
    pub(crate) secret: PathBuf,
    /// Its contents.
    pub(crate) token: String,
    keep: bool,
}

impl Place {
    /// Makes the folders under `TMPDIR` or `/tmp`.
    pub(crate) fn create(keep: bool) -> Result<Self> {
        let token = random_hex()?;
        let base = std::env::temp_dir().join(format!("programs-{}", token.get(..12).unwrap_or("x")));
        let place = Self {
            home: base.join("home"),
            shared: base.join("shared"),
            secret: base.join("outside/secret"),
            token,
            keep,
            base,
        };
        fs::create_dir(&place.base)?;
        for folder in ["home", "shared", "outside"] {
            fs::create_dir(place.base.join(folder))?;
        }
        fs::write(&place.secret, format!("{}\n", place.token)).context("write the secret")?;
        Ok(place)
    }

    /// Whether the host has this program: an absolute path, one below cargo's home, or a name on `PATH`.
    pub(crate) fn has_program(&self, name: &str) -> bool {
        if let Some(rest) = name.strip_prefix("{cargo-home}/") {
            return is_program(&toolchain("CARGO_HOME", ".cargo").join(rest));
        }
        match name {
            "@root" => return rustix::process::geteuid().is_root(),
            "@account" => return has_account(rustix::process::geteuid().as_raw()),
            _ => {}
        }
        name.starts_with('/') && is_program(Path::new(name))
            || PATH.split(':').any(|folder| is_program(&Path::new(folder).join(name)))
    }

    /// An empty work folder for this row; the same path each time, so that paths in the output are equal.
    pub(crate) fn fresh(&self, row: &str) -> Result<PathBuf> {
        let folder = self.base.join(row);
        make_removable(&folder);
        if let Err(error) = fs::remove_dir_all(&folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error).with_context(|| format!("remove {}", folder.display()));
        }
        fs::create_dir(&folder).with_context(|| format!("create {}", folder.display()))?;
        Ok(folder)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            make_removable(&self.base);
            fs::remove_dir_all(&self.base).ok();
        }
    }
}

/// A folder of the Rust toolchain: what the variable names, else this folder of the caller's home.
pub(crate) fn toolchain(variable: &str, folder: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(folder);
    std::env::var_os(variable).map_or_else(home, PathBuf::from)
}

/// Gives folders without owner rights back to their owner; rows make such folders on purpose.
fn make_removable(folder: &Path) {
    let Ok(meta) = fs::symlink_metadata(folder) else { return };
    if !meta.is_dir() {
        return;
    }
    let mode = meta.permissions().mode();
    if mode & 0o700 != 0o700 {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode | 0o700)).ok();
    }
    fs::read_dir(folder).into_iter().flatten().flatten().for_each(|entry| make_removable(&entry.path()));
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

fn random_hex() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the list of accounts has a name for this user: SSH's programs refuse to run for others.
fn has_account(user: u32) -> bool {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    list.lines().any(|line| line.split(':').nth(2) == Some(&user.to_string()))
}
