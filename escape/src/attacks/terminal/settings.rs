use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::needs;
use crate::outcome::{Judgement, contains};
use crate::stage::Stage;

/// One change of the terminal that the caller's shell notices afterwards; `$note` is the word it notes.
macro_rules! change {
    ($name:literal, $what:literal, $note:literal, $attack:expr) => {
        Attack {
            id: "Y5",
            name: $name,
            what: $what,
            prepare: |stage| noticed(stage, &[$note]),
            attack: |_| $attack(),
            ..Attack::ROW
        }
    };
}

pub(super) const ECHO: Attack =
    change!("terminal-settings", "leaves the caller's terminal without echo", "settings changed", || {
        // SAFETY: all zero is a valid termios, and the kernel fills it.
        let mut settings: libc::termios = unsafe { std::mem::zeroed() };
        sys!(SYS_ioctl, 0, libc::TCGETS, &raw mut settings)?;
        settings.c_lflag &= !libc::ECHO;
        sys!(SYS_ioctl, 0, libc::TCSETS, &raw const settings).map(drop)
    });
pub(super) const SIZE: Attack =
    change!("terminal-size", "changes the size of the caller's terminal", "size changed", || {
        let size = libc::winsize { ws_row: 7, ws_col: 11, ws_xpixel: 0, ws_ypixel: 0 };
        sys!(SYS_ioctl, 0, libc::TIOCSWINSZ, &raw const size).map(drop)
    });
pub(super) const FOREGROUND: Attack = change!(
    "terminal-foreground",
    "makes another process group of the session the foreground of the caller's terminal",
    "foreground changed",
    || {
        // The shell itself sets the foreground right after it has started the box.
        raw::pause(100)?;
        raw::ignore(libc::SIGTTOU)?;
        let child = raw::fork()?;
        if child == 0 {
            return raw::pause(300);
        }
        sys!(SYS_setpgid, child, child)?;
        sys!(SYS_ioctl, 0, libc::TIOCSPGRP, &raw const child)?;
        raw::pause(50)
    }
);
pub(super) const EXCLUSIVE: Attack = change!(
    "terminal-exclusive",
    "takes the caller's terminal for itself so that nobody can open it again",
    "exclusive changed",
    || sys!(SYS_ioctl, 0, libc::TIOCEXCL).map(drop)
);
pub(super) const DISCIPLINE: Attack = change!(
    "terminal-discipline",
    "loads another line discipline into the caller's terminal",
    "discipline changed",
    || {
        // Of these numbers at least one is built into most kernels.
        let tried =
            [27i32, 3, 2, 13, 20, 1].map(|number| sys!(SYS_ioctl, 0, libc::TIOCSETD, &raw const number));
        if tried.iter().any(Result::is_ok) { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }
);
pub(super) const FLOW: Attack = change!(
    "terminal-stopped",
    "stops the output of the caller's terminal",
    "output stopped",
    || sys!(SYS_ioctl, 0, libc::TCXONC, libc::TCOOFF).map(drop)
);
pub(super) const STEAL: Attack = Attack {
    needs: &[&needs::ROOT],
    ..change!(
        "terminal-stolen",
        "steals the caller's terminal for a session of its own",
        "own changed",
        || {
            if raw::fork()? != 0 {
                return raw::pause(250);
            }
            raw::pause(100)?;
            sys!(SYS_setsid)?;
            sys!(SYS_ioctl, 0, libc::TIOCSCTTY, 1)?;
            raw::pause(300)
        }
    )
};
pub(super) const HANGUP: Attack = Attack {
    needs: &[&needs::ROOT],
    ..change!("terminal-hangup", "hangs up the caller's terminal", "own changed", || {
        raw::pause(100)?;
        sys!(SYS_vhangup).map(drop)
    })
};

fn noticed(stage: &mut Stage, notes: &'static [&'static str]) -> io::Result<Judge> {
    stage.terminal = true;
    Ok(Box::new(move |outcome| {
        let found = notes.iter().find(|note| contains(&outcome.shell, note.as_bytes()));
        Ok(found.map_or(Judgement::Held, |note| Judgement::Escaped(format!("the caller's terminal: {note}"))))
    }))
}
