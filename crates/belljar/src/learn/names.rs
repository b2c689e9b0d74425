//! Names that mean something: files that look like keys, and folders that programs fill by themselves.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Files with these names hold keys or passwords wherever they lie.
const KEYS: &[&str] = &[
    ".env",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".htpasswd",
    ".netrc",
    ".npmrc",
    ".pypirc",
    "credentials",
];

/// The same by the end of the name.
const KEY_ENDS: &[&str] =
    &[".pem", ".key", ".p12", ".pfx", ".jks", ".kdbx", ".keytab", ".ovpn", ".gpg", ".asc"];

/// The same by its beginning.
const KEY_STARTS: &[&str] = &[".env.", "credentials."];

/// Why a name is not proposed, wherever it lies.
pub(super) fn looks_secret(path: &Path) -> Option<&'static str> {
    let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
    let key = KEYS.iter().any(|key| key.as_bytes() == name)
        || KEY_ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
        || KEY_STARTS.iter().any(|start| name.starts_with(start.as_bytes()));
    key.then_some("its name is one of keys and passwords")
}

/// Folders that tools fill anywhere in a project.
const PROJECT: &[&str] = &[
    "node_modules",
    "__pycache__",
    "target",
    ".cache",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    ".gradle",
    ".next",
    ".parcel-cache",
];

/// Folders below the home folder that tools fill, `*` for any one name.
const HOME: &[&str] = &[
    ".cache/*",
    ".cargo/registry",
    ".cargo/git",
    ".npm",
    ".gradle/caches",
    ".m2/repository",
    "go/pkg",
    ".nuget/packages",
    ".rustup/toolchains",
    ".pyenv/versions",
    ".nvm/versions",
    ".local/share/mise",
    ".local/share/uv",
    ".local/share/pnpm",
];

/// Folders below the home folder in which every program has one of its own.
const MANY: &[&str] = &[".cache", ".config", ".local", ".local/share", ".local/state", ".local/lib"];

/// Whether a folder holds those of many programs.
pub(super) fn is_shared(folder: &Path, home: &Path) -> bool {
    folder.strip_prefix(home).is_ok_and(|below| MANY.iter().any(|many| below == Path::new(many)))
}

/// The folder that a tool fills by itself and that holds `path`: one below the current folder, or one of the home folder.
pub(super) fn filled_by_tools(path: &Path, here: &Path, home: Option<&Path>) -> Option<PathBuf> {
    in_project(path, here).or_else(|| in_home(path, home?))
}

/// The outermost one: below the current folder names mean what they say.
fn in_project(path: &Path, here: &Path) -> Option<PathBuf> {
    let mut at = here.to_path_buf();
    for name in path.strip_prefix(here).ok()? {
        at.push(name);
        if PROJECT.iter().any(|known| *known == name) {
            return Some(at);
        }
    }
    None
}

fn in_home(path: &Path, home: &Path) -> Option<PathBuf> {
    let below: Vec<&OsStr> = path.strip_prefix(home).ok()?.iter().collect();
    let fits = |known: &&&str| {
        let parts: Vec<&str> = known.split('/').collect();
        parts.len() <= below.len()
            && parts.iter().zip(&below).all(|(part, name)| *part == "*" || part == name)
    };
    let known = HOME.iter().find(fits)?;
    let count = known.split('/').count();
    Some(below.into_iter().take(count).fold(home.to_path_buf(), |at, name| at.join(name)))
}
