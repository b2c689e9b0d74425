use std::fs;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::ptr;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::stage::Stage;
use crate::{files, marked};

pub(super) const ROW: Attack = Attack {
    id: "L6",
    name: "memfd-execveat",
    what: "runs a program from anonymous memory although nothing writable may be executed",
    prepare,
    attack,
    control: Control::Landlock,
    boxes: &["none", "belljar"],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let program = stage.data.join("tool");
    let canary = marked::copy(&stage.program(), &program)?;
    stage.path_arg(&program);
    stage.grant_data();
    stage.no_exec_work();
    // No place of this box is both writable and executable.
    stage.belljar_flags(&["--tmp", "none", "--dev", "none"]);
    Ok(files::not_printed(canary))
}

fn attack(args: &[String]) -> io::Result<()> {
    let bytes = fs::read(raw::text(args, 0)?)?;
    let memory = raw::fd(sys!(SYS_memfd_create, &c("tool"), 0))?;
    fs::File::from(memory.try_clone()?).write_all(&bytes)?;
    let words = [c("tool"), c("mark")];
    let argv = [words[0].as_ptr(), words[1].as_ptr(), ptr::null()];
    let env = [ptr::null::<libc::c_char>()];
    let flags = libc::AT_EMPTY_PATH;
    sys!(SYS_execveat, memory.as_raw_fd(), &c(""), argv.as_ptr(), env.as_ptr(), flags).map(drop)
}
