use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::attack::{Attack, Judge};
use crate::files;
use crate::stage::Stage;

pub(super) const PATH: Attack = Attack {
    id: "Q2",
    name: "helpers-by-path",
    what: "gets its own program run outside the box because a helper is looked up in the caller's PATH",
    prepare: |stage| {
        let work = stage.work.to_string_lossy().into_owned();
        stage.env.push(("PATH".to_owned(), format!("{work}:/usr/bin:/bin")));
        evil(stage)
    },
    attack,
    ..Attack::ROW
};

pub(super) const CURRENT: Attack = Attack {
    id: "Q2",
    name: "helpers-by-current-folder",
    what: "gets its own program run outside the box because a helper is looked up in the current folder",
    prepare: |stage| {
        stage.env.push(("PATH".to_owned(), ".::/usr/bin:/bin".to_owned()));
        evil(stage)
    },
    attack,
    ..Attack::ROW
};

pub(super) const LOADER: Attack = Attack {
    id: "Q2",
    name: "helpers-by-shell-start",
    what: "gets its own commands run outside the box because a helper shell reads ENV or BASH_ENV",
    prepare: |stage| {
        let judge = evil(stage)?;
        let script = stage.work.join("sh").to_string_lossy().into_owned();
        stage.env.extend(["ENV", "BASH_ENV"].map(|name| (name.to_owned(), script.clone())));
        Ok(judge)
    },
    attack: |_| Command::new("bash").args(["-c", "true"]).status().map(drop),
    ..Attack::ROW
};

/// Programs that sandboxes are known to start by name.
const HELPERS: &[&str] = &[
    "newuidmap",
    "newgidmap",
    "bwrap",
    "ip",
    "iptables",
    "nft",
    "mount",
    "umount",
    "sh",
    "bash",
    "systemd-run",
    "slirp4netns",
    "pasta",
    "fusermount3",
    "unshare",
    "nsenter",
    "setpriv",
    "id",
    "env",
    "getent",
    "ldd",
    "sudo",
];

/// Each helper leaves a file in the hidden folder, which only a program outside the box can do.
fn evil(stage: &mut Stage) -> io::Result<Judge> {
    let loot = stage.host.join("loot");
    let script = format!("#!/bin/sh\n/usr/bin/touch {}\n", loot.to_string_lossy());
    HELPERS.iter().try_for_each(|name| plant(&stage.work.join(name), &script))?;
    Ok(files::absent(loot))
}

fn plant(path: &Path, script: &str) -> io::Result<()> {
    fs::write(path, script)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Inside the box the same lookups are harmless.
fn attack(_: &[String]) -> io::Result<()> {
    HELPERS.iter().try_for_each(|name| Command::new(name).status().map(drop))
}
