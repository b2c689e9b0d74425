//! Symlinks that an earlier run may have made: a rule that goes through one would grant whatever that run chose.
//!
//! While a jar runs, nothing at the path of a rule can be exchanged. Before the rule was there, it could: the same policy with
//! one writable folder more, or with a path that was optional and absent.

use std::path::{Path, PathBuf};

use super::layout::{Ready, What};
use crate::error::StartError;
use crate::walk::Real;
use crate::walk::within::{is_same, is_within};

/// A rule that symlinks took elsewhere.
pub(super) struct Led {
    path: PathBuf,
    origin: String,
    links: Vec<PathBuf>,
    to: PathBuf,
}

impl Led {
    /// None when there was no symlink.
    pub(super) fn new(path: &Path, origin: &str, real: &Real) -> Option<Self> {
        let links: Vec<PathBuf> = real.links.iter().map(|(at, _)| at.clone()).collect();
        let led = Self { path: path.to_path_buf(), origin: origin.to_owned(), links, to: real.path.clone() };
        (!led.links.is_empty()).then_some(led)
    }

    /// The symlink in a folder that can be written, when what it leads to is not in there as well.
    fn out_of(&self, folder: &Path) -> Option<&PathBuf> {
        let made = |link: &&PathBuf| is_within(link, folder) && !is_same(link, folder);
        self.links.iter().find(made).filter(|_| !is_within(&self.to, folder))
    }
}

/// Refuses rules that lead out of a writable folder by what may have been made in it.
pub(super) fn refuse(led: Vec<Led>, ready: &[Ready]) -> Result<(), StartError> {
    let writable = |ready: &Ready| match &ready.what {
        What::Bind(bind) if bind.access.writes() => Some(bind.from.clone()),
        _ => None,
    };
    let folders: Vec<PathBuf> = ready.iter().filter_map(writable).collect();
    for led in led {
        if let Some(link) = folders.iter().find_map(|folder| led.out_of(folder)) {
            let link = link.clone();
            return Err(StartError::Planted { path: led.path, origin: led.origin, link, to: led.to });
        }
    }
    Ok(())
}
