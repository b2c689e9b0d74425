use std::env;
use std::io;
use std::process::Command;

use crate::attack::{Attack, Judge};
use crate::attacks::raw;
use crate::stage::Stage;
use crate::{canary, files};

pub(super) const OWN: Attack = Attack {
    id: "E1",
    name: "environment",
    what: "reads a token from the environment of whoever started the box",
    prepare,
    attack: |_| {
        let all: Vec<String> = env::vars_os().map(|(name, value)| format!("{name:?}={value:?}")).collect();
        raw::print(all.join("\n").as_bytes())
    },
    ..Attack::ROW
};

pub(super) const EXEC: Attack = Attack {
    id: "E1",
    name: "environment-of-child",
    what: "reads a token from the initial stack that the kernel made for the program",
    prepare,
    attack: |_| raw::show(raw::openat(libc::AT_FDCWD, "/proc/self/environ", libc::O_RDONLY)?),
    ..Attack::ROW
};

pub(super) const CMDLINE: Attack = Attack {
    id: "E1",
    name: "environment-loader",
    what: "lets a variable of the caller's environment steer the dynamic loader of programs in the box",
    prepare: |stage| {
        let canary = canary::fresh()?;
        stage.env.push(("LD_PRELOAD".to_owned(), format!("/{canary}.so")));
        Ok(files::not_printed(canary))
    },
    attack: |_| Command::new("/usr/bin/env").arg("true").status().map(drop),
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let canary = canary::fresh()?;
    stage.env.push(("SECRET_TOKEN".to_owned(), canary.clone()));
    Ok(files::not_printed(canary))
}
