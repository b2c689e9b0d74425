use std::io;
use std::ptr;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::stage::Stage;
use crate::{files, marked, needs};

pub(super) const ROW: Attack = Attack {
    id: "C3",
    name: "dirfd-execveat",
    what: "runs a host program below a folder descriptor inherited from before the box",
    prepare,
    attack,
    control: Control::Chroot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let canary = marked::copy(&stage.program(), &stage.host.join("tool"))?;
    let host = stage.host.clone();
    let fd = stage.inherit_open(&host)?;
    stage.arg(fd);
    Ok(files::not_printed(canary))
}

fn attack(args: &[String]) -> io::Result<()> {
    let words = [c("tool"), c("mark")];
    let mut argv: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(ptr::null());
    let env = [ptr::null::<libc::c_char>()];
    sys!(SYS_execveat, raw::number(args, 0)?, &c("tool"), argv.as_ptr(), env.as_ptr(), 0)?;
    Ok(())
}
