use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::stage::Stage;
use crate::{canary, files, judges};

pub(super) const WRITE: Attack = Attack {
    id: "Y3",
    name: "terminal-after-end",
    what: "leaves a process behind that writes to the caller's terminal when the box is over",
    prepare: |stage| {
        stage.terminal = true;
        let canary = canary::fresh()?;
        stage.arg(&canary);
        Ok(files::not_printed(canary))
    },
    attack: |args| {
        if raw::fork()? == 0 {
            sys!(SYS_setsid)?;
            raw::ignore(libc::SIGHUP)?;
            raw::pause(250)?;
            raw::print(raw::text(args, 0)?.as_bytes())?;
        }
        Ok(())
    },
    ..Attack::ROW
};

pub(super) const STOPPED: Attack = Attack {
    id: "Y3",
    name: "terminal-stopped-child",
    what: "leaves a stopped process of another session behind",
    prepare: |stage: &mut Stage| -> io::Result<Judge> {
        stage.terminal = true;
        Ok(judges::nothing_survives())
    },
    attack: |_| {
        if raw::fork()? == 0 {
            sys!(SYS_setsid)?;
            sys!(SYS_kill, std::process::id(), libc::SIGSTOP)?;
        }
        raw::pause(50)
    },
    ..Attack::ROW
};
