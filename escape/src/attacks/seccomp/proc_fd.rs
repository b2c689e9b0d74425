//! C7: opens the descriptors of other processes through `/proc/PID/fd`.

use std::fs;
use std::io;
use std::path::Path;

use crate::attack::{Attack, Judge};
use crate::attacks::proof;
use crate::attacks::target::{self, print_file};
use crate::files;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C7",
    name: "proc-fd-others",
    what: "reads what the target and the box's own first process hold open, files and folders",
    prepare,
    attack,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let target = target::start(stage)?;
    let (path, secret) = stage.secret("reached-through-a-folder")?;
    stage.path_arg(&path);
    Ok(files::any(vec![target.unread(), secret]))
}

fn attack(args: &[String]) -> io::Result<()> {
    let beyond = proof::arg(args, 1)?;
    for pid in target::reach(args)? {
        for place in ["root", "cwd"] {
            drop(print_file(Path::new(&format!("/proc/{pid}/{place}{beyond}"))));
        }
        let Ok(list) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for fd in list.flatten() {
            if fs::metadata(fd.path()).is_ok_and(|meta| meta.is_file()) {
                drop(print_file(&fd.path()));
            }
            drop(print_file(Path::new(&format!("{}{beyond}", fd.path().display()))));
        }
    }
    Ok(())
}
