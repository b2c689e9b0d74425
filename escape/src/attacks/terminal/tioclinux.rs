use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Judge};
use crate::attacks::raw::sys;
use crate::needs;
use crate::outcome::Judgement;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "Y2",
    name: "tioclinux",
    what: "blanks the machine's text console by TIOCLINUX, the call that can also paste into it",
    prepare,
    attack: |_| ask(&open()?, BLANK).map(drop),
    needs: &[&needs::ROOT, &needs::CONSOLE],
    ..Attack::ROW
};

const UNBLANK: u8 = 4;
const BLANK: u8 = 14;
const IS_BLANKED: u8 = 15;

/// The console, shown again at the end.
struct Console(File);

impl Console {
    fn blanked(&self) -> io::Result<bool> {
        ask(&self.0, IS_BLANKED).map(|answer| answer != 0)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(ask(&self.0, UNBLANK));
    }
}

fn prepare(_: &mut Stage) -> io::Result<Judge> {
    let console = Console(open()?);
    ask(&console.0, UNBLANK)?;
    Ok(Box::new(move |_| Ok(Judgement::escaped_if(console.blanked()?, "the console is blank"))))
}

fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty0")
}

fn ask(console: &File, code: u8) -> io::Result<usize> {
    let mut words = [code, 0];
    sys!(SYS_ioctl, console.as_raw_fd(), libc::TIOCLINUX, words.as_mut_ptr())
}
