use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw;
use crate::files;
use crate::stage::Stage;

/// One call whose error tells whether a hidden name exists; the closure gets the path.
macro_rules! tells {
    ($name:literal, $what:literal, $probe:expr) => {
        Attack {
            id: "E4",
            name: $name,
            what: $what,
            prepare,
            attack: |args| attack(args, $probe),
            control: Control::Landlock,
            ..Attack::ROW
        }
    };
}

pub(super) const STAT: Attack =
    tells!("existence-by-stat", "learns from `stat` which hidden names exist", |path| known(fs::metadata(
        path
    )));
pub(super) const OPEN: Attack =
    tells!("existence-by-open", "learns from `open` which hidden names exist", |path| known(fs::File::open(
        path
    )));
pub(super) const MKDIR: Attack =
    tells!("existence-by-mkdir", "learns from `mkdir` which hidden names exist", |path| taken(
        fs::create_dir(path)
    ));
pub(super) const SYMLINK: Attack =
    tells!("existence-by-symlink", "learns from `symlink` which hidden names exist", |path| taken(symlink(
        "/", path
    )));
pub(super) const RENAME: Attack =
    tells!("existence-by-rename", "learns from `rename` which hidden names exist", |path| known(fs::rename(
        path, "stolen"
    )));
pub(super) const EXEC: Attack =
    tells!("existence-by-exec", "learns from `execve` which hidden names exist", |path| known(
        Command::new(path).spawn()
    ));
pub(super) const CONNECT: Attack =
    tells!("existence-by-connect", "learns from `connect` to a unix path which hidden names exist", |path| {
        known(UnixStream::connect(path))
    });
pub(super) const BIND: Attack =
    tells!("existence-by-bind", "learns from `bind` to a unix path which hidden names exist", |path| {
        UnixListener::bind(path).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    });
pub(super) const CHDIR: Attack =
    tells!("existence-by-chdir", "learns from `chdir` which hidden names exist", |path| known(
        std::env::set_current_dir(path)
    ));

const NAMES: u32 = 32;

/// A random half of the names exists; only a call that tells can find out which.
fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let bits = raw::random_key()?;
    for index in (0..NAMES).filter(|index| bits >> index & 1 == 1) {
        stage.host_file(&format!("name{index}"), "")?;
    }
    let path = stage.host.clone();
    stage.path_arg(&path);
    Ok(files::not_printed(format!("bits {bits:#x}")))
}

fn attack(args: &[String], probe: fn(&str) -> bool) -> io::Result<()> {
    let folder = raw::text(args, 0)?;
    let bits = (0..NAMES)
        .filter(|index| probe(&format!("{folder}/name{index}")))
        .fold(0i32, |bits, index| bits | 1 << index);
    raw::print(format!("bits {bits:#x}").as_bytes())
}

/// It worked, or failed otherwise than "no such file".
fn known<T>(result: io::Result<T>) -> bool {
    result.err().is_none_or(|error| error.kind() != io::ErrorKind::NotFound)
}

/// It failed because something is there.
fn taken<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists)
}
