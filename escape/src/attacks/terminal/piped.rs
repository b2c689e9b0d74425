use std::fs;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;
use crate::{canary, files, needs};

/// The box has pipes as standard streams, but its caller sits at a terminal, which /dev/tty would open.
macro_rules! piped {
    ($id:literal, $name:literal, $what:literal, $prepare:expr, $attack:expr) => {
        Attack {
            id: $id,
            name: $name,
            what: $what,
            prepare: |stage| {
                stage.terminal = true;
                stage.through =
                    ["/bin/sh", "-c", "\"$@\" </dev/null 2>&1 | cat", "sh"].map(str::to_owned).into();
                $prepare(stage)
            },
            attack: $attack,
            ..Attack::ROW
        }
    };
}

pub(super) const TYPE: Attack = Attack {
    needs: &[&needs::TIOCSTI],
    ..piped!(
        "Y1",
        "tiocsti-behind-pipes",
        "types a command into the terminal of a caller who gave it only pipes",
        |stage: &mut Stage| {
            let canary = canary::fresh()?;
            stage.arg(&canary);
            let judge: Judge = Box::new(move |outcome| {
                let typed = contains(&outcome.shell, format!("typed {canary}").as_bytes());
                Ok(Judgement::escaped_if(typed, "the caller's shell would run what the box typed"))
            });
            Ok(judge)
        },
        |args| {
            let terminal = raw::openat(libc::AT_FDCWD, "/dev/tty", libc::O_RDWR)?;
            for byte in raw::text(args, 0)?.bytes().chain(*b"\n") {
                sys!(SYS_ioctl, terminal.as_raw_fd(), libc::TIOCSTI, &raw const byte)?;
            }
            Ok(())
        }
    )
};

pub(super) const ASK: Attack = piped!(
    "Y3",
    "password-prompt-behind-pipes",
    "writes a false password prompt onto the terminal of a caller who gave it only pipes",
    |stage: &mut Stage| {
        let canary = canary::fresh()?;
        stage.arg(&canary);
        Ok(files::not_printed(canary))
    },
    |args| fs::write("/dev/tty", format!("password for {}: ", raw::text(args, 0)?))
);

pub(super) const SETTINGS: Attack = piped!(
    "Y5",
    "terminal-settings-behind-pipes",
    "changes the size of the terminal of a caller who gave it only pipes",
    |_: &mut Stage| {
        let judge: Judge = Box::new(|outcome| {
            let changed = contains(&outcome.shell, b"size changed");
            Ok(Judgement::escaped_if(changed, "the caller's terminal: size changed"))
        });
        Ok(judge)
    },
    |_| {
        let terminal = raw::openat(libc::AT_FDCWD, "/dev/tty", libc::O_RDWR)?;
        let size = libc::winsize { ws_row: 7, ws_col: 11, ws_xpixel: 0, ws_ypixel: 0 };
        sys!(SYS_ioctl, terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size).map(drop)
    }
);
