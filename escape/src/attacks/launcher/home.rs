//! The home folder has a second name where `HOME` leads through a symlink; the kernel tells the current folder by that one.

use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::{fs, path::Path};

use crate::attack::{Attack, Judge};
use crate::attacks::{proof, raw};
use crate::canary;
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "B12",
    name: "home-by-its-other-name",
    what: "reads the caller's home folder, in which the box was started, where HOME names it through a symlink",
    prepare,
    attack: |args| raw::print(&fs::read(Path::new(proof::arg(args, 0)?))?),
    may_refuse: true,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (real, home, secret) = (stage.host.join("data"), stage.host.join("home"), canary::fresh()?);
    fs::create_dir(&real)?;
    fs::set_permissions(&real, fs::Permissions::from_mode(0o755))?;
    symlink("data", &home)?;
    let key = real.join("key");
    fs::write(&key, &secret)?;
    stage.path_arg(&key);
    stage.env.push(("HOME".to_owned(), home.to_string_lossy().into_owned()));
    stage.cwd = Some(real);
    Ok(files::not_printed(secret))
}
