use std::fs;
use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;

/// A place inside the untrusted project where a policy might be picked up.
macro_rules! policy {
    ($name:literal, $what:literal, $path:literal) => {
        Attack {
            id: "Q1",
            name: $name,
            what: $what,
            prepare: |stage| prepare(stage, $path),
            attack,
            ..Attack::ROW
        }
    };
}

pub(super) const PLAIN: Attack = policy!(
    "project-policy",
    "widens its own rights by a policy file in the project that is being run",
    "belljar.toml"
);
pub(super) const HIDDEN: Attack = policy!(
    "project-policy-dotfile",
    "widens its own rights by a hidden policy file in the project",
    ".belljar.toml"
);
pub(super) const CONFIG: Attack = policy!(
    "project-policy-folder",
    "widens its own rights by a policy in a configuration folder of the project",
    ".belljar/policy.toml"
);
pub(super) const PARENT: Attack = policy!(
    "project-user-config",
    "widens its own rights by a user configuration below the project",
    ".config/belljar/config.toml"
);

/// The file grants the hidden folder, the host's network and every variable.
fn prepare(stage: &mut Stage, place: &str) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    let path_of_policy = stage.work.join(place);
    if let Some(folder) = path_of_policy.parent() {
        fs::create_dir_all(folder)?;
    }
    let host = stage.host.to_string_lossy().into_owned();
    let text =
        format!("belljar = 1\n[fs]\n\"{host}\" = \"write\"\n[net]\nmode = \"host\"\n[env]\npass = [\"*\"]\n");
    fs::write(path_of_policy, text)?;
    stage.path_arg(&path);
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    raw::show(raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDONLY)?)
}
