use std::fs;
use std::io;
use std::os::fd::AsRawFd;

use crate::attack::{Attack, Control, Judge};
use crate::attacks::raw::{self, c, sys};
use crate::stage::Stage;
use crate::{files, needs};

/// One way to change a hidden file. Those that Landlock knows have a bare control run.
macro_rules! touch {
    ($name:literal, $what:literal, $control:expr, $attack:expr) => {
        Attack {
            id: "L4",
            name: $name,
            what: $what,
            prepare,
            attack: |args| $attack(raw::text(args, 0)?),
            control: $control,
            ..Attack::ROW
        }
    };
}

pub(super) const CHMOD: Attack =
    touch!("chmod-hidden", "makes a hidden file writable for all", Control::Landlock, |path: &str| {
        sys!(SYS_chmod, &c(path), 0o777).map(drop)
    });
pub(super) const FCHMODAT2: Attack = touch!(
    "fchmodat2-hidden",
    "changes the mode of a hidden file by a call newer than most filters",
    Control::Landlock,
    |path: &str| raw::call(452, &[libc::AT_FDCWD as isize as usize, c(path).as_ptr() as usize, 0o777, 0])
        .map(drop)
);
pub(super) const OPATH_CHMOD: Attack = touch!(
    "proc-fd-chmod",
    "changes the mode of a hidden file through /proc/self/fd of an O_PATH descriptor",
    Control::Landlock,
    |path: &str| {
        let file = raw::openat(libc::AT_FDCWD, path, libc::O_PATH)?;
        sys!(SYS_chmod, &c(&format!("/proc/self/fd/{}", file.as_raw_fd())), 0o777).map(drop)
    }
);
pub(super) const CHOWN: Attack = Attack {
    needs: &[&needs::ROOT],
    ..touch!("chown-hidden", "gives a hidden file to another user", Control::Landlock, |path: &str| {
        sys!(SYS_chown, &c(path), 1234, 1234).map(drop)
    })
};
pub(super) const UTIMENSAT: Attack =
    touch!("utimensat-hidden", "sets the times of a hidden file", Control::Landlock, |path: &str| {
        let times = [1i64, 0, 1, 0];
        sys!(SYS_utimensat, libc::AT_FDCWD, &c(path), times.as_ptr(), 0).map(drop)
    });
pub(super) const SETXATTR: Attack = touch!(
    "setxattr-hidden",
    "sets an extended attribute of a hidden file",
    Control::Landlock,
    |path: &str| { sys!(SYS_setxattr, &c(path), &c("user.loot"), b"x".as_slice(), 1, 0).map(drop) }
);
pub(super) const TRUNCATE: Attack =
    touch!("truncate-hidden", "empties a hidden file without opening it", Control::Bare, |path: &str| {
        sys!(SYS_truncate, &c(path), 0).map(drop)
    });
pub(super) const LINK: Attack =
    touch!("link-hidden", "links a hidden file into its own folder", Control::Bare, |path: &str| {
        fs::hard_link(path, "stolen")
    });
pub(super) const RENAME: Attack =
    touch!("rename-hidden", "moves a hidden file into its own folder", Control::Bare, |path: &str| {
        fs::rename(path, "stolen")
    });
pub(super) const UNLINK: Attack =
    touch!("unlink-hidden", "deletes a hidden file", Control::Bare, |path: &str| fs::remove_file(path));

pub(super) const CREATE: Attack = Attack {
    id: "L4",
    name: "create-hidden",
    what: "creates files, folders, links, FIFOs and devices beside a hidden file",
    prepare: |stage| {
        let path = stage.host.clone();
        stage.path_arg(&path);
        let names = ["file", "folder", "link", "fifo", "socket"];
        Ok(files::any(names.iter().map(|name| files::absent(path.join(name))).collect()))
    },
    attack: create,
    ..Attack::ROW
};

fn prepare(stage: &mut Stage) -> io::Result<Judge> {
    let path = stage.host_file("victim", "content")?;
    stage.path_arg(&path);
    files::untouched(&path)
}

/// Each step may fail alone; one that works is enough for the judge.
fn create(args: &[String]) -> io::Result<()> {
    let at = |name: &str| raw::text(args, 0).map(|path| format!("{path}/{name}"));
    let steps = [
        fs::write(at("file")?, "x"),
        fs::create_dir(at("folder")?),
        std::os::unix::fs::symlink("/", at("link")?),
        sys!(SYS_mknodat, libc::AT_FDCWD, &c(&at("fifo")?), libc::S_IFIFO | 0o666, 0).map(drop),
        std::os::unix::net::UnixListener::bind(at("socket")?).map(drop),
    ];
    steps.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}
