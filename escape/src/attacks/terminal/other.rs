use std::io;
use std::os::fd::AsRawFd;

use rustix::fs::{Mode, OFlags};

use crate::attack::{Attack, Judge};
use crate::attacks::raw::{self, sys};
use crate::outcome::Judgement;
use crate::stage::Stage;
use crate::terminal::Terminal;
use crate::{canary, files, needs};

pub(super) const WRITE: Attack = Attack {
    id: "Y3",
    name: "other-terminal-write",
    what: "writes to another terminal of the same user, by its path",
    prepare: |stage| {
        let terminal = Terminal::open()?;
        stage.path_arg(&terminal.path);
        Ok(Box::new(move |_| {
            let flags = rustix::fs::fcntl_getfl(&terminal.master)? | OFlags::NONBLOCK;
            rustix::fs::fcntl_setfl(&terminal.master, flags)?;
            let got = rustix::io::read(&terminal.master, &mut [0u8; 64]).is_ok_and(|got| got > 0);
            Ok(Judgement::escaped_if(got, "another terminal shows what the box wrote"))
        }))
    },
    attack: |args| {
        let terminal = raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_WRONLY | libc::O_NOCTTY)?;
        raw::print_to(terminal.as_raw_fd(), b"loot")
    },
    ..Attack::ROW
};

pub(super) const READ: Attack = Attack {
    id: "Y3",
    name: "other-terminal-read",
    what: "reads what a person types at another terminal of the same user",
    prepare: |stage| {
        let terminal = Terminal::open()?;
        stage.path_arg(&terminal.path);
        let canary = canary::fresh()?;
        rustix::io::write(&terminal.master, format!("{canary}\n").as_bytes())?;
        let judge = files::not_printed(canary);
        Ok(Box::new(move |outcome| {
            let judgement = judge(outcome);
            drop(terminal);
            judgement
        }))
    },
    attack: |args| {
        let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK;
        let terminal = raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, flags)?;
        let mut line = [0u8; 256];
        let got = sys!(SYS_read, terminal.as_raw_fd(), line.as_mut_ptr(), line.len())?;
        raw::print(line.get(..got).unwrap_or_default())
    },
    ..Attack::ROW
};

pub(super) const TYPE: Attack = Attack {
    id: "Y1",
    name: "tiocsti-other-terminal",
    what: "types a command into another terminal",
    prepare,
    attack: |args| {
        let terminal = raw::openat(libc::AT_FDCWD, raw::text(args, 0)?, libc::O_RDWR | libc::O_NOCTTY)?;
        for byte in b"loot\n" {
            sys!(SYS_ioctl, terminal.as_raw_fd(), libc::TIOCSTI, &raw const *byte)?;
        }
        Ok(())
    },
    needs: &[&needs::ROOT, &needs::TIOCSTI],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let terminal = Terminal::open()?;
    stage.path_arg(&terminal.path);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let shell = rustix::fs::open(&terminal.path, flags, Mode::empty())?;
    Ok(Box::new(move |_| {
        let typed = rustix::io::read(&shell, &mut [0u8; 64]).is_ok_and(|got| got > 0);
        drop(terminal);
        Ok(Judgement::escaped_if(typed, "another shell would run what the box typed"))
    }))
}
