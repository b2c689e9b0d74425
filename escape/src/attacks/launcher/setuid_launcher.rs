//! F1, Q3: the launcher runs with rights that its caller does not have.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::attack::{Attack, Judge};
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "F1",
    name: "launcher-with-rights",
    what: "has a launcher to abuse that is set-user-id or has file capabilities",
    prepare,
    ..Attack::ROW
};

/// What stands for the launcher in the control run: a program that everybody knows to be set-user-id.
const KNOWN: &str = "/usr/bin/su";

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let launcher = stage.launcher.as_ref().filter(|(name, _)| *name != "none");
    let launcher = launcher.map_or_else(|| PathBuf::from(KNOWN), |(_, path)| path.clone());
    Ok(Box::new(move |_| {
        Ok(Judgement::escaped_if(privileged(&launcher)?, "the launcher has rights of its own"))
    }))
}

fn privileged(path: &Path) -> io::Result<bool> {
    let mut value = [0u8; 64];
    let capabilities = rustix::fs::getxattr(path, "security.capability", &mut value[..]).is_ok();
    Ok(fs::metadata(path)?.mode() & 0o6000 != 0 || capabilities)
}
