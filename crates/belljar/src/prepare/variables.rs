//! What a command says about the program's variables, and the folder that the caller calls home.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Variables of one command: those of the caller that a policy may pass, and the command's own word about single ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variables {
    /// The caller's.
    pub(crate) caller: Vec<(OsString, OsString)>,
    /// Set, or with nothing: kept away.
    pub(crate) own: BTreeMap<OsString, Option<OsString>>,
}

impl Variables {
    /// Those of this process.
    pub(crate) fn inherited() -> Self {
        Self { caller: std::env::vars_os().collect(), own: BTreeMap::new() }
    }

    pub(crate) fn set(&mut self, name: &OsStr, value: &OsStr) {
        self.own.insert(name.to_os_string(), Some(value.to_os_string()));
    }

    pub(crate) fn remove(&mut self, name: &OsStr) {
        self.own.insert(name.to_os_string(), None);
    }

    pub(crate) fn clear(&mut self) {
        self.caller.clear();
        self.own.clear();
    }

    /// Adds a folder to the end of the caller's search path, where there is one.
    pub(crate) fn extend_path(&mut self, folder: &str) {
        for (_, value) in self.caller.iter_mut().filter(|(name, _)| name == "PATH") {
            value.push(":");
            value.push(folder);
        }
    }
}

/// The caller's home folder: what the environment says, else the list of accounts.
pub(crate) fn home() -> Option<PathBuf> {
    let named = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    named.or_else(|| {
        listed_home(&std::fs::read_to_string("/etc/passwd").ok()?, rustix::process::geteuid().as_raw())
    })
}

/// Sixth field of the account with this id.
fn listed_home(accounts: &str, uid: u32) -> Option<PathBuf> {
    let uid = uid.to_string();
    let mut lines = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = lines.find(|fields| fields.get(2) == Some(&uid.as_str()))?;
    account.get(5).map(PathBuf::from).filter(|home| home.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_found_without_the_environment() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nodd\nu:x:7:7::/home/u:/bin/sh\nv:x:8:8::none:/bin/sh";
        assert_eq!(listed_home(accounts, 7), Some(PathBuf::from("/home/u")));
        assert_eq!(listed_home(accounts, 8), None);
        assert_eq!(listed_home(accounts, 9), None);
    }
}
